#include "actors/peer_door.hpp"

#include <utility>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "capnp/codec.hpp"
#include "cluster/ring.hpp"

namespace tenure::actors {

/// One connection. After its hello only the transport's thread touches it.
struct peer_door::door {
  visit_ptr who = std::make_shared<visit>();
  std::uint64_t number = 0;  // in the order of arrival: an order by address would be another in each run
  intake_actor intake;       // none before its hello
  bool refused = false;
  bool hurried = false;
};

transport::link_events peer_door::accept(transport::link_ptr link) {
  auto at = std::make_shared<door>();
  at->who->link = std::move(link);
  bool room = false;
  bool leaving = false;
  {
    const std::lock_guard lock{mutex_};
    leaving = leaving_;
    room = !closed_ && !leaving && waiting_.size() < cluster::ring::max_members;
    at->number = ++accepted_;
    if (room) waiting_.emplace(at->number, at);
  }
  if (!room) turn_away(at, leaving ? "this node leaves" : "more nodes than a cluster may have", leaving);
  return {[self = shared_from_this(), at](transport::frame f) { self->heard(at, std::move(f)); },
          [self = shared_from_this(), at](transport::close_reason why) { self->ended(at, why); }};
}

void peer_door::heard(const std::shared_ptr<door>& at, transport::frame f) {
  if (at->refused) return;
  if (!at->intake) return greet(at, f);
  auto received = std::make_shared<received_frame>();
  received->at = parts_->clock->now();
  received->bytes = std::move(f);
  auto& inbox = at->who->inbox_bytes;
  if ((inbox += inbox_cost(received->bytes)) > 2 * parts_->lots.credit)
    return turn_away(at, "more was sent than credit allows");
  caf::anon_send(at->intake, frame_atom_v, received_frame_ptr{std::move(received)}, visit_ptr{at->who});
}

void peer_door::greet(const std::shared_ptr<door>& at, const transport::frame& f) {
  const auto message = wire::decode(f, 0);
  const auto* h = message ? std::get_if<wire::peer_hello>(&*message) : nullptr;
  if (h == nullptr) {
    ++parts_->counters->frames_refused;
    return turn_away(at, message ? "expected peerHello first" : message.error().text);
  }
  if (h->node == parts_->lots.node || h->node.empty())
    return turn_away(at, "two nodes of the name '" + h->node + "'");
  const std::lock_guard lock{mutex_};
  waiting_.erase(at->number);
  if (leaving_) return turn_away(at, "this node leaves", true);
  if (closed_ || (nodes_.size() >= cluster::ring::max_members && !nodes_.contains(h->node)))
    return turn_away(at, "more nodes than a cluster may have");
  at->who->hello = *h;
  auto& known = nodes_[h->node];
  if (known.incarnation != h->incarnation) {
    if (known.intake) {
      caf::anon_send(known.intake, retire_atom_v);
      std::erase_if(retired_, [](const auto& r) { return !caf::actor_cast<caf::strong_actor_ptr>(r); });
      retired_.push_back(caf::actor_cast<caf::actor_addr>(known.intake));
    }
    known = {h->incarnation, system_.spawn(intake, parts_)};
  }
  at->intake = known.intake;
  caf::anon_send(at->intake, arrival_atom_v, visit_ptr{at->who});
}

void peer_door::turn_away(const std::shared_ptr<door>& at, const std::string& why, bool leaving) {
  at->refused = true;
  const auto& link = at->who->link;
  spdlog::log(leaving ? spdlog::level::debug : spdlog::level::warn, "nodes: {}: closing: {}", link->peer(),
              why);
  link->send(wire::encode(wire::goodbye{wire::as_text(why), leaving}));
  link->close();
}

void peer_door::ended(const std::shared_ptr<door>& at, transport::close_reason why) {
  if (at->intake) caf::anon_send(at->intake, gone_atom_v, static_cast<std::uint8_t>(why), visit_ptr{at->who});
  const std::lock_guard lock{mutex_};
  waiting_.erase(at->number);
}

void peer_door::hurry() {
  std::vector<std::shared_ptr<door>> late;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [number, at] : waiting_)
      if (std::exchange(at->hurried, true)) late.push_back(at);
    for (const auto& at : late) waiting_.erase(at->number);
  }
  for (const auto& at : late) at->who->link->close();
}

void peer_door::leave() {
  const std::lock_guard lock{mutex_};
  leaving_ = true;
  for (const auto& [name, known] : nodes_) caf::anon_send(known.intake, leave_atom_v);
}

void peer_door::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  for (const auto& [name, known] : std::exchange(nodes_, {}))
    caf::anon_send_exit(known.intake, caf::exit_reason::user_shutdown);
  // Their flows come again from who sent them.
  for (const auto& r : std::exchange(retired_, {})) caf::anon_send_exit(r, caf::exit_reason::user_shutdown);
}

}  // namespace tenure::actors
