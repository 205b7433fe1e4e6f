#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/agent_counters.hpp"
#include "agent/bpf_flow_source.hpp"
#include "agent/flow_source.hpp"
#include "cli/command_line.hpp"
#include "cli/real_clocks.hpp"
#include "transport/transport.hpp"

namespace tenure::cli {

/// The options of `agent`, which `up` has too. Initial values are the defaults.
struct agent_options {
  std::string ipman_socket = "/run/tenure/ipman.sock";
  std::string pin = "/sys/fs/bpf/tenure";
  std::string identity;
  std::vector<std::string> netns;
  bool cgroups = false;
  std::vector<std::string> cgroup_rules;
  std::vector<prefix> container_cidrs;
  std::vector<std::string> container_runtimes;  ///< empty: the usual ones
  std::string agent_name;
  std::chrono::nanoseconds heartbeat = std::chrono::seconds{10};
  std::chrono::nanoseconds linger = std::chrono::seconds{1};
  std::chrono::nanoseconds repeat = std::chrono::minutes{6};
  std::chrono::nanoseconds transit = std::chrono::milliseconds{200};
  std::chrono::nanoseconds active_timeout = std::chrono::minutes{1};
  std::vector<prefix> leave_out;
  std::uint32_t sample = 1;
  bool dialled = false;
  bool udp = false;
  std::chrono::nanoseconds idle_timeout = std::chrono::seconds{15};
  bool leave_programs = false;
  std::string record;
  std::string replay;
  std::string spool;  ///< empty: none
  std::uint32_t spool_mib = 256;
  std::chrono::nanoseconds stop_timeout = std::chrono::seconds{5};
  bool udp_in_the_clear = false;   ///< only `agent` has an option for it
  std::vector<std::string> nodes;  ///< only `agent` has an option for it
};

void add_agent_options(command& c, agent_options& o);

/// What they say about the kernel's side.
agent::bpf_options kernel_options(const agent_options& o);

/// An agent with its actor system, kernel programs and ipman socket.
class agent_service {
 public:
  static outcome<std::unique_ptr<agent_service>> start(const agent_options& o,
                                                       std::shared_ptr<real_clocks> clock,
                                                       std::shared_ptr<transport::transport> net);
  virtual ~agent_service() = default;

  /// Takes on `netns`, `leave_out`, `sample`, `heartbeat`, `linger` and `active_timeout`; a failure (nothing
  /// is changed) when one of them cannot be. The other options are those of the start.
  virtual outcome<void> reconfigure(const agent_options& o) = 0;
  virtual const actors::agent_counters& counters() const = 0;
  virtual agent::source_counters source() const = 0;
  /// No new flows; sends what there is and a last heartbeat, and waits until the node knows it, no longer
  /// than the stop timeout. @returns whether it does.
  virtual bool tell() = 0;
  /// Sends what there is, and waits for the acknowledgements, no longer than the stop timeout. @returns
  /// whether all came.
  virtual bool drain() = 0;
  /// Stops the actors. @pre the transport is stopped
  virtual void stop() = 0;
};

/// One line about what an agent did: for the end of a run.
std::string summary(const actors::agent_counters& c, const agent::source_counters& source);

}  // namespace tenure::cli
