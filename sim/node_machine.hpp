#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/node.hpp"
#include "sim/host.hpp"
#include "sim/options.hpp"
#include "sim/oracle.hpp"

namespace tenure::sim {

/// What stands in the place of a shard's judge; empty: the attributor of production.
using judge_maker = std::function<std::shared_ptr<attributor>(const prefix_set& routable)>;

/// A machine that a node runs on. The node may crash and come back; the machine's clock runs on.
class node_machine {
 public:
  node_machine(surroundings& around, oracle& watcher, machine_id id, nanos clock_reading,
               std::int64_t clock_ppm, const cluster_options& options, stalls slow, judge_maker judge);
  ~node_machine();

  static std::string address_of(std::uint32_t index) { return "node-" + std::to_string(index) + ":4740"; }

  /// Where other nodes find it; what agents dial is its name too.
  static std::string peer_address_of(std::uint32_t index) {
    return "node-" + std::to_string(index) + ":4743";
  }

  void start(std::uint32_t index);
  /// It hears who is in the cluster. @pre up(), and there are several nodes
  void tell(const cluster::membership_view& v);
  /// As by SIGTERM: it waits for others that could take over, `off_ring` takes it out of the members, and it
  /// hands over what it has. @param done whether there was anybody to take over; it is to end then. Neither
  /// is called when it crashes before. @pre up()
  void leave(std::function<void()> off_ring, std::function<void(bool)> done);
  /// As by SIGKILL: timelines, held flows and sessions are gone.
  void crash();
  bool up() const { return running_ != nullptr; }
  void pause(bool on);
  /// Its output has no room for so long, or is down: the node is up, or comes back, meanwhile.
  void fill_output(nanos length);
  void break_output(nanos length);
  void calm();
  /// The node handles so many more messages, then nothing any more. @pre up()
  void stop_after(std::uint64_t messages, std::function<void()> then);
  machine_id id() const { return id_; }
  machine_clock& clock() { return *clock_; }
  /// @pre up()
  const actors::node_counters& counters() const;
  /// What its runs up to now met with, the one that is under way included.
  void add_faults(fault_counts& sum) const;
  std::uint64_t messages() const;

 private:
  struct running;

  surroundings& around_;
  oracle& watcher_;
  machine_id id_;
  std::shared_ptr<machine_clock> clock_;
  cluster_options options_;
  stalls slow_;
  judge_maker judge_;
  std::shared_ptr<output_trouble> output_ = std::make_shared<output_trouble>();
  std::unique_ptr<running> running_;
  std::uint64_t messages_ = 0;
  std::uint64_t starts_ = 0;
  fault_counts met_;  ///< by runs that are over
};

}  // namespace tenure::sim
