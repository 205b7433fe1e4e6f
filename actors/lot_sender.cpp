#include "actors/lot_sender.hpp"

#include <algorithm>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::actors {

lot_sender::lot_sender(lot_sender_settings settings) : settings_(std::move(settings)) {
  invariant(settings_.incarnation != 0, "a node draws its incarnation before it has peers");
}

bool lot_sender::offer(std::uint64_t tag, wire::lot lot, reaction& r) {
  // The bound may be passed by one lot, or one that is larger would wait for ever.
  if (is_full()) return false;
  lot.id = last_id_ + 1;
  auto frame = wire::encode(wire::message{std::move(lot)});
  const auto bytes = bytes_of(frame);
  kept_.emplace(++last_id_, kept_lot{tag, std::move(frame)});
  kept_bytes_ += bytes;
  send_what_fits(r);
  return true;
}

void lot_sender::send_what_fits(reaction& r) {
  if (!welcome_) return;
  for (auto next = kept_.lower_bound(next_to_send_); next != kept_.end(); ++next) {
    auto& kept = next->second;
    const auto bytes = bytes_of(kept.frame);
    if (under_way_ > 0 && under_way_ + bytes > credit_) return;
    under_way_ += bytes;
    if (std::exchange(kept.sent_once, true)) ++sent_again_;
    r.send.push_back(kept.frame);
    next_to_send_ = next->first + 1;
  }
}

lot_sender::reaction lot_sender::connected(nanos now) {
  invariant(!connected_, "one connection at a time");
  connected_ = true;
  last_heard_ = now;
  next_to_send_ = 1;
  under_way_ = 0;
  reaction r;
  r.send.push_back(
      wire::encode(wire::peer_hello{wire::protocol_version, settings_.incarnation, settings_.node}));
  return r;
}

outcome<lot_sender::reaction> lot_sender::receive(const wire::frame& f, nanos now) {
  auto message = wire::decode(f, 0);
  if (!message) return tl::unexpected(message.error());
  last_heard_ = std::max(last_heard_, now);
  reaction r;
  if (const auto* w = std::get_if<wire::peer_welcome>(&*message); w != nullptr && !welcome_) {
    if (w->version != wire::protocol_version)
      return fail(trouble::usage, "protocol version " + std::to_string(w->version) +
                                      " is not spoken here, only " + std::to_string(wire::protocol_version));
    welcome_ = true;
    credit_ = w->credit;
    const bool reborn = their_incarnation_ != 0 && their_incarnation_ != w->incarnation;
    their_incarnation_ = w->incarnation;
    their_start_ = saturating_add(now, -static_cast<nanos>(std::min<std::uint64_t>(w->age, time_max)));
    // One that started anew knows neither our clock as it was nor timelines: what was meant for its
    // forerunner may be better off elsewhere.
    if (reborn) r.given_back = give_back();
    send_what_fits(r);
    return r;
  }
  if (const auto* p = std::get_if<wire::ping>(&*message); p != nullptr && welcome_) {
    r.send.push_back(wire::encode(wire::pong{p->id, now}));
    return r;
  }
  if (const auto* s = std::get_if<wire::settled>(&*message); s != nullptr && welcome_) {
    for (const auto id : s->lots) settle(id, r);
    send_what_fits(r);
    return r;
  }
  if (const auto* g = std::get_if<wire::goodbye>(&*message)) {
    r.leaving = g->leaving;
    if (g->leaving) return r;
    return fail(trouble::refused, "the other node says: " + g->reason);
  }
  return fail(trouble::usage, "a message that a node which was dialed does not send now");
}

// Of a lot that is not kept any more it was said before, on an earlier connection perhaps.
void lot_sender::settle(std::uint64_t id, reaction& r) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  const auto bytes = bytes_of(found->second.frame);
  kept_bytes_ -= bytes;
  if (id < next_to_send_) under_way_ -= bytes;
  r.settled.push_back(found->second.tag);
  kept_.erase(found);
}

void lot_sender::disconnected() {
  connected_ = false;
  welcome_ = false;
}

outcome<void> lot_sender::tick(nanos now) const {
  if (connected_ && now - last_heard_ > settings_.max_silence)
    return fail(trouble::refused, "the other node is silent");
  return {};
}

std::vector<lot_sender::unsettled> lot_sender::take_back() {
  invariant(!connected_, "lots are taken back from a node that is not listened to any more");
  return give_back();
}

std::vector<lot_sender::unsettled> lot_sender::give_back() {
  std::vector<unsettled> out;
  for (const auto& [id, kept] : kept_) {
    auto message = wire::decode(kept.frame, 0);
    invariant(message.has_value(), "what was encoded here can be decoded");
    out.push_back({kept.tag, std::move(std::get<wire::lot>(*message))});
  }
  kept_.clear();
  kept_bytes_ = 0;
  under_way_ = 0;
  return out;
}

}  // namespace tenure::actors
