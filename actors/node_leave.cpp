#include "actors/node_leave.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {
namespace {

constexpr auto look_pause = std::chrono::milliseconds{200};
// A sync that takes longer than this is left to itself: what it was to confirm is sent again.
constexpr nanos sync_limit = 2 * second;

/// A departure that is under way.
struct departure {
  node_answer promise;
  nanos until = 0;
  std::vector<std::pair<std::string, peer_actor>> others;
  std::size_t asked = 0;  ///< others that have not answered
};
using departure_ptr = std::shared_ptr<departure>;

nanos left(node_pointer self, const departure& d, nanos most) {
  return std::clamp(d.until - self->state.clock->now(), millisecond, std::max(most, millisecond));
}

void finish(node_pointer self, const departure_ptr& d) {
  if (const auto held = self->state.counters->flows_held(); held > 0)
    spdlog::info(
        "cluster: left; {} flows that are not durable here are sent to others by the agents and nodes "
        "that have them",
        held);
  d->promise.deliver(true);
}

void hand_timelines_over(node_pointer self, const departure_ptr& d) {
  d->asked = d->others.size();
  const auto answered = [self, d](const std::string& name, const char* missing) {
    if (missing != nullptr)
      spdlog::warn("cluster: node {} {}: it learns our timelines from agents and other nodes", name, missing);
    if (--d->asked == 0) finish(self, d);
  };
  for (const auto& [name, other] : d->others)
    self->request(other, std::chrono::nanoseconds{left(self, *d, time_max)}, drain_atom_v)
        .then([answered, n = name](bool all) { answered(n, all ? nullptr : "is away, or young"); },
              [answered, n = name](caf::error&) { answered(n, "did not take all in time"); });
}

void send_away(node_pointer self, const departure_ptr& d) {
  self->state.door->leave();
  self->state.node_door->leave();
  hand_timelines_over(self, d);
}

void make_durable(node_pointer self, const departure_ptr& d) {
  self->request(self->state.sink, std::chrono::nanoseconds{left(self, *d, sync_limit)}, drain_atom_v)
      .then([self, d](bool) { send_away(self, d); },
            [self, d](caf::error&) {
              spdlog::warn("cluster: the output takes long: what it has not confirmed is sent again");
              send_away(self, d);
            });
}

/// Asks all of `parts` and goes on when each has answered, or is too late.
template <class Atom, class Actor, class Next>
void ask_all(node_pointer self, const departure_ptr& d, const std::vector<Actor>& parts, Atom what,
             Next next) {
  auto missing = std::make_shared<std::size_t>(parts.size());
  const auto answered = [missing, next] {
    if (--*missing == 0) next();
  };
  for (const auto& part : parts)
    self->request(part, std::chrono::nanoseconds{left(self, *d, sync_limit)}, what)
        .then([answered](bool) { answered(); }, [answered](caf::error&) { answered(); });
}

}  // namespace

node_answer await_others(node_pointer self, nanos most) {
  auto& s = self->state;
  auto promise = self->make_response_promise<bool>();
  s.awaiting.push_back(promise);
  s.await_until = s.clock->now() + most;
  look_at_others(self);
  return promise;
}

void look_at_others(node_pointer self) {
  auto& s = self->state;
  if (s.awaiting.empty()) return;
  const auto heirs = s.desk ? s.desk->who_takes_over() : cluster_desk::heirs::none;
  if (heirs == cluster_desk::heirs::young && s.clock->now() < s.await_until) {
    self->delayed_send(self, look_pause, ready_atom_v);
    return;
  }
  for (auto& promise : std::exchange(s.awaiting, {})) promise.deliver(heirs != cluster_desk::heirs::none);
}

node_answer leave(node_pointer self, nanos most) {
  auto& s = self->state;
  auto d = std::make_shared<departure>();
  d->promise = self->make_response_promise<bool>();
  d->until = s.clock->now() + most;
  if (s.desk) d->others = s.desk->leave();
  if (d->others.empty()) {
    d->promise.deliver(false);
    return d->promise;
  }
  // In the order of the path, so that what is resolved already is not resolved elsewhere once more.
  ask_all(self, d, s.routes->delays, leave_atom_v, [self, d] {
    ask_all(self, d, self->state.routes->shards, drain_atom_v, [self, d] { make_durable(self, d); });
  });
  return d->promise;
}

}  // namespace tenure::actors
