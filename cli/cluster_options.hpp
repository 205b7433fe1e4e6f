#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cluster/etcd_client.hpp"
#include "cluster/membership.hpp"

namespace tenure::cli {

/// How a node is one of several. Without a member and without etcd it is alone.
struct cluster_options {
  std::vector<std::string> members;  ///< "NAME=ADDR:PORT", ourselves among them
  std::vector<std::string> etcd;
  cluster::etcd_tls etcd_tls;
  std::string name = "tenure";
  std::string listen = "127.0.0.1:4743";
  std::string address;  ///< where others find us; empty: where we listen
  std::uint32_t weight = 1;
  std::uint32_t replicas = 2;
  bool plain = false;

  bool several() const { return !members.empty() || !etcd.empty(); }
};

void add_cluster_options(command& c, cluster_options& o);

/// What can be said before anything is started. @param secured whether links to nodes carry certificates
outcome<void> check_cluster_options(const cluster_options& o, bool secured);

/// @param self our name @param port that we listen on for other nodes
outcome<std::unique_ptr<cluster::membership>> make_membership(const cluster_options& o,
                                                              const std::string& self,
                                                              std::uint64_t incarnation, std::uint16_t port);

}  // namespace tenure::cli
