#include "actors/reception.hpp"

#include <utility>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {
namespace {

/// A frame that the transport refused before anybody could look into it.
bool breaks_framing(transport::close_reason why) {
  return why == transport::close_reason::too_long || why == transport::close_reason::truncated;
}

}  // namespace

/// One connection. After its hello only the transport's thread touches it.
struct reception::door {
  std::shared_ptr<arrival> who;
  std::uint64_t number = 0;  // in the order of arrival: an order by address would be another in each run
  session_actor session;     // none before its hello
  bool refused = false;
  bool hurried = false;
};

reception::reception(caf::actor_system& system, std::shared_ptr<const session_parts> parts,
                     std::size_t max_sessions)
    : system_(system), parts_(std::move(parts)), max_sessions_(max_sessions) {}

transport::link_events reception::accept(transport::link_ptr link) {
  auto at = std::make_shared<door>();
  at->who = std::make_shared<arrival>();
  at->who->link = std::move(link);
  ++parts_->counters->sessions_opened;
  bool room = false;
  bool ending = false;
  bool leaving = false;
  {
    const std::lock_guard lock{mutex_};
    const auto& c = *parts_->counters;
    ending = closed_;
    leaving = leaving_;
    room = !closed_ && !leaving && c.sessions_opened - c.sessions_closed <= max_sessions_;
    at->number = ++accepted_;
    if (room) waiting_.emplace(at->number, at);
  }
  if (!room) {
    ++parts_->counters->sessions_refused;
    turn_away(at,
              ending    ? "this node is ending"
              : leaving ? "this node leaves"
                        : "this node has as many agents as it may have",
              leaving);
  }
  return {[self = shared_from_this(), at](transport::frame f) { self->heard(at, std::move(f)); },
          [self = shared_from_this(), at](transport::close_reason why) { self->ended(at, why); }};
}

void reception::heard(const std::shared_ptr<door>& at, transport::frame f) {
  if (at->refused) return;
  if (!at->session) return greet(at, f);
  auto received = std::make_shared<received_frame>();
  received->at = parts_->clock->now();
  received->bytes = std::move(f);
  switch (at->who->inbox.put(std::move(received), max_inbox_bytes)) {
    case frame_inbox::put_in::first:
      return caf::anon_send(at->session, frame_atom_v, arrival_ptr{at->who});
    case frame_inbox::put_in::another:
      return;
    case frame_inbox::put_in::flood:
      ++parts_->counters->sessions_flooding;
      return turn_away(at, "more was sent than credit allows");
  }
}

void reception::greet(const std::shared_ptr<door>& at, const transport::frame& f) {
  auto& count = *parts_->counters;
  const auto message = wire::decode(f, 0);
  const auto* h = message ? std::get_if<wire::hello>(&*message) : nullptr;
  if (h == nullptr) {
    ++count.frames_refused;
    return turn_away(at, message ? "expected hello first" : message.error().text);
  }
  if (h->version != wire::protocol_version) {
    ++count.sessions_refused;
    return turn_away(at, "protocol version " + std::to_string(h->version) + " is not spoken here, only " +
                             std::to_string(wire::protocol_version));
  }
  at->who->hello = *h;
  if (const char* const why = seat(at)) turn_away(at, why);
}

/// @returns why it is to be turned away; null: it is not
const char* reception::seat(const std::shared_ptr<door>& at) {
  const std::uint64_t incarnation = at->who->hello.incarnation;
  const std::lock_guard lock{mutex_};
  if (closed_ || leaving_ || at->refused) return nullptr;
  waiting_.erase(at->number);
  if (sessions_.size() >= max_sessions_ + max_resting && !sessions_.contains(incarnation)) {
    ++parts_->counters->sessions_refused;
    return "this node remembers as many agents as it may";
  }
  auto& known = sessions_[incarnation];
  if (!known.session) {
    known.session = system_.spawn(session, parts_, weak_from_this());
    if (draining_) caf::anon_send(known.session, hurry_atom_v);
    known.identity = at->who->link->identity();
  } else if (known.identity != at->who->link->identity()) {
    ++parts_->counters->takeovers_refused;
    return "this incarnation is of an agent with another certificate";
  }
  ++known.arrivals;
  rises(known);
  at->session = known.session;
  // Under the lock, so that a session that leaves knows whether it was sent another one.
  caf::anon_send(at->session, arrival_atom_v, arrival_ptr{at->who});
  return nullptr;
}

void reception::turn_away(const std::shared_ptr<door>& at, const std::string& why, bool leaving) {
  at->refused = true;
  const auto& link = at->who->link;
  spdlog::log(leaving ? spdlog::level::debug : spdlog::level::warn, "node: {}: closing: {}", link->peer(),
              why);
  link->send(wire::encode(wire::goodbye{wire::as_text(why), leaving}));
  link->close();
}

void reception::ended(const std::shared_ptr<door>& at, transport::close_reason why) {
  if (breaks_framing(why)) ++parts_->counters->frames_refused;
  ++parts_->counters->sessions_closed;
  if (at->session)
    caf::anon_send(at->session, gone_atom_v, static_cast<std::uint8_t>(why), arrival_ptr{at->who});
  const std::lock_guard lock{mutex_};
  waiting_.erase(at->number);
}

void reception::hurry() {
  std::vector<std::shared_ptr<door>> late;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [number, at] : waiting_)
      if (std::exchange(at->hurried, true)) late.push_back(at);
    for (const auto& at : late) waiting_.erase(at->number);
  }
  for (const auto& at : late) {
    ++parts_->counters->sessions_refused;
    at->who->link->send(wire::encode(wire::goodbye{"no hello in time"}));
    at->who->link->close();
  }
}

void reception::leave() {
  const std::lock_guard lock{mutex_};
  leaving_ = true;
  for (const auto& [number, at] : std::exchange(waiting_, {})) {
    at->who->link->send(wire::encode(wire::goodbye{"this node leaves", true}));
    at->who->link->close();
  }
  for (const auto& [incarnation, known] : sessions_) caf::anon_send(known.session, leave_atom_v);
}

void reception::rests(std::uint64_t incarnation, std::uint64_t arrivals) {
  const std::lock_guard lock{mutex_};
  const auto it = sessions_.find(incarnation);
  if (it == sessions_.end() || it->second.arrivals != arrivals) return;
  rises(it->second);
  it->second.place = ++rested_;
  resting_.emplace(rested_, incarnation);
  if (resting_.size() <= max_resting) return;
  auto& longest = sessions_.at(resting_.begin()->second);
  rises(longest);
  ++parts_->counters->agents_forgotten;
  caf::anon_send(longest.session, retire_atom_v);
}

/// Under the mutex.
void reception::rises(known_session& known) {
  resting_.erase(std::exchange(known.place, 0));
}

void reception::promise_nothing() {
  const std::lock_guard lock{mutex_};
  draining_ = true;
  for (const auto& [incarnation, known] : sessions_) caf::anon_send(known.session, hurry_atom_v);
}

bool reception::leave(std::uint64_t incarnation, std::uint64_t arrivals) {
  const std::lock_guard lock{mutex_};
  const auto it = sessions_.find(incarnation);
  if (it == sessions_.end()) return true;
  if (it->second.arrivals != arrivals) return false;
  rises(it->second);
  sessions_.erase(it);
  return true;
}

void reception::close() {
  std::unordered_map<std::uint64_t, known_session> all;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    resting_.clear();
    all.swap(sessions_);
  }
  for (const auto& [incarnation, known] : all)
    caf::anon_send_exit(known.session, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(parts_->reminder, caf::exit_reason::user_shutdown);
}

}  // namespace tenure::actors
