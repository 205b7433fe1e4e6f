#include "actors/hand_over.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "actors/peer_lots.hpp"

namespace tenure::actors {
namespace {

using cluster::placement;
using cluster::standing;

bool holds(const placement& p, std::size_t point, placement::number who) {
  const auto holders = p.points().holders(point);
  return std::any_of(holders.begin(), holders.end(), [&](auto i) { return p.numbers()[i] == who; });
}

/// As this node sees it now. It is there for itself, also when it is no member any more.
standing standing_of(const placement& p, placement::number who) {
  const auto at = std::find(p.numbers().begin(), p.numbers().end(), who);
  if (at == p.numbers().end()) return who == 0 ? standing::warm : standing::away;
  return p.standings()[static_cast<std::size_t>(at - p.numbers().begin())];
}

/// Who is to send this point: the best of those who held it before.
std::optional<placement::number> sender_of(const placement& now, const placement* before, std::size_t point,
                                           placement::number to) {
  std::optional<placement::number> best;
  auto best_standing = standing::away;
  const auto consider = [&](const placement& p, std::size_t at) {
    for (const auto i : p.points().holders(at)) {
      const auto who = p.numbers()[i];
      if (who == to || (before != nullptr && !holds(*before, at, who))) continue;
      if (const auto s = standing_of(now, who); s > best_standing) {
        best = who;
        best_standing = s;
      }
    }
  };
  consider(now, point);
  if (before != nullptr) consider(*before, point);
  return best;
}

bool same_ring(const placement* a, const placement* b) {
  return a != nullptr && b != nullptr && &a->points() == &b->points();
}

}  // namespace

moving_points points_to_hand_over(const placement& now, const placement* before, const placement* given,
                                  placement::number to) {
  moving_points out;
  for (std::size_t point = 0; point < cluster::ring::points; ++point) {
    if (!holds(now, point, to) || (given != nullptr && holds(*given, point, to))) continue;
    if (sender_of(now, before, point, to) != placement::number{0}) continue;
    if (out.empty()) out.resize(cluster::ring::points);
    out[point] = true;
  }
  return out;
}

timeline_walk::timeline_walk(const timelines& known, const moving_points& points)
    : addresses_(points.empty() ? std::vector<address>{} : known.addresses_where([&](address a) {
        return points[cluster::ring::point_of(a)];
      })) {}

std::vector<evidence> timeline_walk::next(const timelines& known) {
  std::vector<evidence> out;
  for (std::size_t looked = 0; looked < most_addresses && out.size() < most_evidence && !over(); ++looked) {
    const address a = addresses_[at_++];
    // What is sure is a statement like any other: held throughout, from here to there. What was said beyond
    // it stays here: the errors that were taken off it were those of another clock's stamps.
    for (const auto& h : known.holdings(a))
      if (!h.sure.empty())
        out.push_back({{a, h.port}, h.tenancy, h.workload, h.sure.from, h.sure.until, 0, 0});
  }
  std::stable_sort(out.begin(), out.end(), [](const evidence& a, const evidence& b) {
    return a.tenancy.incarnation < b.tenancy.incarnation;
  });
  return out;
}

std::shared_ptr<const moving_request> hand_over::look(std::shared_ptr<const placement> now,
                                                      placement::number to, std::uint64_t incarnation,
                                                      std::size_t shards, nanos at) {
  if (!now) return nullptr;
  if (!same_ring(now.get(), now_.get())) before_ = now_;
  now_ = now;
  // A young node has no bracket of our clock from before the stamps: it could place next to nothing.
  if (standing_of(*now, to) != standing::warm) return nullptr;
  if (incarnation != given_incarnation_) abandon();
  if (same_ring(now.get(), given_.get())) return nullptr;
  auto points = points_to_hand_over(*now, before_.get(), given_.get(), to);
  given_ = now;
  given_incarnation_ = incarnation;
  if (points.empty()) return nullptr;
  // What was under way begins anew with the rest.
  if (under_way())
    for (std::size_t i = 0; i < points.size(); ++i)
      points[i] = points[i] || (points_[i] && holds(*now, i, to));
  points_ = std::move(points);
  shards_.assign(shards, {});
  left_ = shards;
  began_ = at;
  auto request = std::make_shared<moving_request>();
  request->to = to;
  request->number = ++request_;
  request->points = points_;
  return request;
}

std::optional<bool> hand_over::through(const placement& now, placement::number to) const {
  if (under_way()) return std::nullopt;
  if (same_ring(&now, given_.get())) return true;
  if (standing_of(now, to) != standing::warm) return false;
  return std::nullopt;
}

void hand_over::abandon() {
  given_ = nullptr;
  given_incarnation_ = 0;
  if (std::exchange(left_, 0) > 0) ++abandoned_;
}

std::vector<wire::lot> hand_over::take(const moving_chunk& chunk, const workload_table& workloads) {
  std::vector<wire::lot> lots;
  if (chunk.request != request_ || left_ == 0) return lots;
  std::span<const evidence> rest{chunk.items};
  while (!rest.empty()) {
    const auto end = std::find_if(rest.begin(), rest.end(), [&](const evidence& e) {
      return e.tenancy.incarnation != rest.front().tenancy.incarnation;
    });
    const auto count = static_cast<std::size_t>(end - rest.begin());
    for (auto& l : evidence_for_node(rest.first(count), workloads)) {
      l.handed_over = true;
      lots.push_back(std::move(l));
    }
    rest = rest.subspan(count);
  }
  shards_[chunk.shard] = {lots.size(), chunk.last};
  if (lots.empty() && chunk.last) --left_;
  return lots;
}

bool hand_over::settled(std::uint64_t request, std::uint32_t shard) {
  if (request != request_ || left_ == 0) return false;
  auto& p = shards_[shard];
  if (--p.lots > 0) return false;
  if (!p.last) return true;
  --left_;
  return false;
}

}  // namespace tenure::actors
