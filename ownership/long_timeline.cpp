#include "ownership/long_timeline.hpp"

#include <algorithm>
#include <vector>

namespace tenure {

long_timeline::long_timeline(const timeline& t) {
  struct entries {
    std::vector<stabbing_index::entry> sure;
    std::vector<stabbing_index::entry> said;
  };
  std::unordered_map<std::uint16_t, entries> by_port;
  for (std::uint32_t i = 0; i < t.size(); ++i) {
    const holding h = t.at(i);
    auto& of_this = by_port[h.port];
    of_this.sure.push_back({h.sure, i});
    of_this.said.push_back({h.said, i});
  }
  for (auto& [port, all] : by_port)
    by_port_.emplace(port, of_port{stabbing_index(std::move(all.sure)), stabbing_index(std::move(all.said))});
}

bool long_timeline::any_said(std::uint16_t port, const need& n) const {
  const bool meets = n.demand == need::demand::meet;
  bool any = false;
  for_ports(port, [&](const of_port& p) {
    p.said.visit(meets ? n.last : n.first, meets ? n.first : n.last, [&any](std::uint32_t) {
      any = true;
      return false;
    });
  });
  return any;
}

bool long_timeline::any_of(std::uint16_t port) const {
  bool any = false;
  for_ports(port, [&any](const of_port&) { any = true; });
  return any;
}

interval long_timeline::reach(std::uint16_t port) const {
  constexpr interval nothing{time_max, time_min};
  interval sure = nothing;
  interval said = nothing;
  const auto grow = [](interval& all, const stabbing_index& more) {
    if (more.empty()) return;
    all = {std::min(all.from, more.reach().from), std::max(all.until, more.reach().until)};
  };
  for_ports(port, [&](const of_port& p) {
    grow(sure, p.sure);
    grow(said, p.said);
  });
  return sure.empty() ? said : sure;
}

}  // namespace tenure
