#include "properties/conversation.hpp"

#include <algorithm>

namespace tenure::history {

namespace {

// In true time.
struct accepted {
  nanos sent = 0;
  nanos arrived = 0;
};

struct connection {
  held far;
  nanos opened = 0;
  accepted handshake;  // what made it established at this end
};

const held* holder(const std::vector<held>& truth, std::uint16_t port, nanos t) {
  const auto at = std::find_if(truth.begin(), truth.end(), [&](const held& h) {
    return (h.port == 0 || h.port == port) && h.when.from <= t && t < h.when.until;
  });
  return at == truth.end() ? nullptr : &*at;
}

// Under two owners, or a false exclusive claim, either may be the one that answers.
const held* answerer(dice& d, const std::vector<held>& truth, std::uint16_t port, nanos t) {
  std::vector<const held*> all;
  for (const auto& h : truth)
    if ((h.port == 0 || h.port == port) && h.when.from <= t && t < h.when.until) all.push_back(&h);
  return all.empty() ? nullptr : all[static_cast<std::size_t>(d.below(static_cast<nanos>(all.size())))];
}

nanos under_way(dice& d) {
  return d.one_of<nanos>({0, 0, 0, 1, 2, 4});
}

// We open: SYNs are retried, lost, slow, and may reach one owner first and the next one later.
std::optional<connection> open_to(dice& d, const std::vector<held>& truth, std::uint16_t port, nanos start) {
  std::optional<connection> best;
  for (const nanos retry : {0, 2, 6}) {
    const nanos sent = start + retry;
    if (best && best->handshake.arrived <= sent) break;  // answered, so not tried again
    const nanos arrives = sent + under_way(d);
    const held* const far = answerer(d, truth, port, arrives);
    if (far == nullptr || d.chance(30)) continue;
    const accepted answer{arrives, arrives + under_way(d)};
    if (best && best->handshake.arrived <= answer.arrived) continue;
    // A kernel that cannot tell which SYN was answered says the first one.
    best = connection{*far, d.chance(50) ? sent : start, answer};
  }
  return best;
}

// The far end opens: it must still be there when our SYN-ACK, perhaps the second one, reaches it.
std::optional<connection> opened_by(dice& d, const std::vector<held>& truth, std::uint16_t port,
                                    nanos start) {
  const held* const far = answerer(d, truth, port, start);
  if (far == nullptr) return std::nullopt;
  const nanos first_answer = start + under_way(d);
  const nanos answered = first_answer + d.one_of<nanos>({0, 0, 2});
  const nanos reaches = answered + under_way(d);
  if (reaches >= far->when.until) return std::nullopt;
  return connection{*far, d.chance(50) ? answered : first_answer, {reaches, reaches + under_way(d)}};
}

// The last segment that this end accepts of the connection's own far end, while that lives.
accepted last_segment(dice& d, const connection& c) {
  accepted last = c.handshake;
  for (nanos n = d.below(4); n > 0; --n) {
    const nanos sent = c.handshake.sent + d.below(c.far.when.until - c.handshake.sent);
    const nanos arrived = sent + under_way(d);
    // Before the handshake's own segment arrived nothing is accepted; of two at one instant the later sent
    // counts.
    if (arrived < c.handshake.arrived || arrived < last.arrived) continue;
    if (arrived > last.arrived || sent < last.sent) last = {sent, arrived};
  }
  return last;
}

nanos off_by(dice& d, nanos bound) {
  return d.below(2 * bound + 1) - bound;
}

void blur(dice& d, broken assumption, flow_times& t) {
  t.error = d.one_of<nanos>({0, 0, 0, 1, 2});
  const nanos bound = t.error + (assumption == broken::flow_clock ? 8 : 0);
  for (nanos* stamp : {&t.opened, &t.established, &t.last_received, &t.closed}) *stamp += off_by(d, bound);
  if (d.chance(5)) t.opened = time_min;  // a socket that was open before the agent
}

seen_flow established_flow(dice& d, broken assumption, const std::vector<held>& truth, std::uint16_t port,
                           const connection& c) {
  accepted last = last_segment(d, c);
  nanos closed = last.arrived + d.below(6);
  if (assumption == broken::foreign_segment && d.chance(60)) {
    const held* const next = holder(truth, port, c.far.when.until + d.below(4));
    if (next != nullptr && next->when.from >= last.arrived) {
      last = {next->when.from, next->when.from + under_way(d)};
      closed = std::max(closed, last.arrived);
    }
  }
  seen_flow f{port, {}, c.far};
  f.times = {.opened = c.opened,
             .established = c.handshake.arrived,
             .last_received = last.arrived,
             .closed = closed,
             .transit = assumption == broken::transit_ignored ? 0 : last.arrived - last.sent + d.below(2),
             .is_established = true};
  blur(d, assumption, f.times);
  return f;
}

// No handshake to go by: whoever was there throughout, if it was one.
seen_flow life_only(dice& d, broken assumption, const std::vector<held>& truth, std::uint16_t port,
                    nanos start) {
  const nanos closed = start + d.below(10);
  seen_flow f{port, {}, std::nullopt};
  f.times = {.opened = start, .last_received = start + d.below(closed - start + 1), .closed = closed};
  if (const held* const h = holder(truth, port, start); h != nullptr && closed < h->when.until) f.truth = *h;
  blur(d, assumption, f.times);
  return f;
}

}  // namespace

std::optional<seen_flow> converse(dice& d, broken assumption, const std::vector<held>& truth) {
  const auto port = d.one_of<std::uint16_t>({ports[0], ports[0], ports[1]});
  const nanos start = d.below(50);
  if (d.chance(15)) return life_only(d, assumption, truth, port, start);
  const bool outgoing = d.chance(60);
  const auto c = outgoing ? open_to(d, truth, port, start) : opened_by(d, truth, port, start);
  if (c) return established_flow(d, assumption, truth, port, *c);
  if (outgoing) return life_only(d, assumption, truth, port, start);
  return std::nullopt;
}

}  // namespace tenure::history
