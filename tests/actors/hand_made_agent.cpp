#include "tests/actors/hand_made_agent.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace tenure::actors::testing {

void hand_made_agent::heard::take(const tenure::transport::frame& f) {
  const auto m = wire::decode(f, 0);
  if (!m) return;
  if (const auto* p = std::get_if<wire::ping>(&*m)) {
    ++pings;
    if (!stalled) link->send(wire::encode(wire::pong{p->id, clock->time}));
  }
  if (const auto* c = std::get_if<wire::credit>(&*m)) credit = c->bytes;
  if (const auto* g = std::get_if<wire::goodbye>(&*m)) goodbye = g->reason;
  if (std::holds_alternative<wire::acknowledgement>(*m)) ++acknowledged;
  if (std::holds_alternative<wire::welcome>(*m)) welcomed = true;
}

hand_made_agent::hand_made_agent(world& w, std::uint64_t incarnation, bool credit)
    : world_(w), incarnation_(incarnation) {
  state_->clock = w.clock;
  state_->link = w.links->dial("", {[s = state_](const tenure::transport::frame& f) { s->take(f); },
                                    [s = state_](tenure::transport::close_reason) { s->closed = true; }});
  send(wire::hello{.incarnation = incarnation, .agent = "by-hand", .credit = credit});
  w.settle();
}

void hand_made_agent::send(const wire::message& m) {
  state_->link->send(wire::encode(m));
}

void hand_made_agent::seal(std::size_t batches, std::size_t flows) {
  for (std::size_t i = 0; i < batches; ++i) {
    wire::batch b;
    for (std::uint32_t n = 0; n < flows; ++n) {
      flow f;
      f.id = {incarnation_, next_number_, n};
      f.near_address = *address::parse("10.0.0.1");
      f.far_address = address::v4(0x0a010000 + (n * 257) % 0x10000);
      f.near_port = 40'000;
      f.far_port = 80;
      const nanos now = world_.clock->time;
      f.times = {now - second, now - second, now - millisecond, now - millisecond, 0, 0, true};
      b.flows.push_back(f);
    }
    seal(std::move(b));
  }
}

void hand_made_agent::seal(wire::batch b) {
  b.number = next_number_++;
  sealed_.push_back(wire::encode(b));
  largest_ = std::max(largest_, sealed_.back().size() * sizeof(std::uint64_t));
}

void hand_made_agent::send_all() {
  for (const auto& f : sealed_) state_->link->send(f);
}

void hand_made_agent::send_what_may_go() {
  for (; sent_ < sealed_.size() && sent_bytes_ < state_->credit; ++sent_) {
    sent_bytes_ += sealed_[sent_].size() * sizeof(std::uint64_t);
    state_->link->send(sealed_[sent_]);
  }
}

}  // namespace tenure::actors::testing
