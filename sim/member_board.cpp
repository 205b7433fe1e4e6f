#include "sim/member_board.hpp"

namespace tenure::sim {

cluster::membership_view member_board::view() const {
  cluster::membership_view v{epoch_, {}};
  for (const auto i : members_)
    v.members.push_back({node_machine::address_of(i), node_machine::peer_address_of(i), 1, 0});
  return v;
}

void member_board::tell(std::uint32_t node) {
  if (nodes_[node]->up()) nodes_[node]->tell(view());
}

void member_board::here(std::uint32_t node) {
  if (options_.nodes < 2) return;
  if (!options_.leases) {
    epoch_ = 1;
    for (std::uint32_t i = 0; i < options_.nodes; ++i) members_.insert(i);
    tell(node);
    return;
  }
  signs_.resize(options_.nodes);
  ++signs_[node];
  set(node, true);
  tell(node);
}

void member_board::silent(std::uint32_t node) {
  if (options_.nodes < 2 || !options_.leases) return;
  const auto sign = ++signs_[node];
  around_.time.after(options_.lease, [this, node, sign] {
    if (signs_[node] == sign) set(node, false);
  });
}

void member_board::leave(std::uint32_t node) {
  ++signs_[node];
  set(node, false);
}

void member_board::set(std::uint32_t node, bool member) {
  if (members_.contains(node) == member) return;
  if (member)
    members_.insert(node);
  else
    members_.erase(node);
  ++epoch_;
  around_.faults.add(fault::ring_moved);
  for (std::uint32_t i = 0; i < options_.nodes; ++i)
    around_.time.after(1 + around_.draw.exponential(options_.view_delay), [this, i] { tell(i); });
}

}  // namespace tenure::sim
