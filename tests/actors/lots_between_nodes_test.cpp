// lot_sender and lot_receiver with a link between them that loses, repeats, reorders and dies.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <variant>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/lot_receiver.hpp"
#include "actors/lot_sender.hpp"

namespace tenure::actors {
namespace {

constexpr std::size_t room = 6'000;
constexpr std::size_t credit = 3'000;

wire::lot a_lot(std::uint64_t tag, std::size_t flows, nanos stamp, nanos truth) {
  wire::lot l;
  l.agent = "agent";
  l.incarnation = 7;
  auto& b = l.content;
  b.number = tag;
  b.workloads.push_back({"checkout", {}});
  const tenancy_id tenancy{7, static_cast<std::uint64_t>(truth)};  // carries the truth to the other side
  const endpoint where{address::v4(0x0a00'0001), 0};
  b.tenancies.push_back({tenancy, where, workload_id{1}});
  b.evidence.push_back({where, tenancy, workload_id{1}, stamp - second, stamp, 0, 0});
  for (std::size_t i = 0; i < flows; ++i) {
    flow f;
    f.id = {7, tag, static_cast<std::uint32_t>(3 * i + 1)};
    f.connection = static_cast<std::uint64_t>(truth);
    f.near_address = where.address;
    f.far_address = address::v4(0x0a00'0002);
    f.near_tenancy = tenancy;
    f.near_workload = workload_id{1};
    f.times = {stamp, stamp, stamp, stamp, 0, 0, true};
    b.flows.push_back(f);
  }
  return l;
}

/// Two nodes, their clocks, what is between them, and what must hold.
class two_nodes {
 public:
  explicit two_nodes(std::int64_t drift_ppm)
      : drift_ppm_(drift_ppm), sender_({"a", 11, room, 3 * second}), receiver_(new_receiver()) {}

  void step(std::uint32_t choice) {
    const auto detail = choice / 32;
    switch (choice % 32) {
      case 0:
      case 1:
      case 2:
      case 3:
        return offer(detail % 4);
      case 4:
        return break_link();
      case 5:
        return connect();
      case 6:
        return die();
      case 7:
      case 8:
        if (!between(detail).empty() && sender_.is_welcome()) repeat(between(detail), detail / 2);
        return;
      case 9:
      case 10:
        if (!between(detail).empty() && sender_.is_welcome()) swap(between(detail), detail / 2);
        return;
      case 11:
        return take_back();
      case 12:
      case 13:
        now_ += 1 + detail % (400 * millisecond);
        return tick();
      case 14:
      case 15:
      case 16:
      case 17:
        return make_durable(detail);
      default:
        now_ += 1 + detail % (2 * millisecond);
        return detail % 2 == 0 ? to_receiver() : to_sender();
    }
  }

  /// From now on nothing goes wrong.
  void drain() {
    for (int round = 0; round < 2'000 && sender_.unsettled_lots() > 0; ++round) {
      connect();
      while (!to_b_.empty() || !to_a_.empty()) {
        now_ += millisecond;
        if (!to_b_.empty()) to_receiver();
        if (!to_a_.empty()) to_sender();
      }
      while (!held_.empty()) make_durable(0);
      now_ += 200 * millisecond;
      tick();
    }
    RC_ASSERT(sender_.unsettled_lots() == 0U);
    RC_ASSERT(sender_.unsettled_bytes() == 0U);
    RC_ASSERT(settled_ == offered_);
  }

 private:
  struct held_lot {
    std::uint64_t id;
    std::uint64_t tag;
    std::size_t flows;
  };

  nanos sender_clock() const { return 5 * hour + now_ + now_ / 1'000'000 * drift_ppm_; }
  nanos receiver_clock(nanos at) const { return 90 * second + at; }

  std::unique_ptr<lot_receiver> new_receiver() {
    return std::make_unique<lot_receiver>(
        lot_receiver_settings{"b", ++receivers_, 0, 200, credit, second, 3 * second},
        std::make_shared<workload_table>());
  }
  std::deque<wire::frame>& between(std::uint32_t detail) { return detail % 2 == 0 ? to_b_ : to_a_; }

  void act(const lot_sender::reaction& r) {
    to_b_.insert(to_b_.end(), r.send.begin(), r.send.end());
    for (const auto tag : r.settled) {
      RC_ASSERT(durable_.contains(tag));
      RC_ASSERT(settled_.insert(tag).second);
    }
    if (r.given_back.empty()) return;
    RC_ASSERT(r.given_back.size() == offered_.size() - settled_.size());
    lot_sender::reaction again;
    for (const auto& u : r.given_back) RC_ASSERT(sender_.offer(u.tag, u.lot, again));
    act(again);
  }

  void act(const lot_receiver::reaction& r) {
    for (const auto& m : r.send) to_a_.push_back(wire::encode(m));
    for (const auto& lot : r.placed) {
      RC_ASSERT(placed_.insert(lot.id).second);
      for (const auto& e : lot.items) covers(e.until, e.until_error, static_cast<nanos>(e.tenancy.sequence));
      for (const auto& f : lot.flows) {
        covers(f.times.last_received, f.times.error, static_cast<nanos>(f.connection));
        RC_ASSERT(f.id.batch == lot.batch && f.id.index % 3 == 1);
      }
      if (lot.flows.empty())
        durable_.insert(lot.batch);
      else
        held_.push_back({lot.id, lot.batch, lot.flows.size()});
    }
  }

  /// What was placed says the truth within its error.
  void covers(nanos placed, nanos error, nanos truth) {
    if (error == unknown_error) return;
    RC_ASSERT(std::abs(placed - receiver_clock(truth)) <= error);
  }

  void offer(std::size_t flows) {
    const auto tag = next_tag_;
    lot_sender::reaction r;
    if (!sender_.offer(tag, a_lot(tag, flows, sender_clock(), now_), r)) {
      RC_ASSERT(sender_.unsettled_bytes() >= room);
      return;
    }
    offered_.insert(tag);
    ++next_tag_;
    act(r);
    RC_ASSERT(sender_.unsettled_bytes() < room + room / 2);
  }
  void break_link() {
    if (!sender_.is_connected()) return;
    to_a_.clear();
    to_b_.clear();
    sender_.disconnected();
    if (receiver_->is_connected()) receiver_->disconnected();
  }
  void connect() {
    if (!sender_.is_connected()) act(sender_.connected(sender_clock()));
  }
  void die() {
    break_link();
    receiver_ = new_receiver();
    held_.clear();
    placed_.clear();
  }
  static void repeat(std::deque<wire::frame>& frames, std::size_t which) {
    frames.push_back(frames[which % frames.size()]);
  }
  static void swap(std::deque<wire::frame>& frames, std::size_t which) {
    std::swap(frames[which % frames.size()], frames.back());
  }
  void take_back() {
    break_link();
    std::set<std::uint64_t> back;
    auto lots = sender_.take_back();
    for (const auto& u : lots) RC_ASSERT(back.insert(u.tag).second && u.lot.content.number == u.tag);
    std::set<std::uint64_t> expected;
    std::set_difference(offered_.begin(), offered_.end(), settled_.begin(), settled_.end(),
                        std::inserter(expected, expected.end()));
    RC_ASSERT(back == expected);
    // To whom they belong now, which may well be the same node.
    lot_sender::reaction r;
    for (auto& u : lots) RC_ASSERT(sender_.offer(u.tag, std::move(u.lot), r));
    act(r);
  }
  void tick() {
    auto r = receiver_->tick(receiver_clock(now_));
    if (!r || !sender_.tick(sender_clock())) return break_link();
    act(*r);
  }
  void make_durable(std::size_t which) {
    if (held_.empty()) return;
    auto& lot = held_[which % held_.size()];
    if (--lot.flows == 0) durable_.insert(lot.tag);
    act(receiver_->durable(lot.id, 1));
    if (lot.flows == 0) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(which % held_.size()));
  }
  void to_receiver() {
    if (to_b_.empty()) return;
    const auto frame = std::move(to_b_.front());
    to_b_.pop_front();
    const auto clock = receiver_clock(now_);
    if (!receiver_->is_connected()) {
      auto hello = wire::decode(frame, 0);
      RC_ASSERT(hello && std::holds_alternative<wire::peer_hello>(*hello));
      auto r = receiver_->connected(std::get<wire::peer_hello>(*hello), clock);
      RC_ASSERT(r.has_value());
      return act(*r);
    }
    auto r = receiver_->receive(frame, clock, clock);
    RC_ASSERT(r.has_value());
    act(*r);
  }
  void to_sender() {
    if (to_a_.empty()) return;
    const auto frame = std::move(to_a_.front());
    to_a_.pop_front();
    auto r = sender_.receive(frame, sender_clock());
    RC_ASSERT(r.has_value());
    act(*r);
  }

  const std::int64_t drift_ppm_;
  nanos now_ = 10 * second;
  std::uint64_t receivers_ = 0;
  lot_sender sender_;
  std::unique_ptr<lot_receiver> receiver_;
  std::deque<wire::frame> to_b_;
  std::deque<wire::frame> to_a_;
  std::vector<held_lot> held_;
  std::set<std::uint64_t> placed_;  // by this receiver
  std::uint64_t next_tag_ = 1;
  std::set<std::uint64_t> offered_;
  std::set<std::uint64_t> durable_;
  std::set<std::uint64_t> settled_;
};

RC_GTEST_PROP(lots_between_nodes, each_is_settled_once_and_only_when_durable_whatever_the_link_does,
              (const std::vector<std::uint32_t>& before)) {
  two_nodes nodes(*rc::gen::inRange<std::int64_t>(-150, 150));
  nodes.step(5);
  // Some hundred steps, whatever size the vector has.
  const auto any_step = rc::gen::inRange<std::uint32_t>(0, ~0U);
  const auto more = *rc::gen::container<std::vector<std::uint32_t>>(300, any_step);
  for (const auto choice : before) nodes.step(choice);
  for (const auto choice : more) nodes.step(choice);
  nodes.drain();
}

// Their numbers have gaps.
TEST(lots_from_a_node, beyond_as_many_runs_as_there_may_be_are_forgotten_and_counted) {
  lot_receiver receiver({.node = "b", .incarnation = 1}, std::make_shared<workload_table>());
  nanos now = 10 * second;
  std::uint64_t asked = 0;
  const auto heard = [&](const outcome<lot_receiver::reaction>& r) {
    ASSERT_TRUE(r);
    for (const auto& m : r->send)
      if (const auto* p = std::get_if<wire::ping>(&m)) asked = p->id;
  };
  heard(receiver.connected({.incarnation = 11, .node = "a"}, now));
  constexpr std::uint64_t last = 2 * (batch_ledger::limits{}.runs + 6);
  for (std::uint64_t id = 2; id <= last; id += 2) {
    auto l = a_lot(id, 0, now, now);
    l.id = id;
    heard(receiver.receive(wire::encode(l), now, now));
  }
  // The first answer was on its way before they came, so another one follows.
  for (int i = 0; i < 2; ++i) {
    now += second;
    heard(receiver.receive(wire::encode(wire::pong{asked, now}), now, now));
  }
  EXPECT_EQ(receiver.take_forgotten(), 6U);
  EXPECT_EQ(receiver.take_forgotten(), 0U);
}

}  // namespace
}  // namespace tenure::actors
