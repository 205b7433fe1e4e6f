#include "sim/node_machine.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/protocol.hpp"
#include "sim/address_pool.hpp"

namespace tenure::sim {
namespace {

// As in production.
constexpr nanos await_limit = 9 * second;
constexpr nanos leave_limit = 9 * second;

}  // namespace

struct node_machine::running {
  running(node_machine& m, std::uint32_t index, const std::string& address)
      : run(m.around_.time, m.clock_, m.around_.draw.fork(), m.around_.trace, m.slow_),
        port(m.around_.net.connect(m.id_, run)),
        disk(m.watcher_.make_disk(m.output_)) {
    actors::node_settings settings;
    settings.name = address;
    settings.clock = m.id_ + 1;
    settings.agent_settings = m.around_.wanted;
    settings.hold.hold = m.options_.hold;
    settings.hold.longest = m.options_.hold_longest;
    settings.hold.when = m.options_.release_early ? actors::release::early : actors::release::full;
    if (m.options_.held_memory > 0) settings.held_bytes = m.options_.held_memory;
    settings.routable = address_pool::routable();
    settings.retention.horizon = m.options_.horizon;
    if (m.options_.nodes > 1) {
      settings.cluster.emplace();
      settings.cluster->incarnation = m.around_.draw.below(UINT64_MAX - 1) + 1;
      settings.cluster->replicas = m.options_.replicas;
      settings.cluster->warm_up = m.options_.warm_up;
    }
    if (m.options_.memory > 0) settings.retention.most_bytes = m.options_.memory;
    const auto part = settings.retention.most_bytes / settings.shards;
    settings.drift_ppm = m.options_.drift_ppm;
    const auto names = std::make_shared<std::shared_ptr<const workload_table>>();
    actors::node_world world;
    world.clock = m.clock_;
    world.out = disk;
    world.nodes = port;
    world.owners = [&m, names, part](const prefix_set& routable) {
      auto inner = m.judge_ ? m.judge_(routable) : std::make_shared<attributor>(routable, part);
      const std::size_t bound = m.judge_ ? SIZE_MAX : part;
      return m.watcher_.watch(routable, std::move(inner), bound, m.clock_, names, m.around_.draw.fork());
    };
    node = actors::start_node(run.system(), settings, std::move(world));
    *names = node.workloads;
    invariant(port->listen(address, node.accept).has_value(), "a simulated port can be listened on");
    if (node.accept_node)
      invariant(port->listen(peer_address_of(index), node.accept_node).has_value(), "likewise");
    run.run();
  }
  ~running() {
    run.pause();
    port->stop();
    disk->lose();
    caf::anon_send(node.root, actors::stop_atom_v);
    run.drain();
    node = {};
  }

  /// Asks the node for something that takes at most so long.
  template <class Atom>
  void ask(agenda& time, Atom what, nanos most, std::function<void(bool)> then) {
    run.system().spawn([&time, root = node.root, what, most, then](caf::event_based_actor* self) {
      self->request(root, std::chrono::nanoseconds{most + second}, what, most)
          .then([&time, then](bool ok) { time.after(1, [then, ok] { then(ok); }); },
                [&time, then](caf::error&) { time.after(1, [then] { then(false); }); });
    });
    run.run();
  }

  void add_faults(fault_counts& sum) const;

  process run;
  std::shared_ptr<network::port> port;
  std::shared_ptr<simulated_disk> disk;
  actors::node node;
};

node_machine::node_machine(surroundings& around, oracle& watcher, machine_id id, nanos clock_reading,
                           std::int64_t clock_ppm, const cluster_options& options, stalls slow,
                           judge_maker judge)
    : around_(around),
      watcher_(watcher),
      id_(id),
      clock_(std::make_shared<machine_clock>(around.time, clock_reading, clock_ppm)),
      options_(options),
      slow_(slow),
      judge_(std::move(judge)) {}

node_machine::~node_machine() = default;

void node_machine::start(std::uint32_t index) {
  ++starts_;
  running_ = std::make_unique<running>(*this, index, address_of(index));
}

void node_machine::tell(const cluster::membership_view& v) {
  running_->node.desk->view(v);
  running_->run.run();
}

void node_machine::leave(std::function<void()> off_ring, std::function<void(bool)> done) {
  const auto still = [this, run = starts_] { return up() && starts_ == run; };
  running_->ask(around_.time, actors::await_atom_v, await_limit, [this, still, off_ring, done](bool) {
    if (!still()) return;
    off_ring();
    running_->ask(around_.time, actors::leave_atom_v, leave_limit, [still, done](bool others) {
      if (still()) done(others);
    });
  });
}

void node_machine::crash() {
  if (!running_) return;
  messages_ += running_->run.messages();
  running_->add_faults(met_);
  running_.reset();
}

void node_machine::running::add_faults(fault_counts& sum) const {
  const auto& c = *node.counters;
  sum.add(fault::output_waited_for, c.sink_fillings);
  sum.add(fault::tenancy_forgotten, c.tenancies_forgotten);
  sum.add(fault::memory_short, c.evidence_no_room);
  sum.add(fault::lot_sent_again, c.lots_sent_again);
  sum.add(fault::lot_repeated, c.lots_repeated);
  sum.add(fault::flow_rerouted, c.flows_rerouted);
  sum.add(fault::evidence_undelivered, c.evidence_undelivered);
  sum.add(fault::timeline_handed_over, c.timelines_received);
  sum.add(fault::timeline_left_out, c.timelines_refused);
  sum.add(fault::hand_over_abandoned, c.hand_overs_abandoned);
}

void node_machine::add_faults(fault_counts& sum) const {
  sum += met_;
  if (running_) running_->add_faults(sum);
}

void node_machine::pause(bool on) {
  if (!running_) return;
  if (on)
    running_->run.pause();
  else
    running_->run.resume();
}

void node_machine::fill_output(nanos length) {
  output_->full_until = std::max(output_->full_until, around_.time.now() + length);
}

void node_machine::break_output(nanos length) {
  output_->down_until = std::max(output_->down_until, around_.time.now() + length);
}

void node_machine::calm() {
  slow_ = {};
  *output_ = {};
  if (running_) running_->run.calm();
}

void node_machine::stop_after(std::uint64_t messages, std::function<void()> then) {
  running_->run.stop_after(messages, std::move(then));
}

const actors::node_counters& node_machine::counters() const {
  return *running_->node.counters;
}

std::uint64_t node_machine::messages() const {
  return messages_ + (running_ ? running_->run.messages() : 0);
}

}  // namespace tenure::sim
