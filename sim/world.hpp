#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sim/baselines.hpp"
#include "sim/fleet.hpp"
#include "sim/member_board.hpp"
#include "sim/node_machine.hpp"
#include "sim/oracle.hpp"
#include "sim/traffic.hpp"

namespace tenure::sim {

/// What a test may put in the place of the real thing, to see whether the oracle notices.
struct plants {
  judge_maker judge;
  stamp_rules stamps;
  bool one_incarnation = false;  ///< every start of every agent draws the same
  bool credit_ignored = false;   ///< nodes give credit for a gigabyte, whatever `cluster.held_memory` says
};

/// What a run came to.
struct report {
  std::string scenario;
  std::uint64_t seed = 0;
  tally answers;
  std::map<std::string, baseline_result> baselines;
  /// The baselines once more over the same history, for each further set of options that was asked for.
  std::vector<std::map<std::string, baseline_result>> also_judged;
  fault_counts faults;
  proved_share proved;
  measured_errors errors;
  std::vector<violation> violations;
  std::uint64_t violation_count = 0;
  std::uint64_t hash = 0;
  double virtual_seconds = 0;
  double instance_seconds = 0;
  double cpu_seconds = 0;  ///< what it took; filled in by whoever ran it
  std::uint64_t messages = 0;
  std::uint64_t frames = 0;
  std::uint64_t events = 0;
  std::uint64_t troubles = 0;  ///< faults that the trouble maker was to make, numbered from 1
  std::uint64_t attempts = 0;  ///< to connect, numbered from 1
  std::uint64_t instances = 0;
  std::uint64_t flows_retained = 0;  ///< by agents, in the end
};

/// One simulated fleet with its agents, nodes and network, from one seed.
class world {
 public:
  /// @param also further options of the baselines, judged over the same history
  /// @param keep what the run is remembered in, or null. @pre one node, then
  world(const scenario& options, std::uint64_t seed, plants planted = {},
        std::vector<baseline_options> also = {}, kept_history* keep = nullptr);
  ~world();

  /// Lives until the horizon and through the cooldown, then checks what only the end allows.
  report run();

 private:
  friend class trouble_maker;
  void build();
  void start_agent(host_id where);
  void start_node(std::uint32_t index);
  void heal();
  void watch_credit();
  bool retains_flows() const;
  void check_drained();

  scenario options_;
  std::uint64_t seed_;
  plants planted_;
  std::vector<baseline_options> also_;
  kept_history* keep_;
  random draw_;
  trace_hash trace_;
  fault_counts faults_;
  agenda time_;
  network net_;
  sim::truth truth_;
  surroundings around_;
  fleet fleet_;
  std::vector<std::unique_ptr<host>> hosts_;
  traffic traffic_;
  oracle oracle_;
  std::unique_ptr<kernel_listener> listener_;
  std::vector<std::unique_ptr<node_machine>> nodes_;
  member_board members_;
  std::uint64_t troubles_ = 0;  ///< that the scenario asked for, made or not
  bool over_ = false;           ///< the horizon has passed: no more faults
};

/// Runs a scenario once. Everything that happens follows from the scenario and the seed.
report run(const scenario& options, std::uint64_t seed, plants planted = {},
           std::vector<baseline_options> also = {}, kept_history* keep = nullptr);

}  // namespace tenure::sim
