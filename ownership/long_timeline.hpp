#pragma once

#include <cstdint>
#include <unordered_map>

#include "ownership/need.hpp"
#include "ownership/stabbing_index.hpp"
#include "ownership/timeline.hpp"

namespace tenure {

/// An index over a timeline of many tenancies, so that a question does not cost as much as there are of them.
/// As good as the timeline was when it was made.
class long_timeline {
 public:
  explicit long_timeline(const timeline& t);

  template <class Visit>
  void each_sure(std::uint16_t port, const need& n, Visit&& visit) const {
    const bool meets = n.demand == need::demand::meet;
    for_ports(port, [&](const of_port& p) {
      p.sure.visit(meets ? n.last : n.first, meets ? n.first : n.last,
                   [&](std::uint32_t index) { return visit(index); });
    });
  }
  bool any_said(std::uint16_t port, const need& n) const;
  bool any_of(std::uint16_t port) const;
  interval reach(std::uint16_t port) const;

 private:
  struct of_port {
    stabbing_index sure;
    stabbing_index said;
  };

  // Of the port itself, and of the whole address.
  template <class Visit>
  void for_ports(std::uint16_t port, Visit&& visit) const {
    if (const auto whole = by_port_.find(0); whole != by_port_.end()) visit(whole->second);
    if (port == 0) return;
    if (const auto own = by_port_.find(port); own != by_port_.end()) visit(own->second);
  }

  std::unordered_map<std::uint16_t, of_port> by_port_;
};

}  // namespace tenure
