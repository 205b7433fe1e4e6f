#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cluster/etcd_process.hpp"
#include "tests/process/hosts.hpp"
#include "tests/process/played_fleet.hpp"

namespace tenure::testing {

/// Addresses of many prefixes, so that every node holds some, which change hands all the time.
load::fleet_options scattered_fleet();
load::pace_options steady_pace();

struct cluster_wish {
  std::size_t nodes = 3;     ///< hosts for so many
  std::size_t at_first = 3;  ///< so many are started
  std::string hold = "900ms";
  load::fleet_options who = scattered_fleet();
  load::pace_options pace = steady_pace();
  std::vector<std::string> options;  ///< of every node; empty: nodes hear each other without certificates
  std::vector<std::vector<std::string>> own;  ///< further options of the i-th node
  transport::asio_options net;                ///< of the fleet
  std::string binary = tenure_binary();       ///< what all nodes are at first
};

/// Real nodes n0, n1 and so on, and a real etcd that says who is there, each on a host of its own, under load
/// from a fleet that knows the truth.
class loaded_cluster {
 public:
  /// Waits until all nodes see each other and all agents are welcome; fails the test when that takes too
  /// long.
  explicit loaded_cluster(const cluster_wish& wish = {});

  node_process& node(std::size_t i) const { return *nodes_[i]; }
  /// Starts this node for the first time.
  void add(std::size_t i);
  /// SIGTERM, and it has to end well within 20 s. The fleet plays on.
  void leave(std::size_t i);
  const hosts& machines() const { return machines_; }
  std::size_t etcd_host() const { return wish_.nodes; }
  played_fleet& fleet() { return *fleet_; }

  /// The nodes that this one tells of at /v1/cluster.
  nlohmann::json nodes_told_by(std::size_t i) const;
  /// How many nodes answer this one, itself included.
  std::size_t seen_by(std::size_t i) const;
  /// How many this node takes for members, itself included.
  std::size_t members_of(std::size_t i) const;
  /// Whether each of these was sent flows by another node.
  bool all_judge_for_others(const std::vector<std::size_t>& nodes) const;
  /// Plays on until each of the nodes that run sees all of them.
  bool complete(std::chrono::seconds bound = std::chrono::seconds{60});
  /// Plays on until every agent is welcome at its node.
  bool connected(std::chrono::seconds bound = std::chrono::seconds{60});
  /// No more flows; waits for every acknowledgement and ends all nodes. Fails the test if a flow is lost or
  /// another than who held its address is named.
  load::findings finish();

 private:
  std::vector<std::size_t> running() const;

  const cluster_wish wish_;
  const temporary_folder folder_;
  hosts machines_;
  cluster::etcd_process etcd_;
  std::vector<std::unique_ptr<node_process>> nodes_;
  std::unique_ptr<played_fleet> fleet_;
};

}  // namespace tenure::testing
