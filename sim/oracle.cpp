#include "sim/oracle.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "capnp/codec.hpp"
#include "capnp/compression.hpp"
#include "sim/oracle_evidence.hpp"
#include "sim/oracle_judge.hpp"

namespace tenure::sim {
namespace {

constexpr std::size_t most_kept_violations = 20;

std::string text(nanos t) {
  return std::to_string(static_cast<double>(t) / static_cast<double>(second)) + " s";
}

}  // namespace

/// Takes records over, and calls all of them durable at the next sync.
class oracle::watched_disk final : public simulated_disk {
 public:
  watched_disk(oracle& o, std::shared_ptr<const output_trouble> trouble)
      : oracle_(o), trouble_(std::move(trouble)) {}

  outcome<void> append(std::span<const sinks::flow_record> records, const sinks::record_context& c) override {
    if (lost_) return {};
    for (const auto& r : records) {
      for (const auto number : oracle_.stands_for(r.flow)) {
        oracle_.written(number, r, c);
        appended_.push_back(number);
      }
    }
    full_ = full_ || oracle_.time_.now() < trouble_->full_until;
    return {};
  }
  outcome<void> make_durable() override {
    full_ = !lost_ && oracle_.time_.now() < std::max(trouble_->full_until, trouble_->down_until);
    if (full_) return {};
    oracle_.made_durable(std::exchange(appended_, {}));
    return {};
  }
  bool full() const override { return full_; }
  void lose() override {
    lost_ = true;
    full_ = false;
    appended_.clear();
  }

 private:
  oracle& oracle_;
  std::shared_ptr<const output_trouble> trouble_;
  std::vector<std::uint64_t> appended_;
  bool full_ = false;
  bool lost_ = false;
};

oracle::oracle(const agenda& time, const truth& world, const socket_records& records,
               std::uint32_t evidence_kept)
    : time_(time), truth_(world), records_(records), evidence_kept_(std::max(evidence_kept, 1U)) {}

void oracle::complain(const char* invariant, std::string what) {
  ++violation_count_;
  if (violations_.size() < most_kept_violations)
    violations_.push_back({invariant, time_.now(), std::move(what)});
}

instance_id oracle::holder_of(tenancy_id t) const {
  const auto known = tenancies_.find(t);
  return known == tenancies_.end() ? no_instance : known->second;
}

std::string oracle::describe(instance_id who) const {
  if (who == no_instance) return "nobody";
  const auto& i = truth_.of(who);
  return "instance " + std::to_string(who) + " of " + truth::workload_name(i.workload) + " on " +
         i.endpoint().to_string() + " [" + text(i.from) + ", " + (i.alive() ? "now" : text(i.until)) + ")";
}

void oracle::stamped(instance_id who, tenancy_id tenancy) {
  const auto [known, fresh] = tenancies_.try_emplace(tenancy, who);
  if (!fresh && known->second != who)
    complain("I2", "tenancy " + tenancy.to_string() + " names two instances: " + describe(known->second) +
                       " and " + describe(who));
}

void oracle::sent(std::uint64_t link, machine_id from, const transport::frame& f) {
  auto& known = links_[link];
  auto m = wire::decode(f, known.incarnation);
  std::size_t bytes = f.size() * sizeof(f[0]);
  if (m && std::holds_alternative<wire::compressed>(*m)) {
    const auto whole = wire::expand(std::make_shared<const transport::frame>(f));
    if (!whole) return complain("I5", "a compressed frame that nobody can read");
    m = wire::decode(**whole, known.incarnation);
    bytes = (*whole)->size() * sizeof(f[0]);
    seen_.add(fault::batch_compressed);
  }
  if (!m) return;
  if (const auto* h = std::get_if<wire::hello>(&*m)) {
    known = {from, h->incarnation, 0, 0};
  } else if (const auto* b = std::get_if<wire::batch>(&*m); b != nullptr && from == known.agent) {
    spend(known, bytes);
    auto& numbers = batches_[{known.incarnation, b->number}];
    if (!numbers.empty() || b->flows.empty()) return;
    numbers = find_shared(known.incarnation, *b);
  } else if (const auto* c = std::get_if<wire::credit>(&*m); c != nullptr && from != known.agent) {
    known.granted = std::max(known.granted, c->bytes);
  } else if (const auto* a = std::get_if<wire::acknowledgement>(&*m); a != nullptr && from != known.agent) {
    for (std::uint64_t n = 0; n < a->count(); ++n) acknowledged(known.incarnation, a->batch + n);
  }
}

void oracle::spend(greeting& link, std::size_t bytes) {
  largest_batch_ = std::max(largest_batch_, bytes);
  if (link.sent >= link.granted) complain("I7", "an agent sent a batch for which it had no credit");
  link.sent += bytes;
  if (link.sent >= link.granted) seen_.add(fault::credit_spent);
}

void oracle::check_held(std::uint64_t flows, std::uint64_t agents) {
  constexpr std::uint64_t bytes_a_flow = 64;
  // Here wait also flows of other nodes' agents, for which those gave the credit.
  const std::uint64_t most = cluster_.nodes * (cluster_.held_memory + agents * largest_batch_);
  if (flows * bytes_a_flow > most)
    complain("I7", std::to_string(flows) + " flows are held where credit is given for " +
                       std::to_string(cluster_.held_memory) + " bytes");
}

void oracle::acknowledged(std::uint64_t incarnation, std::uint64_t batch) {
  const auto known = batches_.find({incarnation, batch});
  if (known == batches_.end()) return;  // evidence alone
  for (const auto number : known->second) {
    const auto a = answers_.find(number);
    if (a == answers_.end() || !a->second.durable)
      complain("I5", "batch " + std::to_string(batch) + " was acknowledged before record " +
                         std::to_string(number) + " was durable");
  }
}

std::shared_ptr<attributor> oracle::watch(const prefix_set& routable, std::shared_ptr<attributor> inner,
                                          std::size_t most_bytes, std::shared_ptr<const machine_clock> clock,
                                          names_slot names, random draw) {
  auto judge = std::make_shared<watched_judge>(*this, routable, std::move(inner), most_bytes,
                                               std::move(clock), names, draw);
  judges_.push_back(judge);
  return judge;
}

std::shared_ptr<simulated_disk> oracle::make_disk(std::shared_ptr<const output_trouble> trouble) {
  return std::make_shared<watched_disk>(*this, std::move(trouble));
}

/// I2: what a node believes of a tenancy lies inside its truth, of the same endpoint and workload.
void oracle::check_hull(const evidence& e, const attributor& judge, const machine_clock& clock,
                        const workload_table& names) {
  for (const auto& h : judge.timelines().holdings(e.endpoint)) {
    if (h.tenancy != e.tenancy || h.sure.empty()) continue;
    const auto who = holder_of(h.tenancy);
    if (who == no_instance) {
      complain("I2", "evidence of a tenancy that no kernel knew: " + h.tenancy.to_string());
      continue;
    }
    const auto& real = truth_.of(who);
    const nanos from = clock.at(real.from);
    const nanos until = clock.at(real.alive() ? time_.now() : real.until);
    if (names.name(h.workload) != truth::workload_name(real.workload) || e.endpoint != real.endpoint())
      complain("I2", "evidence names " + std::string{names.name(h.workload)} + " on " +
                         e.endpoint.to_string() + ", but it was " + describe(who));
    if (h.sure.from < from || h.sure.until > until)
      complain("I2", "the hull of " + h.tenancy.to_string() + " reaches " +
                         std::to_string(std::max(from - h.sure.from, h.sure.until - until)) +
                         " ns beyond the truth of " + describe(who) + "\n    said last: " + to_text(e) +
                         "\n    in truth: [" + std::to_string(from) + ", " + std::to_string(until) + ")" +
                         statements(h.tenancy));
  }
}

bool oracle::right(const socket_record& real, instance_id answered, std::string_view workload) const {
  if (answered == no_instance || truth::workload_name(truth_.of(answered).workload) != workload) return false;
  if (real.far != no_instance) return answered == real.far;
  const auto& i = truth_.of(answered);
  return i.address == real.far_address && i.held(real.opened) && i.held(real.closed);
}

void oracle::check_near(const sinks::flow_record& r, const socket_record& real,
                        const sinks::record_context& c) {
  if (r.flow.near_workload == workload_id::none) return;
  const auto name = c.workloads.name(r.flow.near_workload);
  if (holder_of(r.flow.near_tenancy) != real.near ||
      name != truth::workload_name(truth_.of(real.near).workload))
    complain("I1", "record " + std::to_string(r.flow.connection) + " names " + std::string{name} +
                       " at its near end, which was " + describe(real.near));
}

void oracle::written(std::uint64_t number, const sinks::flow_record& r, const sinks::record_context& c) {
  if (number == 0 || number > records_.size()) {
    complain("I5", "a record that no kernel made: " + r.flow.id.to_string());
    return;
  }
  const auto& real = records_[number - 1];
  const auto name = c.workloads.name(r.far.workload);
  const auto who = r.far.attributed() ? holder_of(r.far.tenancy) : no_instance;
  digest_.add(static_cast<std::uint64_t>(time_.now()));
  digest_.add(number);
  digest_.add(name);
  digest_.add(static_cast<std::uint64_t>(r.far.reason));
  check_near(r, real, c);
  const bool wrong = r.far.attributed() && !right(real, who, name);
  if (wrong) {
    ++result_.misattributed;
    complain("I1", "record " + std::to_string(number) + " was given to " + describe(who) + ", but it was " +
                       (real.far != no_instance
                            ? describe(real.far)
                            : describe(truth_.holder(real.far_address, real.opened)) + " at its beginning") +
                       "; open from " + text(real.opened) + " to " + text(real.closed) + shown_by(r));
  }
  if (r.far.reason == reason::conflict)
    complain("I1", "record " + std::to_string(number) +
                       " is in conflict: two hulls of two workloads meet; it was " + describe(real.far) +
                       shown_by(r));
  if (time_.now() + second < real.closed + cluster_.hold) seen_.add(fault::released_early);
  if (keep_ != nullptr) keep_answer(r, name);
  auto [known, fresh] =
      answers_.try_emplace(number, answer{r.flow.id, std::string{name}, who, r.far.reason, false});
  if (fresh) return;
  ++result_.repeats;
  auto& first = known->second;
  if (first.id != r.flow.id) complain("I5", "record " + std::to_string(number) + " came under two flow ids");
  if (!r.far.attributed()) return;
  if (!first.workload.empty() && (first.workload != name || first.instance != who))
    complain("I3", "record " + std::to_string(number) + " was given to " + first.workload + " and to " +
                       std::string{name});
  first.workload = name;
  first.instance = who;
}

void oracle::made_durable(const std::vector<std::uint64_t>& numbers) {
  for (const auto n : numbers)
    if (const auto a = answers_.find(n); a != answers_.end()) a->second.durable = true;
}

void oracle::count_dependencies() {
  std::set<std::pair<std::uint32_t, std::string>> real;
  std::set<std::pair<std::uint32_t, std::string>> reported;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto& r = records_[i];
    if (r.reporter != reporter::source) continue;
    const auto far = r.far != no_instance ? r.far : truth_.holder(r.far_address, r.opened);
    const auto near = truth_.of(r.near).workload;
    if (far != no_instance) real.emplace(near, truth::workload_name(truth_.of(far).workload));
    const auto a = answers_.find(i + 1);
    if (a != answers_.end() && !a->second.workload.empty()) reported.emplace(near, a->second.workload);
  }
  result_.dependencies = reported.size();
  for (const auto& d : reported) result_.false_dependencies += real.contains(d) ? 0 : 1;
}

void oracle::finish(const std::vector<std::uint64_t>& live, nanos settled) {
  for (const auto& [number, a] : answers_) {
    ++result_.flows;
    if (!a.workload.empty())
      ++result_.attributed;
    else
      ++result_.unattributed[std::string{to_string(a.reason)}];
  }
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const auto& r = records_[i];
    if (r.incarnation == 0 || r.closed > settled ||
        std::find(live.begin(), live.end(), r.incarnation) == live.end())
      continue;
    const auto a = answers_.find(i + 1);
    if (a == answers_.end() || !a->second.durable)
      complain("I5", "record " + std::to_string(i + 1) +
                         " was handed to an agent that still lives, and is at no sink");
  }
  for (const auto& j : judges_) j->finish();
  count_dependencies();
  count_proved();
}

void oracle::count_proved() {
  for (instance_id id = 0; id < truth_.size(); ++id) {
    const auto& i = truth_.of(id);
    if (i.alive() || std::hash<address>{}(i.address) % evidence_kept_ != 0) continue;
    ++proved_.instances;
    proved_.held_seconds += static_cast<double>(i.until - i.from) / static_cast<double>(second);
    const auto span = proved_spans_.find(id);
    if (span != proved_spans_.end())
      proved_.proved_seconds += static_cast<double>(span->second) / static_cast<double>(second);
  }
}

}  // namespace tenure::sim
