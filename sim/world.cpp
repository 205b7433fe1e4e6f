#include "sim/world.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "sim/trouble_maker.hpp"

namespace tenure::sim {
namespace {

/// Tells both who want to hear of stamps: the fleet goes on with its life, the oracle remembers.
class told_both final : public kernel_listener {
 public:
  told_both(fleet& one, oracle& other) : fleet_(one), oracle_(other) {}
  void stamped(instance_id who, tenancy_id tenancy) override {
    oracle_.stamped(who, tenancy);
    fleet_.stamped(who, tenancy);
  }
  void unstamped(instance_id who) override { fleet_.unstamped(who); }

 private:
  fleet& fleet_;
  oracle& oracle_;
};

// True time is not what any clock shows.
constexpr nanos clock_start = 100'000 * second;

}  // namespace

world::world(const scenario& options, std::uint64_t seed, plants planted, std::vector<baseline_options> also,
             kept_history* keep)
    : options_(options),
      seed_(seed),
      planted_(std::move(planted)),
      also_(std::move(also)),
      keep_(keep),
      draw_(seed),
      time_(options.grid),
      net_(time_, draw_.fork(), trace_, faults_, options.network),
      around_{time_, draw_, trace_, faults_, net_, truth_, std::make_shared<actors::settings_board>()},
      fleet_(around_, options.fleet),
      traffic_(around_, options.traffic, fleet_, hosts_, planted_.stamps),
      oracle_(time_, truth_, traffic_.records(), options.evidence_kept),
      listener_(std::make_unique<told_both>(fleet_, oracle_)),
      members_(around_, options_.cluster, nodes_) {
  build();
}

world::~world() {
  for (auto& h : hosts_) h->crash_agent();
  for (auto& n : nodes_) n->crash();
}

void world::build() {
  const auto& c = options_.cluster;
  const auto reading = [&] { return clock_start + draw_.between(-c.clock_offset, c.clock_offset); };
  const auto rate = [&] { return draw_.between(-c.clock_ppm, c.clock_ppm); };
  net_.set_tap(&oracle_);
  oracle_.expect(c);
  invariant(keep_ == nullptr || c.nodes == 1, "a history is told in the time of one node");
  if (keep_ != nullptr) oracle_.keep(*keep_);
  auto of_nodes = c;
  if (planted_.credit_ignored) of_nodes.held_memory = 0;
  for (std::uint32_t i = 0; i < c.nodes; ++i) {
    const machine_id id = options_.fleet.hosts + i;
    const nanos shown = reading();
    nodes_.push_back(std::make_unique<node_machine>(around_, oracle_, id, shown, rate(), of_nodes,
                                                    options_.faults.slow, planted_.judge));
    start_node(i);
  }
  for (host_id id = 0; id < options_.fleet.hosts; ++id) {
    const nanos shown = reading();
    hosts_.push_back(std::make_unique<host>(around_, id, shown, rate(), *listener_));
    start_agent(id);
  }
  fleet_.attach(traffic_, hosts_);
  fleet_.begin();
}

void world::start_node(std::uint32_t index) {
  nodes_[index]->start(index);
  members_.here(index);
}

void world::start_agent(host_id where) {
  agent_options o;
  o.slow = options_.faults.slow;
  if (planted_.one_incarnation) o.incarnation = 4740;
  o.settings.heartbeat = options_.cluster.heartbeat;
  o.settings.linger = options_.cluster.linger;
  o.settings.repeat = options_.cluster.repeat;
  o.settings.compress = options_.cluster.compress;
  if (options_.cluster.shed_waiting > 0) o.settings.shed_at_waiting = options_.cluster.shed_waiting;
  // By a list, or by one name for all.
  const auto first = draw_.below(options_.cluster.nodes);
  if (options_.cluster.nodes > 1 && draw_.chance(0.5))
    o.settings.nodes.emplace_back(all_nodes);
  else
    for (std::uint32_t i = 0; i < options_.cluster.nodes; ++i)
      o.settings.nodes.push_back(
          node_machine::address_of(static_cast<std::uint32_t>((first + i) % options_.cluster.nodes)));
  o.settings.spare = options_.cluster.nodes > 1;
  auto& h = *hosts_[where];
  h.start_agent(o);
  traffic_.agent_started(where);
}

report world::run() {
  trouble_maker trouble(*this);
  trouble.begin();
  if (options_.cluster.held_memory > 0) watch_credit();
  while (time_.step(options_.horizon)) {
  }
  over_ = true;
  fleet_.stop();
  traffic_.stop();
  heal();
  // What is held when the horizon comes has to drain, however long the hold: I5 asks for it.
  const auto& c = options_.cluster;
  nanos end = options_.horizon + std::max(options_.cooldown, std::max(c.hold, c.hold_longest) + minute);
  while (time_.step(end)) {
  }
  // Where credit is short, what gathered has to wait for its turn.
  for (int more = 0; c.held_memory > 0 && more < 120 && retains_flows(); ++more) {
    end += minute;
    while (time_.step(end)) {
    }
  }
  check_drained();
  std::vector<std::uint64_t> live;
  for (const auto& h : hosts_)
    if (h->agent_up()) live.push_back(h->incarnation());
  oracle_.finish(live, options_.horizon);
  fleet_.close_books();
  if (keep_ != nullptr) oracle_.tell_truth(nodes_.front()->clock());

  report r;
  r.scenario = options_.name;
  r.seed = seed_;
  r.answers = oracle_.result();
  const random luck = draw_.fork();
  r.baselines = judge_baselines(truth_, traffic_.records(), options_.baselines, luck);
  for (const auto& b : also_) r.also_judged.push_back(judge_baselines(truth_, traffic_.records(), b, luck));
  r.faults = faults_;
  r.faults += oracle_.seen();
  r.faults.add(fault::batch_repeated, r.answers.repeats);
  for (const auto& n : nodes_) n->add_faults(r.faults);
  for (const auto& h : hosts_)
    if (h->agent_up()) {
      r.flows_retained += h->counters().flows_retained;
      r.faults.add(fault::spare_took_over, h->counters().takeovers);
      r.faults.add(fault::agent_moved, h->counters().moves);
    }
  r.proved = oracle_.proved();
  r.errors = oracle_.errors();
  r.violations = oracle_.violations();
  r.violation_count = oracle_.violation_count();
  trace_.add(oracle_.digest());
  r.hash = trace_.value();
  r.virtual_seconds = static_cast<double>(end) / static_cast<double>(second);
  r.instance_seconds = fleet_.instance_seconds();
  for (const auto& h : hosts_) r.messages += h->messages();
  for (const auto& n : nodes_) r.messages += n->messages();
  r.frames = net_.frames();
  r.events = time_.steps();
  r.troubles = troubles_;
  r.attempts = traffic_.attempts();
  r.instances = truth_.size();
  return r;
}

/// The faults are over: whoever is down comes back, whatever is cut is mended.
void world::heal() {
  auto fine = options_.network;
  fine.loss = 0;
  fine.refused = 0;
  fine.unacknowledged = 0;
  options_.faults.slow = {};
  net_.set_conditions(fine);
  net_.unblock_all();
  for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i]->calm();
    nodes_[i]->pause(false);
    if (!nodes_[i]->up())
      start_node(i);
    else
      members_.here(i);
  }
  for (auto& h : hosts_) {
    h->calm();
    h->pause_guest(false);
    h->pause_agent(false);
    if (!h->agent_up()) start_agent(h->id());
  }
}

void world::watch_credit() {
  for (const auto& n : nodes_)
    if (n->up()) oracle_.check_held(n->counters().flows_held(), 2 * hosts_.size());
  time_.after(second, [this] { watch_credit(); });
}

bool world::retains_flows() const {
  return std::ranges::any_of(hosts_, [](const auto& h) { return h->counters().flows_retained > 0; });
}

/// I6: nothing is under way any more but what was seen in the last moments.
void world::check_drained() {
  for (const auto& h : hosts_) {
    const auto& c = h->counters();
    if (c.connects == 0)
      oracle_.complain("I6", "the agent of host " + std::to_string(h->id()) + " never reached a node");
    if (c.flows_dropped > 0) oracle_.complain("I7", "host " + std::to_string(h->id()) + " dropped flows");
  }
}

namespace {

/// Thousands of simulated processes have more to say than anybody wants to read.
class quiet_log {
 public:
  quiet_log() : level_(spdlog::get_level()) { spdlog::set_level(spdlog::level::off); }
  ~quiet_log() { spdlog::set_level(level_); }
  quiet_log(const quiet_log&) = delete;
  quiet_log& operator=(const quiet_log&) = delete;

 private:
  spdlog::level::level_enum level_;
};

}  // namespace

report run(const scenario& options, std::uint64_t seed, plants planted, std::vector<baseline_options> also,
           kept_history* keep) {
  const quiet_log quiet;
  return world(options, seed, std::move(planted), std::move(also), keep).run();
}

}  // namespace tenure::sim
