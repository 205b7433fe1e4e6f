#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>

#include "actors/node.hpp"
#include "cli/allow_option.hpp"
#include "cli/cluster_options.hpp"
#include "cli/command_line.hpp"
#include "cli/real_clocks.hpp"
#include "transport/transport.hpp"

namespace tenure::cli {

/// The options of `node`, which `up` has too. Initial values are the defaults.
struct node_options {
  std::string listen = "127.0.0.1:4740";
  std::vector<std::string> listen_also;
  bool udp_in_the_clear = false;
  std::string agent_settings;  ///< a file; empty: none
  std::vector<std::uint32_t> local_users;
  std::vector<std::uint32_t> local_groups;
  std::string output = "-";
  std::chrono::nanoseconds hold = std::chrono::minutes{1};
  std::chrono::nanoseconds hold_max{0};
  std::string release = "full";
  byte_count hold_ready;
  std::chrono::nanoseconds horizon = std::chrono::hours{24};
  byte_count held_memory;  ///< 0: a quarter of this machine's
  byte_count timeline_memory{std::uint64_t{4} << 30};
  std::vector<prefix> routable;
  std::vector<actors::allow_rule> allow;
  std::uint32_t agent_tenancies = 200'000;
  std::uint32_t agent_workloads = 20'000;
  std::string region = "local";
  std::string node_name;
  std::uint32_t shards = 2;
  std::uint32_t threads = 0;  ///< of the actors; 0: as many as make sense here
  std::uint32_t drift_ppm = 200;
};

void add_node_options(command& c, node_options& o);

/// Where agents reach a node that listens there, as an address to dial and to say.
std::string reached_at(const std::string& listen, std::uint16_t port);

/// What a node needs to be one of several.
struct cluster_part {
  cluster_options options;
  std::shared_ptr<transport::transport> net;  ///< to other nodes and from them
};

/// A node with its actor system, listening.
class node_service {
 public:
  /// @param cluster nothing: the node is alone
  /// @param failed is called once, from any thread, when the node cannot go on.
  static outcome<std::unique_ptr<node_service>> start(const node_options& o,
                                                      std::shared_ptr<real_clocks> clock,
                                                      std::shared_ptr<transport::transport> net,
                                                      const std::optional<cluster_part>& cluster,
                                                      std::function<void()> failed);
  virtual ~node_service() = default;

  /// Reads the file of --agent-settings again. What cannot be used changes nothing, and is said in the log.
  virtual void read_agent_settings() = 0;
  virtual std::uint16_t port() const = 0;
  virtual const actors::node_counters& counters() const = 0;
  virtual actors::ledger_book::reading ledger() const = 0;
  virtual const actors::shared_budget& budget() const = 0;
  virtual const actors::shared_budget& seen() const = 0;
  /// Resolves and writes what is held, and holds nothing from now on. @returns whether all of it is durable.
  virtual bool drain() = 0;
  /// Leaves the cluster, within 18 s: waits for others that could take over, then hands over what it has.
  /// They judge what is held here, as those who sent it have it still; what is resolved already becomes
  /// durable.
  /// @returns false when there are no others
  virtual bool leave() = 0;
  /// Nothing when the node is alone.
  virtual std::optional<actors::cluster_desk::reading> cluster() const = 0;
  /// Stops the actors. @pre the transports are stopped
  virtual void stop() = 0;
};

/// One line about what a node did: for the end of a run.
std::string summary(const actors::node_counters& c);

}  // namespace tenure::cli
