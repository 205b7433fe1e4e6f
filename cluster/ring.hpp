#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cluster {

/// A node as the ring sees it.
struct ring_member {
  std::string name;
  std::uint32_t weight = 1;  ///< its share, relative to the others'; 1 to ring::max_weight

  auto operator<=>(const ring_member&) const = default;
};

/// Which nodes hold which prefixes (IPv4 /24, IPv6 /64). The hash space is cut into points; for each point
/// every member draws numbers, as many as its weight, that depend on nothing but its name and the point. The
/// highest owns the point, the next best member is its successor, and so on. So each member's share is within
/// a few per cent of its weight's, and what moves when one joins or leaves is what it gets or had, and no
/// more. The same members give the same ring on every node, in whatever order they are named. Immutable.
class ring {
 public:
  static constexpr std::size_t points = 65'536;
  static constexpr std::size_t max_members = 1'024;
  static constexpr std::uint32_t max_weight = 64;

  /// A member's place in members().
  using index = std::uint16_t;

  /// @param replicas how many holders each point has, itself included, where there are so many members; at
  /// least 1
  /// @returns trouble::usage for no member or too many, a name that is empty or there twice, or a weight out
  /// of range.
  static outcome<ring> make(std::vector<ring_member> members, std::size_t replicas = 2);

  /// By name.
  const std::vector<ring_member>& members() const { return members_; }
  std::size_t replicas() const { return stride_; }

  /// The point that an address's prefix falls on.
  static std::size_t point_of(address a);
  /// The members that hold a point: its owner, then its successors. @pre point < points
  std::span<const index> holders(std::size_t point) const {
    return std::span<const index>(table_).subspan(point * stride_, stride_);
  }
  std::span<const index> holders(address a) const { return holders(point_of(a)); }
  index owner(address a) const { return table_[point_of(a) * stride_]; }

 private:
  ring(std::vector<ring_member> members, std::size_t stride);

  std::vector<ring_member> members_;
  std::size_t stride_;
  std::vector<index> table_;  // stride_ entries a point
};

}  // namespace tenure::cluster
