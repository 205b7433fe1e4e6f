#include "actors/lot_receiver.hpp"

#include <algorithm>
#include <utility>

#include "actors/place_in_time.hpp"
#include "ownership/invariant.hpp"

namespace tenure::actors {
namespace {

// As for agents: two minutes at least, however many lots cause pings.
constexpr std::size_t brackets_kept = 256;
constexpr nanos brackets_apart = second / 2;

}  // namespace

lot_receiver::lot_receiver(lot_receiver_settings settings, std::shared_ptr<workload_table> workloads)
    : settings_(std::move(settings)),
      workloads_(std::move(workloads)),
      clock_(settings_.drift_ppm, brackets_kept, brackets_apart) {
  invariant(settings_.incarnation != 0, "a node draws its incarnation before it has peers");
}

outcome<lot_receiver::reaction> lot_receiver::connected(const wire::peer_hello& h, nanos now) {
  invariant(!connected_, "one connection at a time");
  if (h.version != wire::protocol_version)
    return fail(trouble::usage, "protocol version " + std::to_string(h.version) +
                                    " is not spoken here, only " + std::to_string(wire::protocol_version));
  connected_ = true;
  reaction r;
  r.send.emplace_back(
      wire::peer_welcome{wire::protocol_version, settings_.incarnation, settings_.node, settings_.credit,
                         static_cast<std::uint64_t>(std::max<nanos>(now - settings_.started, 0))});
  ping(r, now);
  return r;
}

void lot_receiver::ping(reaction& r, nanos now) {
  last_ping_ = now;
  pings_.emplace(next_ping_, now);
  r.send.emplace_back(wire::ping{next_ping_++});
}

// One ping at a time: its answer tells whether another one is needed.
void lot_receiver::ping_if_waiting(reaction& r, nanos now) {
  if (waiting_.empty() || !pings_.empty()) return;
  const nanos earliest = saturating_add(last_ping_, settings_.pings_apart);
  if (now < earliest)
    r.ask_at = earliest;
  else
    ping(r, now);
}

lot_receiver::reaction lot_receiver::ask(nanos now) {
  reaction r;
  if (connected_) ping_if_waiting(r, now);
  return r;
}

outcome<lot_receiver::reaction> lot_receiver::receive(const wire::frame& f, nanos at, nanos now) {
  auto message = wire::decode(f, 0);
  if (!message) return tl::unexpected(message.error());
  if (auto* l = std::get_if<wire::lot>(&*message)) return take(std::move(*l), f.size() * sizeof(f[0]), now);
  if (const auto* p = std::get_if<wire::pong>(&*message)) return bracket_with(*p, at, now);
  return fail(trouble::usage, "a message that a node with lots does not send now");
}

outcome<lot_receiver::reaction> lot_receiver::take(wire::lot&& l, std::size_t bytes, nanos now) {
  reaction r;
  const auto known = ledger_.of(l.id);
  const bool waits =
      std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.lot.id == l.id; });
  if (waits || known != batch_ledger::standing::unknown) {
    ++repeated_;
    if (known == batch_ledger::standing::durable) r.send.emplace_back(wire::settled{{l.id}});
    return r;
  }
  // A single lot may be larger than the credit.
  if (!waiting_.empty() && waiting_bytes_ + bytes > settings_.credit)
    return fail(trouble::usage, "more lots than there is credit for");
  waiting_.push_back({std::move(l), bytes, next_ping_});
  waiting_bytes_ += bytes;
  ping_if_waiting(r, now);
  return r;
}

outcome<lot_receiver::reaction> lot_receiver::bracket_with(const wire::pong& p, nanos at, nanos now) {
  reaction r;
  const auto asked = pings_.find(p.id);
  if (asked == pings_.end()) return r;  // a late answer, which proves nothing any more
  const bracket b{asked->second, at, p.reading};
  pings_.erase(pings_.begin(), std::next(asked));
  if (!clock_.add(b)) return r;
  // The answer was read after these had been sent. Stamps that lie beyond it even so are not placed: their
  // error is unknown.
  while (!waiting_.empty() && waiting_.front().first_ping_after <= p.id) {
    auto placed = place(std::move(waiting_.front().lot));
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
    if (ledger_.open(placed.id, placed.flows.size())) r.send.emplace_back(wire::settled{{placed.id}});
    r.placed.push_back(std::move(placed));
  }
  ping_if_waiting(r, now);
  return r;
}

placed_lot lot_receiver::place(wire::lot&& l) {
  std::vector<workload_id> names{workload_id::none};
  for (const auto& w : l.content.workloads)
    names.push_back(workloads_->intern(w.name).value_or(workload_id::none));
  const auto name = [&](workload_id local) { return names[static_cast<std::size_t>(local)]; };
  placed_lot out{l.id, std::move(l.agent), l.incarnation, l.content.number, {}, std::move(l.content.flows)};
  out.handed_over = l.handed_over;
  for (auto& e : l.content.evidence) {
    e.workload = name(e.workload);
    if (e.workload != workload_id::none && place_in_time(clock_, e))
      out.items.push_back(e);
    else
      ++out.left_out;
  }
  evidence_refused_ += out.left_out;
  for (auto& f : out.flows) {
    f.near_workload = name(f.near_workload);
    if (f.near_workload == workload_id::none) f.near_tenancy = {};
    place_in_time(clock_, f.times);
  }
  return out;
}

outcome<lot_receiver::reaction> lot_receiver::tick(nanos now) {
  reaction r;
  if (!connected_) return r;
  if (!pings_.empty() && now - pings_.begin()->second > settings_.max_silence)
    return fail(trouble::refused, "the other node is silent");
  if (now - last_ping_ >= settings_.ping_pace) ping(r, now);
  return r;
}

lot_receiver::reaction lot_receiver::durable(std::uint64_t lot, std::size_t flows) {
  reaction r;
  if (ledger_.durable(lot, flows) && connected_) r.send.emplace_back(wire::settled{{lot}});
  return r;
}

// What waits has not been placed and is not in the ledger: it comes again.
void lot_receiver::disconnected() {
  connected_ = false;
  pings_.clear();
  last_ping_ = time_min;
  waiting_.clear();
  waiting_bytes_ = 0;
}

}  // namespace tenure::actors
