#include "ownership/long_timeline.hpp"

#include <algorithm>

namespace tenure {

std::size_t long_timeline::of_port::bytes() const {
  return sizeof(of_port) + sure.bytes() + said.bytes();
}

long_timeline::long_timeline(const timeline& t) {
  for (std::uint32_t i = 0; i < t.size(); ++i) add(t.cell(i));
}

void long_timeline::add(const timeline_cell& c) {
  const auto [place, fresh] = by_port_.try_emplace(c.port);
  of_port& p = place->second;
  const std::size_t before = fresh ? 0 : p.bytes();
  if (!c.sure.empty()) p.sure.add(c.sure.from, {c.sure.until, c.tenancy, c.workload});
  if (!c.said.empty()) p.said.add(c.said.from, {c.said.until});
  bytes_ += p.bytes() - before;
}

leading long_timeline::sure(std::uint16_t port, const need& n, std::size_t& looked) const {
  leading all;
  for_ports(port, [&](const of_port& p) { all.add(p.sure.begun_by(n.begins_by(), looked)); });
  if (all.until <= n.ends_after()) return {};
  if (all.other_until <= n.ends_after()) all.other = workload_id::none;
  return all;
}

bool long_timeline::any_said(std::uint16_t port, const need& n, std::size_t& looked) const {
  bool any = false;
  for_ports(port, [&](const of_port& p) {
    any = any || p.said.begun_by(n.begins_by(), looked).until > n.ends_after();
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
  const auto grow = [](interval& all, const auto& more) {
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
