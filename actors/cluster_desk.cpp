#include "actors/cluster_desk.hpp"

#include <algorithm>
#include <utility>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {

cluster_desk::cluster_desk(std::string self, std::size_t replicas, nanos warm_up,
                           std::shared_ptr<const node_clock> clock, std::shared_ptr<directions> ways,
                           std::function<peer_actor(cluster::placement::number, const std::string&)> make)
    : self_(std::move(self)),
      replicas_(replicas),
      warm_up_(warm_up),
      clock_(std::move(clock)),
      ways_(std::move(ways)),
      make_(std::move(make)) {
  nodes_[self_].since = clock_->now();
}

void cluster_desk::view(const cluster::membership_view& v) {
  const std::lock_guard lock{mutex_};
  if (closed_) return;
  epoch_ = v.epoch;
  for (auto& [name, n] : nodes_) n.member = false;
  for (const auto& m : v.members) {
    auto& n = nodes_[m.name];
    n.member = true;
    n.address = m.address;
    n.weight = m.weight;
    if (m.name == self_ || n.number != 0) continue;
    // Numbers are never given again, and names come from the operator: they are as few as nodes are.
    n.number = ways_->next();
    ways_->add(make_(n.number, m.name));
  }
  stale_ = true;
  show();
  for (const auto& [name, n] : nodes_)
    if (n.number != 0) caf::anon_send(ways_->peer(n.number), moved_atom_v, n.member, n.address);
}

cluster_desk::known_node* cluster_desk::by_number(cluster::placement::number number) {
  for (auto& [name, n] : nodes_)
    if (n.number == number) return &n;
  return nullptr;
}

void cluster_desk::answers(cluster::placement::number number, nanos since) {
  const std::lock_guard lock{mutex_};
  if (auto* n = by_number(number)) {
    n->silent = false;
    n->since = since;
  }
  show();
}

void cluster_desk::silent(cluster::placement::number number) {
  const std::lock_guard lock{mutex_};
  if (auto* n = by_number(number)) n->silent = true;
  show();
}

void cluster_desk::look() {
  const std::lock_guard lock{mutex_};
  show();
}

/// One that has not answered yet is given the benefit of the doubt until its peer actor says otherwise.
cluster::standing cluster_desk::standing_of(const known_node& n, nanos now) const {
  if (n.silent) return cluster::standing::away;
  if (n.since == time_max || now - n.since < warm_up_) return cluster::standing::fresh;
  return cluster::standing::warm;
}

/// Whether it is a member of the ring as this node sees it.
bool cluster_desk::counts(const std::string& name, const known_node& n) const {
  return n.member && !(leaving_ && name == self_);
}

cluster_desk::heirs cluster_desk::who_takes_over() const {
  const std::lock_guard lock{mutex_};
  const nanos now = clock_->now();
  std::size_t fresh = 0;
  std::size_t warm = 0;
  for (const auto& [name, n] : nodes_) {
    if (!n.member || name == self_) continue;
    const auto s = standing_of(n, now);
    fresh += s == cluster::standing::fresh ? 1 : 0;
    warm += s == cluster::standing::warm ? 1 : 0;
  }
  if (fresh + warm == 0) return heirs::none;
  const bool we_know = standing_of(nodes_.at(self_), now) == cluster::standing::warm;
  return we_know && fresh >= std::min(replicas_, fresh + warm) ? heirs::young : heirs::ready;
}

std::vector<std::pair<std::string, peer_actor>> cluster_desk::leave() {
  const std::lock_guard lock{mutex_};
  std::vector<std::pair<std::string, peer_actor>> others;
  for (const auto& [name, n] : nodes_)
    if (n.member && n.number != 0 && !n.silent) others.emplace_back(name, ways_->peer(n.number));
  if (others.empty()) return others;
  leaving_ = true;
  stale_ = true;
  show();
  return others;
}

void cluster_desk::show() {
  if (closed_) return;
  const nanos now = clock_->now();
  std::vector<cluster::standing> standings;
  std::vector<nanos> since;
  std::vector<cluster::placement::number> numbers;
  for (const auto& [name, n] : nodes_) {
    if (!counts(name, n)) continue;
    standings.push_back(standing_of(n, now));
    since.push_back(n.since);
    numbers.push_back(n.number);
  }
  if (!stale_ && standings == shown_ && since == shown_since_) return;
  if (stale_) {
    cluster::membership_view v;
    for (const auto& [name, n] : nodes_)
      if (counts(name, n)) v.members.push_back({name, n.address, n.weight, 0});
    auto made = cluster::ring_of(v, replicas_);
    if (!made) {
      spdlog::warn("cluster: {}; things go on as before", made.error().text);
      return;
    }
    // The same members are the same ring: whoever compares should not take it for a movement.
    if (!ring_ || ring_->members() != made->members())
      ring_ = std::make_shared<const cluster::ring>(std::move(*made));
  }
  stale_ = false;
  shown_ = standings;
  shown_since_ = since;
  ++placements_;
  ways_->show(std::make_shared<const cluster::placement>(ring_, std::move(numbers), std::move(standings),
                                                         std::move(since)));
}

cluster_desk::reading cluster_desk::read() const {
  std::map<std::string, std::size_t> points;  // without the lock: there are many
  if (const auto shown = ways_->now()) {
    const auto& members = shown->points().members();
    std::vector<std::size_t> owned(members.size());
    for (std::size_t p = 0; p < cluster::ring::points; ++p) ++owned[shown->points().holders(p).front()];
    for (std::size_t i = 0; i < members.size(); ++i) points[members[i].name] = owned[i];
  }
  const std::lock_guard lock{mutex_};
  reading r{self_, epoch_, placements_, {}};
  const nanos now = clock_->now();
  for (const auto& [name, n] : nodes_)
    r.nodes.push_back({name, n.address, counts(name, n), standing_of(n, now),
                       static_cast<double>(points[name]) / cluster::ring::points});
  return r;
}

std::vector<peer_actor> cluster_desk::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  return ways_->clear();
}

}  // namespace tenure::actors
