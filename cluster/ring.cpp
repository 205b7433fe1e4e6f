#include "cluster/ring.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tenure::cluster {

namespace {

/// Part of the ring's meaning: nodes that hash otherwise disagree about who holds what.
constexpr std::uint64_t prefix_seed = 0x7265'6e75'7265'0001ULL;
constexpr std::uint64_t draw_seed = 0x7265'6e75'7265'0002ULL;
constexpr std::uint64_t max_draws = ring::max_weight;  // a point

/// One member's best draw for a point. Integers only: every machine draws the same.
std::uint64_t bid(std::uint64_t name, std::uint32_t weight, std::size_t point) {
  std::uint64_t best = 0;
  for (std::uint32_t i = 0; i < weight; ++i) {
    // The finalizer of splitmix64 over what has been spread already: good bits for a few cycles.
    std::uint64_t x = name + (point * max_draws + i) * 0x9e37'79b9'7f4a'7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d0'49bb'1331'11ebULL;
    best = std::max(best, x ^ (x >> 31));
  }
  return best;
}

outcome<void> check(const std::vector<ring_member>& sorted, std::size_t replicas) {
  if (sorted.empty()) return fail(trouble::usage, "a cluster has at least one node");
  if (sorted.size() > ring::max_members)
    return fail(trouble::usage, "a cluster has at most " + std::to_string(ring::max_members) + " nodes");
  if (replicas < 1) return fail(trouble::usage, "at least one node holds what there is: replicas begin at 1");
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& m = sorted[i];
    if (m.name.empty()) return fail(trouble::usage, "a node without a name");
    if (i > 0 && sorted[i - 1].name == m.name)
      return fail(trouble::usage, "two nodes of the name '" + m.name + "'");
    if (m.weight < 1 || m.weight > ring::max_weight)
      return fail(trouble::usage,
                  "node '" + m.name + "': a weight is 1 to " + std::to_string(ring::max_weight));
  }
  return {};
}

}  // namespace

outcome<ring> ring::make(std::vector<ring_member> members, std::size_t replicas) {
  std::sort(members.begin(), members.end());
  if (auto good = check(members, replicas); !good) return tl::unexpected(good.error());
  const auto stride = std::min(replicas, members.size());
  return ring(std::move(members), stride);
}

ring::ring(std::vector<ring_member> members, std::size_t stride)
    : members_(std::move(members)), stride_(stride), table_(points * stride) {
  std::vector<std::uint64_t> names;
  for (const auto& m : members_)
    names.push_back(XXH3_64bits_withSeed(m.name.data(), m.name.size(), draw_seed));
  std::vector<std::pair<std::uint64_t, index>> bids(members_.size());
  for (std::size_t point = 0; point < points; ++point) {
    for (std::size_t i = 0; i < members_.size(); ++i)
      bids[i] = {bid(names[i], members_[i].weight, point), static_cast<index>(i)};
    const auto best = bids.begin() + static_cast<std::ptrdiff_t>(stride_);
    std::partial_sort(bids.begin(), best, bids.end(), std::greater<>{});
    for (std::size_t i = 0; i < stride_; ++i) table_[point * stride_ + i] = bids[i].second;
  }
}

std::size_t ring::point_of(address a) {
  const std::array<std::uint64_t, 2> prefix{a.high(), a.is_v4() ? a.low() >> 8 : 0};
  return XXH3_64bits_withSeed(prefix.data(), sizeof prefix, prefix_seed) >> 48;
}

}  // namespace tenure::cluster
