#include "load/plan.hpp"

#include <algorithm>

#include "load/random.hpp"
#include "ownership/invariant.hpp"

namespace tenure::load {
namespace {

// Holdings of one address follow each other on hosts this far apart.
constexpr std::uint64_t hosts_apart = 7;
constexpr nanos day = 86'400 * second;
constexpr std::size_t near_ends_a_batch = 8;
// A draw that hits a gap or a hand-over is drawn again so often, then given up.
constexpr int draws = 8;
constexpr nanos transit = millisecond;

}  // namespace

plan::plan(const fleet_options& o) : o_(o) {
  invariant(o.agents > 0 && o.addresses >= o.agents && o.addresses <= 1U << 24, "a fleet has its bounds");
  invariant(o.workloads > 0 && o.workloads <= 4096 && o.lifetime >= 0, "a fleet has its bounds");
  random r{o.seed};
  for (auto* purpose : {&phases_, &turns_, &near_ends_, &flows_}) *purpose = r.next();
  random of_run{r.next(), o.run};
  for (std::uint32_t a = 0; a < o.agents; ++a) {
    // Its place is in it, so that no two are the same and none is 0.
    const std::uint64_t incarnation = (of_run.next() << 24) | (a + 1);
    agents_.push_back({incarnation, static_cast<nanos>(r.below(day)), static_cast<nanos>(r.below(101)) - 50});
    incarnations_.emplace_back(incarnation, a);
  }
  std::sort(incarnations_.begin(), incarnations_.end());
}

std::optional<std::uint32_t> plan::agent_of(std::uint64_t incarnation) const {
  const auto it = std::lower_bound(incarnations_.begin(), incarnations_.end(), std::pair{incarnation, 0U});
  if (it == incarnations_.end() || it->first != incarnation) return std::nullopt;
  return it->second;
}

nanos plan::reading(std::uint32_t agent, nanos at) const {
  const auto& a = agents_[agent];
  return at + a.offset + at * a.millionths / 1'000'000;
}

address plan::address_of(std::uint32_t n) const {
  if (!o_.ipv6) return address::v4(0x0a00'0000U + n);
  // 256 addresses a /64.
  return address::from_halves(0xfd7e'0000'0000'0000ULL + (n >> 8), 1 + (n & 0xff));
}

std::string plan::workload_name(std::uint32_t n) {
  std::string digits = std::to_string(n);
  return "workload-" + std::string(4 - std::min<std::size_t>(4, digits.size()), '0') + digits;
}

nanos plan::phase(std::uint32_t address) const {
  return static_cast<nanos>(random{phases_, address}.below(static_cast<std::uint64_t>(o_.lifetime)));
}

// Turn n of an address is [(n - 1) lifetime + phase, n lifetime + phase); the first one begins before 0.
std::uint64_t plan::turn_at(std::uint32_t address, nanos at) const {
  if (o_.lifetime == 0) return 0;
  const nanos since = at - phase(address);
  return since < 0 ? 0 : static_cast<std::uint64_t>(since / o_.lifetime) + 1;
}

holding plan::turn(std::uint32_t address, std::uint64_t n) const {
  holding h;
  h.address = address;
  h.agent = static_cast<std::uint32_t>((address + n * hosts_apart) % o_.agents);
  h.tenancy = {incarnation(h.agent), n * o_.addresses + address + 1};
  random r{turns_, address, n};
  h.workload = static_cast<std::uint32_t>(r.below(o_.workloads));
  if (o_.lifetime == 0) {
    h.until = time_max;
    return h;
  }
  const auto tenth = static_cast<std::uint64_t>(o_.lifetime / 10);
  const bool at_once = r.below(2) == 0;
  const auto gap = at_once || tenth == 0 ? nanos{0} : static_cast<nanos>(r.below(tenth));
  h.until = static_cast<nanos>(n) * o_.lifetime + phase(address);
  h.from = std::max<nanos>(0, h.until - o_.lifetime + gap);
  return h;
}

std::optional<holding> plan::holder(std::uint32_t address, nanos at) const {
  const holding h = turn(address, turn_at(address, at));
  if (at < h.from || at >= h.until) return std::nullopt;
  return h;
}

std::uint32_t plan::first_address(std::uint32_t agent, std::uint64_t turn) const {
  const std::uint64_t back = turn % o_.agents * hosts_apart % o_.agents;
  return static_cast<std::uint32_t>((agent + o_.agents - back) % o_.agents);
}

void plan::holdings(std::uint32_t agent, nanos since, nanos until, std::vector<holding>& out) const {
  // Phases are less than a lifetime: at one instant an address is in one of two turns.
  const auto [first, last] =
      o_.lifetime == 0 ? std::pair<std::uint64_t, std::uint64_t>{0, 0}
                       : std::pair{static_cast<std::uint64_t>(std::max<nanos>(0, since) / o_.lifetime),
                                   static_cast<std::uint64_t>(until / o_.lifetime) + 1};
  for (std::uint64_t n = first; n <= last; ++n)
    for (std::uint64_t a = first_address(agent, n); a < o_.addresses; a += o_.agents) {
      const holding h = turn(static_cast<std::uint32_t>(a), n);
      if (h.from <= until && h.until > since) out.push_back(h);
    }
}

std::vector<holding> plan::near_ends(std::uint32_t agent, std::uint64_t batch, nanos sealed) const {
  random r{near_ends_, agent, batch};
  std::vector<holding> out;
  const nanos since = sealed - o_.linger - o_.longest_flow;
  const auto now = o_.lifetime == 0 ? 0 : static_cast<std::uint64_t>(sealed / o_.lifetime);
  for (std::size_t tries = 0; tries < near_ends_a_batch * 2 && out.size() < near_ends_a_batch; ++tries) {
    const std::uint64_t n = o_.lifetime == 0 ? 0 : now + r.below(2);
    const std::uint64_t a = first_address(agent, n) + r.below(o_.addresses / o_.agents) * o_.agents;
    if (a >= o_.addresses) continue;
    const holding h = turn(static_cast<std::uint32_t>(a), n);
    const auto same = [&](const holding& other) { return other.tenancy == h.tenancy; };
    if (h.from <= since && h.until > sealed && std::none_of(out.begin(), out.end(), same)) out.push_back(h);
  }
  return out;
}

planned_flow plan::flow(std::uint32_t agent, std::uint64_t batch, std::uint32_t index, nanos sealed,
                        const std::vector<holding>& near) const {
  random r{flows_ + agent, batch, index};
  planned_flow p;
  auto& f = p.flow;
  const std::uint64_t shape = r.next();
  f.id = {incarnation(agent), batch, index};
  f.connection = batch << 20 | index;
  f.reporter = (shape & 1) != 0 ? reporter::source : reporter::destination;
  // As many short ones as long ones, by orders of magnitude.
  const nanos longest = std::max<nanos>(o_.longest_flow >> ((shape >> 1) % 12), 4);
  const nanos rtt =
      static_cast<nanos>(r.below(static_cast<std::uint64_t>(std::min(longest / 2, millisecond)))) + 1;
  f.times.closed = sealed - static_cast<nanos>(r.below(static_cast<std::uint64_t>(o_.linger) + 1));
  f.times.opened = f.times.closed - longest;
  f.times.established = f.times.opened + rtt;
  f.times.last_received = f.times.established + (longest - rtt) / 4 * 3;
  f.times.transit = transit;
  f.times.is_established = true;
  if (!near.empty()) {
    p.near = near[(shape >> 8) % near.size()];
    f.near_tenancy = p.near->tenancy;
    f.near_address = address_of(p.near->address);
  } else {
    f.near_address = address_of(first_address(agent, 0));
  }
  f.near_port = static_cast<std::uint16_t>(32'768 + (shape >> 16) % 28'000);
  f.far_port = 443;
  f.near_initial_sequence = static_cast<std::uint32_t>(shape >> 32);
  f.counters = {shape >> 50, shape >> 44, 12, 10, 0, 300, 200, static_cast<std::uint32_t>(rtt / microsecond)};
  if (r.below(1U << 20) < static_cast<std::uint64_t>(o_.covered * (1U << 20))) {
    for (int i = 0; i < draws && !p.far; ++i) {
      const auto h = holder(static_cast<std::uint32_t>(r.below(o_.addresses)), f.times.opened);
      // It answered from before our stamp of `opened` to after its last segment was sent.
      if (h && h->from <= f.times.opened - transit && h->until >= f.times.last_received) p.far = h;
    }
  }
  // Where no agent is: of the addresses that are kept for benchmarks (RFC 2544).
  f.far_address = p.far ? address_of(p.far->address)
                        : address::v4(0xc612'0000U + static_cast<std::uint32_t>(r.below(1U << 17)));
  return p;
}

}  // namespace tenure::load
