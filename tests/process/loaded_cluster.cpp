#include "tests/process/loaded_cluster.hpp"

#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>

namespace tenure::testing {
namespace {

using std::chrono::seconds;

constexpr const char* peer_port = ":4743";

}  // namespace

load::fleet_options scattered_fleet() {
  load::fleet_options o;
  o.agents = 12;
  o.addresses = 4'096;
  o.workloads = 40;
  o.lifetime = 4 * second;
  o.longest_flow = second / 4;
  o.linger = second / 10;
  return o;
}

load::pace_options steady_pace() {
  load::pace_options p;
  p.spares = true;
  p.flows_a_second = 3'000;
  p.flows_a_batch = 50;
  p.heartbeat = 500 * millisecond;
  p.repeat = 6 * second;
  return p;
}

loaded_cluster::loaded_cluster(const cluster_wish& wish)
    : wish_(wish),
      machines_(wish.nodes + 1),
      etcd_(hosts::address(etcd_host()), machines_.on(etcd_host())),
      nodes_(wish.nodes) {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < wish.at_first; ++i) {
    add(i);
    addresses.push_back(nodes_[i]->address());
  }
  fleet_ = std::make_unique<played_fleet>(addresses, wish.who, wish.pace, wish.net);
  EXPECT_TRUE(complete());
  EXPECT_TRUE(connected());
}

void loaded_cluster::add(std::size_t i) {
  std::vector<std::string> options{"--hold",        wish_.hold,
                                   "--etcd",        etcd_.endpoint(),
                                   "--node-name",   "n" + std::to_string(i),
                                   "--peer-listen", hosts::address(i) + peer_port};
  if (wish_.options.empty()) options.emplace_back("--plain-peers");
  options.insert(options.end(), wish_.options.begin(), wish_.options.end());
  if (i < wish_.own.size()) options.insert(options.end(), wish_.own[i].begin(), wish_.own[i].end());
  nodes_[i] = std::make_unique<node_process>(folder_ / ("out" + std::to_string(i) + ".ndjson"), options,
                                             machines_.on(i), hosts::address(i), wish_.binary);
}

void loaded_cluster::leave(std::size_t i) {
  auto& leaver = nodes_[i]->process();
  leaver.signal(SIGTERM);
  int code = -1;
  EXPECT_TRUE(fleet_->play_until([&] { return (code = leaver.wait(seconds{0})) >= 0; }, seconds{20}));
  EXPECT_EQ(code, 0) << leaver.err();
}

nlohmann::json loaded_cluster::nodes_told_by(std::size_t i) const {
  const auto text = nodes_[i]->get("/v1/cluster");
  return text.empty() ? nlohmann::json::array() : nlohmann::json::parse(text).at("nodes");
}

std::size_t loaded_cluster::seen_by(std::size_t i) const {
  std::size_t seen = 0;
  for (const auto& n : nodes_told_by(i)) seen += n.at("standing") == "away" ? 0 : 1;
  return seen;
}

std::size_t loaded_cluster::members_of(std::size_t i) const {
  std::size_t members = 0;
  for (const auto& n : nodes_told_by(i)) members += n.at("member") == true ? 1 : 0;
  return members;
}

bool loaded_cluster::all_judge_for_others(const std::vector<std::size_t>& nodes) const {
  return std::all_of(nodes.begin(), nodes.end(), [&](std::size_t i) {
    return nodes_[i]->metric_now("tenure_node_flows_from_nodes_total") > 0;
  });
}

std::vector<std::size_t> loaded_cluster::running() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i] && nodes_[i]->process().id() > 0) all.push_back(i);
  return all;
}

bool loaded_cluster::complete(seconds bound) {
  const auto all = running();
  return fleet_->play_until(
      [&] {
        return std::all_of(all.begin(), all.end(), [&](std::size_t i) { return seen_by(i) == all.size(); });
      },
      bound);
}

bool loaded_cluster::connected(seconds bound) {
  return fleet_->play_until([&] { return fleet_->fleet().connected(); }, bound);
}

load::findings loaded_cluster::finish() {
  EXPECT_TRUE(fleet_->settle());
  std::vector<std::string> outputs;
  for (const auto& n : nodes_)
    if (n) outputs.push_back(n->output());
  const auto running = this->running();
  for (const auto i : running) nodes_[i]->process().signal(SIGTERM);
  for (const auto i : running)
    EXPECT_EQ(nodes_[i]->process().wait(seconds{90}), 0) << nodes_[i]->process().err();
  auto found = fleet_->judge(outputs);
  expect_all_there_and_right(found);
  EXPECT_EQ(found.flows, fleet_->fleet().counters().flows_sealed);
  return found;
}

}  // namespace tenure::testing
