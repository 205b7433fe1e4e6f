#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/exporter.hpp"
#include "actors/settings_board.hpp"
#include "sim/machine_clock.hpp"
#include "sim/network.hpp"
#include "sim/process.hpp"
#include "sim/truth.hpp"

namespace tenure::sim {

/// What a host needs of the world around it.
struct surroundings {
  agenda& time;
  random& draw;
  trace_hash& trace;
  fault_counts& faults;
  network& net;
  sim::truth& truth;
  std::shared_ptr<actors::settings_board> wanted;  ///< of agents, by their nodes: "HEARTBEAT LINGER"
};

/// Hears what the kernel of a host was told; the fleet learns from it when a platform's call took effect.
class kernel_listener {
 public:
  virtual ~kernel_listener() = default;
  /// Sockets of the instance are stamped with this tenancy from now on.
  virtual void stamped(instance_id who, tenancy_id tenancy) = 0;
  /// Sockets of the instance are stamped with nothing from now on.
  virtual void unstamped(instance_id who) = 0;
};

/// What a host's agent is made with.
struct agent_options {
  actors::exporter_settings settings;  ///< name and incarnation are set for each start
  stalls slow;
  std::uint64_t incarnation = 0;  ///< 0: drawn
};

/// One simulated host: a clock, a kernel that knows addresses and stamps sockets, and an agent that may come
/// and go.
class host {
 public:
  host(surroundings& around, host_id id, nanos clock_reading, std::int64_t clock_ppm,
       kernel_listener& listener);
  ~host();

  host_id id() const { return id_; }
  machine_clock& clock() { return *clock_; }

  void start_agent(const agent_options& options);
  /// As by SIGKILL: what it had not yet been told of, or had retained, is gone.
  void crash_agent();
  bool agent_up() const { return agent_ != nullptr; }
  /// Of the running agent. @pre agent_up()
  const actors::agent_counters& counters() const;
  std::uint64_t incarnation() const;
  /// While paused the agent handles nothing: SIGSTOP.
  void pause_agent(bool on);
  /// From now on the agent's scheduler is not slowed down.
  void calm();
  /// The agent handles so many more messages, then nothing any more. @pre agent_up()
  void stop_agent_after(std::uint64_t messages, std::function<void()> then);
  /// The agent seals and sends all that it has: it is about to be replaced.
  void drain_agent();
  /// The whole guest stands still, its boot-time clock too.
  void pause_guest(bool on);
  bool guest_paused() const { return guest_paused_; }
  /// The card of a paused guest keeps what arrived, in order, until it runs again. @returns false when its
  /// ring is full. @pre guest_paused()
  bool keep(std::function<void()> arrival);

  /// A platform's request, whose answer shows in the kernel. Lost when no agent runs.
  void ask(agent::ipman_request request);
  /// rtnetlink: an instance's address left its interface.
  void withdrawn(const instance& who);
  /// The kernel saw a socket end. @returns false when no agent runs to hear of it.
  bool observed(agent::observed_flow flow);

  /// What a socket of this instance, made now, is stamped with.
  tenancy_id stamp(const instance& who, std::uint16_t port) const;

  std::uint64_t messages() const;

 private:
  struct running_agent;
  class kernel;
  void flush();

  surroundings& around_;
  host_id id_;
  std::shared_ptr<machine_clock> clock_;
  kernel_listener& listener_;
  std::map<agent::identity_key, tenancy_id> pinned_;
  std::unique_ptr<running_agent> agent_;
  std::vector<agent::observed_flow> ring_;   ///< seen by the kernel, not yet handed to the agent
  std::vector<std::function<void()>> kept_;  ///< what came while the guest was paused
  bool flush_set_ = false;
  bool guest_paused_ = false;
  std::uint64_t messages_ = 0;
};

/// "/sim/17/31" is the network namespace of instance 17, as instance 31 names it.
std::string netns_path(const instance& who);

}  // namespace tenure::sim
