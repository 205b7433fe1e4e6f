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
  nanos pause_length() { return 1 + draw_.exponential(world_.options_.faults.pause_mean); }
  void crash_agent();
  void crash_node();
  void partition();
  void clog();
  void pause_agent();
  void pause_guest();
  void pause_node();
  host& any_host() { return *world_.hosts_[draw_.below(world_.hosts_.size())]; }
  node_machine& any_node() { return *world_.nodes_[draw_.below(world_.nodes_.size())]; }

  world& world_;
  random draw_;
};

}  // namespace tenure::sim
