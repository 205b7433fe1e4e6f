#include "tests/capnp/samples.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <sstream>

namespace tenure::wire::samples {

namespace {

class source {
 public:
  explicit source(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

  /// A number that is often at an end of its range.
  template <class Number>
  Number number() {
    switch (below(4)) {
      case 0:
        return std::numeric_limits<Number>::min();
      case 1:
        return std::numeric_limits<Number>::max();
      default:
        return static_cast<Number>(random_());
    }
  }

  nanos not_negative() { return number<nanos>() & std::numeric_limits<nanos>::max(); }

  std::string text() {
    static const std::string letters[] = {"a", "/", "\"", "\\", "ü", "→", "🦉", " "};
    std::string out = "w";
    for (auto i = below(20); i > 0; --i) out += letters[below(std::size(letters))];
    return below(10) == 0 ? std::string(max_name_bytes, 'x') : out;
  }

  tenure::address address() {
    return below(2) == 0 ? address::v4(number<std::uint32_t>())
                         : address::from_halves(number<std::uint64_t>(), number<std::uint64_t>());
  }

 private:
  std::mt19937_64 random_;
};

workload any_workload(source& s) {
  workload out{s.text(), {}};
  for (auto i = s.below(4); i > 0; --i) out.labels.emplace_back(s.text(), s.text());
  return out;
}

evidence any_evidence(source& s, const tenancy_entry& of) {
  return {of.endpoint,      of.id,           of.workload, s.number<nanos>(), s.number<nanos>(),
          s.not_negative(), s.not_negative()};
}

flow any_flow(source& s, const batch& b) {
  flow f;
  f.id = {incarnation, b.number, static_cast<std::uint32_t>(b.flows.size())};
  f.connection = s.number<std::uint64_t>();
  f.part = s.number<std::uint32_t>();
  f.reporter = s.below(2) == 0 ? reporter::source : reporter::destination;
  f.transport = s.below(2) == 0 ? transport_protocol::tcp : transport_protocol::udp;
  f.end = end_reason{static_cast<std::uint8_t>(1 + s.below(5))};
  f.near_address = s.address();
  f.far_address = s.address();
  f.near_port = s.number<std::uint16_t>();
  f.far_port = s.number<std::uint16_t>();
  if (!b.tenancies.empty() && s.below(3) > 0) {
    const auto& near = b.tenancies[s.below(b.tenancies.size())];
    f.near_tenancy = near.id;
    f.near_workload = near.workload;
  } else if (!b.workloads.empty() && s.below(2) == 0) {
    f.near_workload = workload_id{static_cast<std::uint32_t>(1 + s.below(b.workloads.size()))};
  }
  f.times = {s.number<nanos>(), s.number<nanos>(), s.number<nanos>(), s.number<nanos>(),
             s.not_negative(),  s.not_negative(),  s.below(2) == 0};
  f.counters = {s.number<std::uint64_t>(), s.number<std::uint64_t>(), s.number<std::uint32_t>(),
                s.number<std::uint32_t>(), s.number<std::uint32_t>(), s.number<std::uint32_t>(),
                s.number<std::uint32_t>(), s.number<std::uint32_t>()};
  f.near_initial_sequence = s.number<std::uint32_t>();
  f.far_initial_sequence = s.number<std::uint32_t>();
  f.connect_errno = s.number<std::uint16_t>();
  if (!f.times.is_established && s.below(4) == 0) f.connections = s.number<std::uint32_t>() | 2;
  if (s.below(4) == 0) f.dialled = {s.address(), static_cast<std::uint16_t>(s.number<std::uint16_t>() | 1)};
  return f;
}

void tell(std::ostream& out, const address& a) {
  out << a.high() << ':' << a.low();
}
void tell(std::ostream& out, const tenancy_id& t) {
  out << t.incarnation << '-' << t.sequence;
}
void tell(std::ostream& out, workload_id w) {
  out << 'w' << static_cast<std::uint32_t>(w);
}

void tell(std::ostream& out, const flow& f) {
  out << "\nflow " << f.id.incarnation << ' ' << f.id.batch << ' ' << f.id.index << ' ' << f.connection << ' '
      << f.part << ' ' << static_cast<int>(f.reporter) << static_cast<int>(f.transport)
      << static_cast<int>(f.end) << " near ";
  tell(out, f.near_address);
  out << ' ' << f.near_port << ' ' << f.near_initial_sequence << " far ";
  tell(out, f.far_address);
  out << ' ' << f.far_port << ' ' << f.far_initial_sequence << " by ";
  tell(out, f.near_tenancy);
  tell(out, f.near_workload);
  const auto& t = f.times;
  out << " times " << t.opened << ' ' << t.established << ' ' << t.last_received << ' ' << t.closed << ' '
      << t.transit << ' ' << t.error << ' ' << t.is_established;
  const auto& c = f.counters;
  out << " counters " << c.bytes_sent << ' ' << c.bytes_received << ' ' << c.segments_sent << ' '
      << c.segments_received << ' ' << c.retransmits << ' ' << c.srtt_us << ' ' << c.min_rtt_us << ' '
      << c.connect_us << " errno " << f.connect_errno << " dialled ";
  tell(out, f.dialled.address);
  out << ' ' << f.dialled.port << " connections " << f.connections;
}

void tell(std::ostream& out, const batch& b) {
  out << "batch " << b.number;
  for (const auto& w : b.workloads) {
    out << "\nworkload " << w.name;
    for (const auto& [key, value] : w.labels) out << ' ' << key << '=' << value;
  }
  for (const auto& t : b.tenancies) {
    out << "\ntenancy ";
    tell(out, t.id);
    tell(out, t.workload);
    tell(out, t.endpoint.address);
    out << ' ' << t.endpoint.port;
  }
  for (const auto& e : b.evidence) {
    out << "\nevidence ";
    tell(out, e.tenancy);
    tell(out, e.workload);
    tell(out, e.endpoint.address);
    out << ' ' << e.endpoint.port << ' ' << e.from << ' ' << e.until << ' ' << e.from_error << ' '
        << e.until_error;
  }
  for (const auto& f : b.flows) tell(out, f);
}

void tell(std::ostream& out, const clock_bracket& b) {
  out << " bracket " << b.clock << ' ' << b.sent << ' ' << b.received << ' ' << b.reading;
}

void tell(std::ostream& out, const hello& m) {
  out << "hello " << m.version << ' ' << m.incarnation << ' ' << m.agent << ' ' << m.credit << ' ' << m.spare
      << ' ' << m.settings;
  for (const auto& b : m.brackets) tell(out, b);
  if (m.runs) out << " runs";
}
void tell(std::ostream& out, const welcome& m) {
  out << "welcome " << m.version << ' ' << m.node << ' ' << m.credit << ' ' << m.compressed << ' '
      << static_cast<int>(m.packed);
}
void tell(std::ostream& out, const ping& m) {
  out << "ping " << m.id;
  if (m.agents != 0) out << ' ' << m.agents;
  if (m.known.clock != 0) tell(out, m.known);
}
void tell(std::ostream& out, const pong& m) {
  out << "pong " << m.id << ' ' << m.reading;
}
void tell(std::ostream& out, const acknowledgement& m) {
  out << "acknowledgement " << m.batch;
  if (m.through != 0) out << " through " << m.through;
}
void tell(std::ostream& out, const credit& m) {
  out << "credit " << m.bytes;
}
void tell(std::ostream& out, const goodbye& m) {
  out << "goodbye " << m.reason << (m.leaving ? " leaving" : "");
}
void tell(std::ostream& out, const peer_hello& m) {
  out << "peer_hello " << m.version << ' ' << m.incarnation << ' ' << m.node;
}
void tell(std::ostream& out, const peer_welcome& m) {
  out << "peer_welcome " << m.version << ' ' << m.incarnation << ' ' << m.node << ' ' << m.credit;
}
void tell(std::ostream& out, const lot& m) {
  out << "lot " << m.id << ' ' << m.agent << ' ' << m.incarnation << ' ' << m.handed_over << '\n';
  tell(out, m.content);
}
void tell(std::ostream& out, const settings& m) {
  out << "settings " << m.version << ' ' << m.text;
}
void tell(std::ostream& out, const compressed& m) {
  out << "compressed " << m.bytes << ' ' << m.content;
}
void tell(std::ostream& out, const settled& m) {
  out << "settled";
  for (const auto id : m.lots) out << ' ' << id;
}

}  // namespace

batch any_batch(std::uint64_t seed, std::size_t most) {
  source s(seed);
  batch b;
  b.number = s.number<std::uint64_t>() | 1;
  for (auto i = s.below(most + 1); i > 0; --i) b.workloads.push_back(any_workload(s));
  for (auto i = b.workloads.empty() ? 0 : s.below(most + 1); i > 0; --i) {
    tenancy_id id{incarnation, 1 + 1000 * s.below(1'000'000'000) + i};  // + i: each once
    b.tenancies.push_back({id,
                           {s.address(), s.number<std::uint16_t>()},
                           workload_id{static_cast<std::uint32_t>(1 + s.below(b.workloads.size()))}});
  }
  for (auto i = b.tenancies.empty() ? 0 : s.below(most + 1); i > 0; --i) {
    b.evidence.push_back(any_evidence(s, b.tenancies[s.below(b.tenancies.size())]));
  }
  for (auto i = s.below(most + 1); i > 0; --i) b.flows.push_back(any_flow(s, b));
  return b;
}

clock_bracket any_bracket(source& s) {
  return {s.number<std::uint64_t>() | 1, s.number<nanos>(), s.number<nanos>(), s.number<nanos>()};
}

acknowledgement any_acknowledgement(source& s) {
  const auto batch = s.number<std::uint64_t>() >> 1;
  return {batch, s.below(2) == 0 ? 0 : batch + s.below(max_acknowledged_run)};
}

hello any_hello(source& s, std::size_t most) {
  hello out{s.number<std::uint32_t>(),
            s.number<std::uint64_t>() | 1,
            s.text(),
            s.below(2) == 1,
            s.below(2) == 1,
            s.below(2) == 1};
  for (auto i = s.below(std::min(most, max_hello_brackets) + 1); i > 0; --i)
    out.brackets.push_back(any_bracket(s));
  out.runs = s.below(2) == 1;
  out.waits = s.below(2) == 1;
  return out;
}

message any_message(std::uint64_t seed, std::size_t most) {
  source s(seed);
  switch (s.below(17)) {
    case 0:
      return any_hello(s, most);
    case 1:
      return welcome{s.number<std::uint32_t>(), s.text(), s.below(2) == 1, s.below(2) == 1,
                     s.number<std::uint8_t>()};
    case 12:
      return settings{s.number<std::uint64_t>(), s.text()};
    case 13:
      return compressed{s.number<std::uint32_t>(), s.text()};
    case 2:
      return ping{s.number<std::uint64_t>(), s.number<std::uint32_t>(),
                  s.below(2) == 0 ? clock_bracket{} : any_bracket(s), s.number<std::uint32_t>()};
    case 3:
      return pong{s.number<std::uint64_t>(), s.number<nanos>()};
    case 4:
      return any_acknowledgement(s);
    case 11:
      return credit{s.number<std::uint64_t>()};
    case 5:
      return goodbye{s.text(), s.number<std::uint32_t>() % 2 == 1};
    case 6:
      return peer_hello{s.number<std::uint32_t>(), s.number<std::uint64_t>() | 1, s.text()};
    case 7:
      return peer_welcome{s.number<std::uint32_t>(), s.number<std::uint64_t>() | 1, s.text(),
                          s.number<std::uint64_t>()};
    case 8: {
      settled out;
      for (auto i = s.below(most + 1); i > 0; --i) out.lots.push_back(s.number<std::uint64_t>());
      return out;
    }
    case 9:
    case 10: {
      lot out{s.number<std::uint64_t>() | 1, s.text(), incarnation, any_batch(seed ^ 0x107, most)};
      std::uint32_t index = 0;
      for (auto& f : out.content.flows) f.id = {incarnation, out.content.number, index += 1 + s.below(1'000)};
      out.handed_over = seed % 2 == 1;
      return out;
    }
    default:
      return any_batch(seed ^ 0x5eed, most);
  }
}

std::string describe(const message& m) {
  std::ostringstream out;
  std::visit([&](const auto& body) { tell(out, body); }, m);
  return out.str();
}

}  // namespace tenure::wire::samples
