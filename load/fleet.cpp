#include "load/fleet.hpp"

#include <algorithm>
#include <utility>

namespace tenure::load {
namespace {

// A step that came late makes up for at most this much at once.
constexpr nanos longest_step = 1 * second;
constexpr std::uint32_t batches_a_turn = 16;
// Batches whose ping is late leave so much later still, at most.
constexpr nanos between_looks = 100 * millisecond;

}  // namespace

fleet::fleet(const fleet_options& who, pace_options pace, std::shared_ptr<const agent::boot_clock> clock,
             transport::asio_transport& net)
    : plan_(who),
      pace_(std::move(pace)),
      clock_(std::move(clock)),
      net_(net),
      book_(who.agents),
      began_(clock_->now()),
      last_step_(began_),
      sends_(who.agents) {
  for (std::uint32_t a = 0; a < who.agents; ++a)
    agents_.push_back(std::make_shared<played_agent>(plan_, a, *clock_, counters_, bench_));
}

fleet::~fleet() {
  for (const auto& a : agents_) a->close();
}

void fleet::step() {
  const nanos now = clock_->now();
  look_after_links(now);
  seal_heartbeats(now);
  if (flowing_) seal_flows(now);
  last_step_ = now;
  look_at_waiting(now);
  send_what_waits();
}

void fleet::look_at_waiting(nanos now) {
  if (now - last_look_ < between_looks) return;
  last_look_ = now;
  for (const auto& a : agents_) a->look_at_waiting(now);
}

void fleet::look_after_links(nanos now) {
  // Both only grow: while neither does, all links are as they were.
  const std::uint64_t changes = counters_.connects + counters_.disconnects;
  if (changes != link_changes_ || !all_linked_) {
    link_changes_ = changes;
    all_linked_ = true;
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      auto& a = *agents_[i];
      if (a.freshly_welcomed()) {
        a.seal_heartbeat(now, now - pace_.repeat);
        let_send(i);
      }
      if (a.has_link()) continue;
      if (a.redial_at() > now)
        all_linked_ = false;
      else
        a.dial(net_, pace_.nodes[i % pace_.nodes.size()]);
    }
  }
  if (!pace_.spares) return;
  for (std::size_t i = 0; i < agents_.size(); ++i)
    for (std::size_t other = 0; other < std::min<std::size_t>(2, pace_.nodes.size()); ++other)
      agents_[i]->dial_spare(net_, pace_.nodes[(i + 1 + other) % pace_.nodes.size()]);
}

void fleet::let_send(std::size_t agent) {
  if (sends_[agent]) return;
  sends_[agent] = true;
  senders_.push_back(agent);
}

void fleet::seal_heartbeats(nanos now) {
  // One agent after the other, so that the heartbeats of all are spread over the time of one.
  const auto all = agents_.size();
  const auto due = static_cast<std::uint64_t>(
      static_cast<double>(now - began_) / static_cast<double>(pace_.heartbeat) * static_cast<double>(all));
  heartbeats_ = std::max(heartbeats_, due - std::min<std::uint64_t>(due, all));
  for (; heartbeats_ < due; ++heartbeats_) {
    const auto who = heartbeats_ % all;
    if (!agents_[who]->welcomed()) continue;
    agents_[who]->seal_heartbeat(now, now - pace_.repeat);
    let_send(who);
  }
}

void fleet::seal_flows(nanos now) {
  const double batch = static_cast<double>(pace_.flows_a_batch) * pace_.together;
  if (pace_.flows_a_second > 0)
    owed_flows_ +=
        static_cast<double>(std::min(now - last_step_, longest_step)) / second * pace_.flows_a_second;
  else  // as many as go: as much as may wait to be sent
    owed_flows_ = counters_.batches_sealed == counters_.batches_sent ? batch * 4 * batches_a_turn : 0;
  for (; owed_flows_ >= batch; owed_flows_ -= batch) {
    const auto who = next_sealing_++ % static_cast<std::uint32_t>(agents_.size());
    for (std::uint32_t n = 0; n < pace_.together; ++n)
      book_.enter(who, agents_[who]->seal_flows(now, pace_.flows_a_batch), now);
    let_send(who);
  }
}

std::uint64_t fleet::frames_that_may_go() const {
  const auto& c = net_.counters();
  const std::uint64_t done = c.frames_out + c.frames_unsent;
  const std::uint64_t sent = counters_.frames_sent;
  const std::uint64_t waiting = sent - std::min(sent, done);
  const std::uint64_t room = pace_.max_waiting_bytes / std::max<std::size_t>(last_frame_bytes_, 1024);
  return room > waiting ? room - waiting : 0;
}

void fleet::send_what_waits() {
  auto may_go = frames_that_may_go();
  std::size_t idle = 0;  // in a row that could send nothing
  while (may_go > 0 && idle < senders_.size()) {
    const auto who = senders_.front();
    senders_.pop_front();
    auto& a = *agents_[who];
    ++idle;
    for (std::uint32_t n = 0; n < batches_a_turn && may_go > 0; ++n) {
      const auto bytes = a.send_next();
      if (bytes == 0) break;
      idle = 0;
      --may_go;
      last_frame_bytes_ = bytes;
    }
    if (a.waits())
      senders_.push_back(who);
    else
      sends_[who] = false;
  }
}

double acknowledged_within_ms(const fleet_counters& c, double share) {
  std::uint64_t all = 0;
  for (const auto& n : c.acknowledged_after) all += n;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < c.acknowledged_after.size(); ++i) {
    sum += c.acknowledged_after[i];
    if (all > 0 && static_cast<double>(sum) >= share * static_cast<double>(all))
      return static_cast<double>(i + 1) * fleet_counters::step / millisecond;
  }
  return 0;
}

bool fleet::connected() const {
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->welcomed(); });
}

bool fleet::settled() const {
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->settled(); });
}

}  // namespace tenure::load
