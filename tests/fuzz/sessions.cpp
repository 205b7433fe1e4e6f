#include "tests/fuzz/sessions.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "actors/hold_queue.hpp"
#include "actors/session_protocol.hpp"
#include "capnp/codec.hpp"
#include "ownership/attributor.hpp"
#include "ownership/invariant.hpp"
#include "transport/frame_reader.hpp"

namespace tenure::fuzz {
namespace {

using namespace actors;

constexpr std::uint64_t incarnation = 7;
constexpr nanos begin = 1'000 * second;
constexpr std::size_t budget_bytes = 1 << 20;
constexpr nanos longest_promise = second;

/// Takes values off the front of the input; zeros when it is used up.
class script {
 public:
  script(const std::uint8_t* data, std::size_t size) : left_(data, size) {}
  bool ended() const { return left_.empty(); }
  template <class T>
  T take() {
    T value{};
    const auto n = std::min(sizeof value, left_.size());
    std::memcpy(&value, left_.data(), n);
    left_ = left_.subspan(n);
    return value;
  }
  std::span<const std::byte> bytes(std::size_t most) {
    const auto piece = left_.first(std::min(most, left_.size()));
    left_ = left_.subspan(piece.size());
    return std::as_bytes(piece);
  }

 private:
  std::span<const std::uint8_t> left_;
};

std::shared_ptr<const session_settings> settings() {
  auto s = std::make_shared<session_settings>();
  s->node = std::string(1, 'n');
  s->routable = prefix_set{{*prefix::parse("10.0.0.0/8"), *prefix::parse("2001:db8::/32")}};
  s->budget = std::make_shared<shared_budget>(budget_bytes);
  s->max_waiting_bytes = 1 << 16;
  s->longest_promise = longest_promise;
  s->shares.tenancies = 8;
  s->shares.workloads = 4;
  s->shards = 2;
  s->allowed = std::make_shared<const allow_rules>(
      allow_rules{{*transport::spiffe_pattern::parse("spiffe://p/a"),
                   prefix_set{{*prefix::parse("10.0.0.0/16"), *prefix::parse("2001:db8::/64")}},
                   {"w1", "w2*", "a*"}}});
  return s;
}

class play {
 public:
  play(const std::uint8_t* data, std::size_t size) : in_(data, size) {
    for (std::size_t i = 0; i < settings_->shards; ++i)
      held_.emplace_back(hold_settings{.hold = second, .longest = 3 * second}, memory_);
    connect();
  }

  void run() {
    for (int steps = 0; !in_.ended() && steps < 256; ++steps) {
      step();
      check();
    }
    if (session_.is_connected()) session_.disconnected();
    pass(minute);
    release();
    check();
    const auto f = session_.flows();
    invariant(f.held == 0, "in the end nothing is held");
  }

 private:
  void step() {
    switch (in_.take<std::uint8_t>() % 10) {
      case 0:
        return stream(in_.bytes(in_.take<std::uint16_t>() % 2'048));
      case 1:
        return pass(in_.take<std::uint32_t>());
      case 2:
        return pass(static_cast<nanos>(in_.take<std::uint16_t>()) * 10 * millisecond);
      case 3:
        return say(wire::pong{last_ping_, their_clock()});
      case 4:
        return say(wire::pong{in_.take<std::uint64_t>(), in_.take<nanos>()});
      case 5:
        return say_batch(made_up());
      case 6:
        if (!sent_.empty()) frame(sent_[in_.take<std::uint8_t>() % sent_.size()]);
        return;
      case 7:
        if (session_.is_connected()) session_.disconnected();
        return connect();
      case 8:
        return release();
      default:
        return tick();
    }
  }

  nanos their_clock() const { return now_ - 400 * second; }

  void pass(nanos span) { now_ = saturating_add(now_, std::max<nanos>(span, 0)); }

  void connect() {
    if (session_.is_connected()) return;
    reader_ = {};
    const auto how = in_.take<std::uint8_t>();
    const bool known = (how & 1) == 0;
    take(session_.connected(
        {.incarnation = incarnation, .agent = "a", .credit = known, .waits = (how & 2) == 0}, now_,
        known ? "spiffe://p/a" : "spiffe://p/b"));
  }

  void say(const wire::message& m) { frame(wire::encode(m)); }
  void say_batch(const wire::batch& b) {
    // Which of the two way it goes follows from what is in it: so inputs of before mean what they meant.
    const bool packed = !b.flows.empty() && b.flows.front().far_address.low() % 2 == 1;
    frame(packed ? wire::encode_packed(b) : wire::encode(b));
  }

  void frame(wire::frame f) {
    sent_.push_back(f);
    if (sent_.size() > 8) sent_.erase(sent_.begin());
    const auto prefix = transport::length_prefix(f);
    stream(prefix);
    stream(std::as_bytes(std::span{f}));
  }

  void stream(std::span<const std::byte> bytes) {
    while (!bytes.empty() && session_.is_connected()) {
      auto f = reader_.next(bytes);
      if (reader_.refused()) return session_.disconnected();
      if (!f) continue;
      session_reaction r;
      const auto done = session_.receive(std::make_shared<const wire::frame>(std::move(*f)), now_, now_, r);
      if (done) {
        session_.renew_credit(r);
        session_.ask(now_, r);
        invariant(!r.ask_at || *r.ask_at <= now_ + longest_promise, "nothing waits longer for a ping");
      }
      take(std::move(r));
      if (!done) session_.disconnected();
    }
  }

  void tick() {
    auto r = session_.tick(now_);
    if (r)
      take(std::move(*r));
    else
      session_.disconnected();
    take(session_.ask(now_));
    take(session_.renew_credit());
  }

  nanos stamp() {
    const auto how = in_.take<std::uint8_t>();
    if (how < 4) return in_.take<nanos>();
    return their_clock() - how * 10 * millisecond;
  }

  wire::batch made_up() {
    wire::batch b;
    b.number = in_.take<std::uint8_t>() % 2 == 0 ? next_number_++ : in_.take<std::uint64_t>();
    static constexpr const char* names[] = {"w1", "w2", "w22", "x", "a1", "a2", "a3", "a4"};
    for (std::uint32_t i = 0, n = in_.take<std::uint8_t>() % 4; i < n; ++i)
      b.workloads.push_back({names[in_.take<std::uint8_t>() % std::size(names)], {}});
    const auto workload = [&] {
      return workload_id{1 + in_.take<std::uint8_t>() % static_cast<std::uint32_t>(b.workloads.size())};
    };
    const auto where = [&] {
      const auto low = in_.take<std::uint8_t>();
      const std::uint32_t v4 = (low & 0x40) != 0   ? 0x0a010000U
                               : (low & 0x20) != 0 ? 0xc6336400U
                                                   : 0x0a000000U;
      return (low & 0x80) != 0 ? address::from_halves(0x20010db8'00000000U, low) : address::v4(v4 + low % 8);
    };
    if (!b.workloads.empty()) {
      for (std::uint32_t i = 0, n = in_.take<std::uint8_t>() % 4; i < n; ++i) {
        const wire::tenancy_entry t{{incarnation, in_.take<std::uint16_t>()}, {where(), 0}, workload()};
        if (std::any_of(b.tenancies.begin(), b.tenancies.end(), [&](const auto& o) { return o.id == t.id; }))
          continue;
        b.tenancies.push_back(t);
        b.evidence.push_back({t.endpoint, t.id, t.workload, stamp(), stamp(), 0, 0});
      }
    }
    for (std::uint32_t i = 0, n = in_.take<std::uint8_t>() % 8; i < n; ++i) {
      flow f;
      f.id = {incarnation, b.number, i};
      f.near_address = where();
      f.far_address = where();
      if (!b.tenancies.empty()) {
        const auto& t = b.tenancies[in_.take<std::uint8_t>() % b.tenancies.size()];
        f.near_tenancy = t.id;
        f.near_workload = t.workload;
      }
      f.times = {stamp(), stamp(), stamp(), stamp(), 0, millisecond, true};
      b.flows.push_back(f);
    }
    return b;
  }

  void take(session_reaction r) {
    for (const auto& m : r.send)
      if (const auto* p = std::get_if<wire::ping>(&m)) last_ping_ = p->id;
    for (auto& placed : r.placed) {
      for (const auto& e : placed.items) merge(e);
      for (std::size_t i = 0; i < placed.flows.size(); ++i) {
        if (placed.flows[i].empty()) continue;
        received_ += placed.flows[i].count();
        flow_lot lot;
        lot.rows = std::move(placed.flows[i]);
        held_[i].push(lot, now_);
      }
    }
  }

  void merge(const evidence& e) {
    const auto core = e.core();
    invariant(core.empty() || core.until <= now_, "no evidence reaches beyond now");
    const bool allowed =
        prefix_set{{*prefix::parse("10.0.0.0/16"), *prefix::parse("2001:db8::/64")}}.contains(
            e.endpoint.address);
    const auto name = workloads_->name(e.workload);
    invariant(allowed && (name == "w1" || name.starts_with("w2") || name.starts_with("a")),
              "nothing is claimed that may not be");
    owners_.merge(e);
  }

  /// What is due is resolved, written, and confirmed.
  void release() {
    for (auto& queue : held_)
      for (const auto& lot : queue.due(now_)) {
        const std::byte* at = lot->rows;
        for (const auto& part : lot->parts) {
          hold::row_cursor rows(part.base, at);
          at += part.bytes;
          answer_counts<std::uint32_t> answers{};
          for (std::uint32_t n = 0; n < part.flows; ++n) {
            flow f;
            rows.next(f);
            const auto v = owners_.attribute(f.far_address, f.far_port, f.times);
            ++answers[static_cast<std::size_t>(v.reason)];
            --received_;
          }
          session_.durable(part.base.batch, answers, 0);
          auto r = session_.after_durable(now_);
          invariant(!r.ask_at || *r.ask_at <= now_ + longest_promise, "nothing waits longer for a ping");
          invariant(!r.send.empty() || r.ask_at || !session_.has_unsaid(), "what waits is looked at again");
          take(std::move(r));
        }
      }
  }

  void check() {
    invariant(session_.flows().balances(), "the ledger balances");
    std::size_t held = 0;
    for (const auto& q : held_) held += q.flows();
    invariant(held == received_, "what is held is what was received");
    const auto used = settings_->budget->used();
    // An agent may pass its credit by one batch, or the budget where it knows no credit.
    invariant(used >= 0 && used <= static_cast<std::int64_t>(budget_bytes + transport::max_frame_bytes),
              "the budget is kept");
    invariant(workloads_->size() <= settings_->shares.workloads, "one agent brings so many names");
    invariant(owners_.timelines().tenancies() <= settings_->shares.tenancies, "and so many tenancies");
  }

  script in_;
  std::shared_ptr<const session_settings> settings_ = settings();
  std::shared_ptr<workload_table> workloads_ = std::make_shared<workload_table>();
  std::shared_ptr<node_counters> counters_ = std::make_shared<node_counters>();
  session_protocol session_{settings_, workloads_, counters_};
  std::shared_ptr<hold::block_pool> memory_ = shared_memory();
  std::vector<hold_queue> held_;
  attributor owners_{settings_->routable};
  transport::frame_reader reader_;
  nanos now_ = begin;
  std::uint64_t last_ping_ = 0;
  std::uint64_t next_number_ = 1;
  std::uint64_t received_ = 0;
  std::vector<wire::frame> sent_;

  /// Kept from play to play: blocks are large.
  static std::shared_ptr<hold::block_pool> shared_memory() {
    static const auto pool = hold::block_pool::make();
    return pool;
  }
};

}  // namespace

void play_session(const std::uint8_t* data, std::size_t size) {
  play(data, size).run();
}

}  // namespace tenure::fuzz
