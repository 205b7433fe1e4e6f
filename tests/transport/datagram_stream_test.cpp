#include "transport/datagram_stream.hpp"

#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::transport {
namespace {

using namespace std::chrono_literals;
using time = datagram_stream::time;

/// A path between two ends that loses, doubles, delays and so reorders what is sent.
class bad_path {
 public:
  bad_path(std::uint64_t seed, double losing, double doubling, time longest)
      : draw_(seed), losing_(losing), doubling_(doubling), longest_(longest) {}

  void put(std::vector<std::byte> bytes, time now) {
    if (chance(losing_)) return;
    if (chance(doubling_)) under_way_.emplace(now + delay(), bytes);
    under_way_.emplace(now + delay(), std::move(bytes));
  }
  /// What has arrived by now.
  std::optional<std::vector<std::byte>> take(time now) {
    if (under_way_.empty() || under_way_.begin()->first > now) return std::nullopt;
    auto bytes = std::move(under_way_.begin()->second);
    under_way_.erase(under_way_.begin());
    return bytes;
  }

 private:
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(draw_) < p; }
  time delay() { return time{std::uniform_int_distribution<std::int64_t>(0, longest_.count())(draw_)}; }

  std::mt19937_64 draw_;
  double losing_, doubling_;
  time longest_;
  std::multimap<time, std::vector<std::byte>> under_way_;
};

std::size_t most_sent = 0;

void run(datagram_stream& from, bad_path& there, time now) {
  while (const auto d = from.next(now)) {
    const auto bytes = d->encode();
    most_sent = std::max(most_sent, bytes.size());
    there.put(bytes, now);
  }
}

void arrive(bad_path& there, datagram_stream& to, std::vector<frame>& got, time now) {
  while (const auto bytes = there.take(now)) {
    const auto d = datagram::decode(*bytes);
    ASSERT_TRUE(d);
    to.received(*d, now);
    while (auto f = to.take()) got.push_back(std::move(*f));
  }
}

std::vector<frame> some_frames(int count, std::size_t longest, std::mt19937_64& draw) {
  std::vector<frame> all;
  for (int i = 0; i < count; ++i) {
    frame f(std::uniform_int_distribution<std::size_t>(0, longest)(draw));
    for (auto& word : f) word = draw();
    all.push_back(std::move(f));
  }
  return all;
}

bool same(const std::vector<frame>& a, const std::vector<frame>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return std::equal(x.begin(), x.end(), y.begin(), y.end());
         });
}

RC_GTEST_PROP(datagram_stream_property, frames_come_whole_once_and_in_order_whatever_the_path_does, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const double losing = *rc::gen::element(0.0, 0.01, 0.1, 0.4);
  const double doubling = *rc::gen::element(0.0, 0.1, 0.5);
  const time longest = *rc::gen::element<time>(0ms, 5ms, 300ms);
  std::mt19937_64 draw(seed);
  const auto there = some_frames(*rc::gen::inRange(0, 30), 2000, draw);
  const auto back = some_frames(*rc::gen::inRange(0, 10), 20, draw);
  datagram_stream a{7}, b{7};
  bad_path ab(seed + 1, losing, doubling, longest), ba(seed + 2, losing, doubling, longest);
  for (const auto& f : there) a.send(f);
  a.finish();
  for (const auto& f : back) b.send(f);
  b.finish();
  std::vector<frame> got_there, got_back;
  time now = 1h;
  for (const time end = now + 20min; now < end && !(a.all_acknowledged() && b.all_acknowledged());
       now += 5ms) {
    run(a, ab, now);
    run(b, ba, now);
    arrive(ab, b, got_there, now);
    arrive(ba, a, got_back, now);
  }
  RC_ASSERT(a.all_acknowledged());
  RC_ASSERT(b.all_acknowledged());
  RC_ASSERT(a.ended());
  RC_ASSERT(b.ended());
  RC_ASSERT(same(there, got_there));
  RC_ASSERT(same(back, got_back));
  RC_ASSERT(a.waiting_bytes() == 0U);
  RC_ASSERT(most_sent <= datagram::most_bytes);
}

RC_GTEST_PROP(datagram_stream_property, any_bytes_are_survived, (const std::vector<std::uint8_t>& bytes)) {
  const auto raw = std::as_bytes(std::span(bytes));
  datagram_stream s{7};
  s.send({1, 2, 3});
  (void)s.next(0ms);
  if (const auto d = datagram::decode(raw)) s.received(*d, 1ms);
  datagram d;
  d.connection = 7;
  d.number = *rc::gen::arbitrary<std::uint64_t>();
  d.received = *rc::gen::arbitrary<std::uint64_t>();
  d.beyond = *rc::gen::arbitrary<std::uint32_t>();
  d.piece.assign(raw.begin(),
                 raw.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(raw.size(), 100)));
  s.received(d, 1ms);
  (void)s.take();
  RC_ASSERT(datagram::decode(d.encode()).has_value());
}

TEST(datagram_stream, a_silent_other_end_is_spoken_to_ever_more_slowly) {
  datagram_stream s{7};
  s.send(frame(10, 1));
  int sent = 0;
  for (time now = 0ms; now < 60s; now += 10ms)
    while (s.next(now)) ++sent;
  EXPECT_GE(sent, 20);
  EXPECT_LE(sent, 40);
}

TEST(datagram_stream, what_is_no_datagram_is_none) {
  EXPECT_FALSE(datagram::decode({}));
  auto good = datagram{}.encode();
  EXPECT_TRUE(datagram::decode(good));
  good[0] = std::byte{0};
  EXPECT_FALSE(datagram::decode(good));
  EXPECT_FALSE(datagram::decode(std::vector<std::byte>(datagram::most_bytes + 1)));
}

}  // namespace
}  // namespace tenure::transport
