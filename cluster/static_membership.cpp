#include <algorithm>
#include <utility>

#include "cluster/membership.hpp"

namespace tenure::cluster {

namespace {

class static_membership final : public membership {
 public:
  explicit static_membership(std::vector<member> members) : view_{1, std::move(members)} {}

  void start(membership_events events) override {
    if (events.changed) events.changed(view_);
  }
  outcome<void> leave() override {
    return fail(trouble::refused, "a list of nodes cannot be left: take this node out of the others' lists");
  }
  void stop() override {}

 private:
  const membership_view view_;
};

}  // namespace

outcome<ring> ring_of(const membership_view& view, std::size_t replicas) {
  std::vector<ring_member> members;
  for (const auto& m : view.members) members.push_back({m.name, m.weight});
  return ring::make(std::move(members), replicas);
}

outcome<std::unique_ptr<membership>> make_static_membership(std::vector<member> members) {
  std::sort(members.begin(), members.end());
  if (auto possible = ring_of({1, members}, 1); !possible) return tl::unexpected(possible.error());
  return std::make_unique<static_membership>(std::move(members));
}

}  // namespace tenure::cluster
