#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "sim/node_machine.hpp"

namespace tenure::sim {

/// Who is in the simulated cluster, and when its nodes hear of it: each after a delay of its own, so that for
/// a while they see different rings. With a list in the place of leases, all nodes are members for ever.
class member_board {
 public:
  member_board(surroundings& around, const cluster_options& options,
               std::vector<std::unique_ptr<node_machine>>& nodes)
      : around_(around), options_(options), nodes_(nodes) {}

  /// This node started, or runs on after a pause: it registers, and reads who is there.
  void here(std::uint32_t node);
  /// It went silent: it is no member when its lease is over, unless it is there again by then.
  void silent(std::uint32_t node);
  /// It says that it leaves.
  void leave(std::uint32_t node);

 private:
  void set(std::uint32_t node, bool member);
  void tell(std::uint32_t node);
  cluster::membership_view view() const;

  surroundings& around_;
  const cluster_options& options_;
  std::vector<std::unique_ptr<node_machine>>& nodes_;
  std::set<std::uint32_t> members_;
  std::vector<std::uint64_t> signs_;  ///< of life, by node
  std::uint64_t epoch_ = 0;
};

}  // namespace tenure::sim
