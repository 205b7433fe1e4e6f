#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "ownership/leading.hpp"
#include "ownership/need.hpp"
#include "ownership/reach_index.hpp"
#include "ownership/timeline.hpp"

namespace tenure {

/// An index beside a timeline of many tenancies, so that a question does not cost as much as there are of
/// them, nor as many as qualify.
class long_timeline {
 public:
  explicit long_timeline(const timeline& t);

  /// A tenancy that is new, or whose hull has grown.
  void add(const timeline_cell& c);

  /// The same as of `timeline`, in O(log² n). @param looked to which is added how many steps were looked at
  leading sure(std::uint16_t port, const need& n, std::size_t& looked) const;
  bool any_said(std::uint16_t port, const need& n, std::size_t& looked) const;
  bool any_of(std::uint16_t port) const;
  interval reach(std::uint16_t port) const;

  /// What it takes, about.
  std::size_t bytes() const { return bytes_; }

 private:
  struct of_port {
    reach_index<leading> sure;
    reach_index<furthest> said;

    std::size_t bytes() const;
  };

  // Of the port itself, and of the whole address.
  template <class Visit>
  void for_ports(std::uint16_t port, Visit&& visit) const {
    if (const auto whole = by_port_.find(0); whole != by_port_.end()) visit(whole->second);
    if (port == 0) return;
    if (const auto own = by_port_.find(port); own != by_port_.end()) visit(own->second);
  }

  std::unordered_map<std::uint16_t, of_port> by_port_;
  std::size_t bytes_ = 0;
};

}  // namespace tenure
