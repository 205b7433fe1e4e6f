#pragma once

#include <memory>
#include <vector>

#include "sim/address_pool.hpp"
#include "sim/host.hpp"
#include "sim/options.hpp"

namespace tenure::sim {

/// Hears of the instances that may open sockets, and of those that must stop.
class tenant_listener {
 public:
  virtual ~tenant_listener() = default;
  /// `set` has returned: it may open its first socket.
  virtual void ready(instance_id who) = 0;
  /// It is being shut down: its sockets are closed in good order, at once.
  virtual void closing(instance_id who) = 0;
  /// It and its network namespace are gone, without a word to anybody.
  virtual void killed(instance_id who) = 0;
};

/// The workloads' instances: they come, are announced by their platform, live, and end in one way or another,
/// while others take over their addresses.
class fleet final : public kernel_listener {
 public:
  fleet(surroundings& around, const fleet_options& options);
  /// @pre before begin()
  void attach(tenant_listener& listener, std::vector<std::unique_ptr<host>>& hosts);

  void begin();
  /// Nothing comes or goes any more.
  void stop() { stopped_ = true; }

  /// The agent of this host has just started: its platform announces again what lives there.
  void announce_all(host_id where);
  /// All instances of this host are gone at once.
  void lose_host(host_id where);
  /// A quarter of one workload's instances is swapped at once.
  void deploy();
  void restart_allocator();

  /// May open sockets.
  bool usable(instance_id who) const { return states_[who].phase == phase::ready; }
  /// The usable instances of a workload.
  const std::vector<instance_id>& usable_of(std::uint32_t workload) const { return usable_[workload]; }
  std::uint32_t workloads() const { return options_.workloads; }
  /// An instance of the workload that ended at `since` or later, drawn; no_instance when there is none.
  instance_id recently_gone(std::uint32_t workload, nanos since, random& draw) const;
  double instance_seconds() const { return instance_seconds_; }
  /// Counts the time of those that still live. @pre called once, at the end
  void close_books();

  void stamped(instance_id who, tenancy_id tenancy) override;
  void unstamped(instance_id who) override;

 private:
  enum class phase : std::uint8_t { announced, ready, closing, replaced, dying, gone };
  struct state {
    fleet::phase phase = phase::announced;
    tenancy_id tenancy;                   ///< the last that it was stamped with
    instance_id successor = no_instance;  ///< that is to take its place, its address and its namespace
    instance_id predecessor = no_instance;
  };

  void spawn(std::uint32_t workload);
  /// One more instance of this workload, there.
  void place(std::uint32_t workload, host_id where, address a);
  void announce(instance_id who);
  void end(instance_id who);
  void kill(instance_id who);
  void replace_in_place(instance_id who);
  void take_over(instance_id who);
  void forget_successor(instance_id who);
  void left(instance_id who);
  void say_del_again(instance_id who, fault as);
  void shut_down(instance_id who);
  void withdraw(instance_id who, int tries);
  void release(instance_id who);
  void forget_usable(instance_id who);
  agent::ipman_request request(instance_id who, agent::ipman_request::action verb) const;
  host& host_of(instance_id who) { return *(*hosts_)[around_.truth.of(who).host]; }

  surroundings& around_;
  fleet_options options_;
  random draw_;
  address_pool pool_;
  tenant_listener* listener_ = nullptr;
  std::vector<std::unique_ptr<host>>* hosts_ = nullptr;
  std::vector<state> states_;
  std::vector<std::vector<instance_id>> usable_;
  std::vector<std::vector<instance_id>> gone_;  ///< of each workload, the latest last; not all
  nanos gap_off_until_ = time_min;
  bool stopped_ = false;
  double instance_seconds_ = 0;
};

}  // namespace tenure::sim
