#pragma once

#include <functional>

#include "sim/world.hpp"

namespace tenure::sim {

/// Makes what the scenario's fault options ask for, each kind by a Poisson process of its own, until the
/// horizon.
class trouble_maker {
 public:
  explicit trouble_maker(world& w) : world_(w), draw_(w.draw_.fork()) {}
  void begin();

 private:
  void every(double per_hour, std::function<void()> make);
  nanos pause_length();
  /// Counts a pause that lasted.
  void paused_for(nanos length);
  /// After how many messages a crash comes; 0: at once.
  std::uint64_t steps_to_crash();
  void crash_agent();
  void agent_crashed(host& h);
  void upgrade_agent();
  void replace_agent(host& h);
  void crash_node();
  void node_crashed(std::uint32_t index);
  void partition();
  void partition_nodes();
  void leave_node();
  void clog();
  void fill_output();
  void break_output();
  void change_settings();
  void pause_agent();
  void pause_guest();
  void pause_node();
  host& any_host() { return *world_.hosts_[draw_.below(world_.hosts_.size())]; }
  node_machine& any_node() { return *world_.nodes_[draw_.below(world_.nodes_.size())]; }

  world& world_;
  random draw_;
  std::uint64_t settings_version_ = 0;
};

}  // namespace tenure::sim
