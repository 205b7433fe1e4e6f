#include "agent/flow_builder.hpp"

#include <cerrno>
#include <cstring>
#include <linux/types.h>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "bpf/socket_event.h"

namespace tenure::agent {
namespace {

/// Samples as a kernel with this tick gives them: the count lags behind the time while the processor is late.
std::vector<jiffy_sample> samples(nanos rate, nanos start, nanos span, nanos step, nanos lateness) {
  const nanos tick = second / rate;
  std::vector<jiffy_sample> result;
  for (nanos t = start; t <= start + span; t += step) {
    const nanos late = result.size() % 7 == 3 ? lateness : 0;
    result.push_back({static_cast<std::uint64_t>((t - late) / tick) + 4'294'667'296ULL, t});
  }
  return result;
}

RC_GTEST_PROP(jiffy_clock, is_never_too_late_and_at_most_two_ticks_too_early, ()) {
  const nanos rate = *rc::gen::element<nanos>(100, 250, 300, 1000);
  const nanos tick = second / rate;
  const nanos start = *rc::gen::inRange<nanos>(second, 1000 * second);
  const nanos step = *rc::gen::inRange<nanos>(100 * microsecond, 1100 * microsecond);
  const nanos lateness = *rc::gen::inRange<nanos>(0, tick);
  const auto clock = jiffy_clock::calibrate(samples(rate, start, 60 * millisecond, step, lateness));
  RC_ASSERT(clock.has_value());
  RC_ASSERT(clock->tick() == tick);
  const nanos stamped = *rc::gen::inRange<nanos>(second, 100'000 * second);
  const auto bound = clock->not_before(static_cast<std::uint64_t>(stamped / tick) + 4'294'667'296ULL);
  RC_ASSERT(bound <= stamped);
  RC_ASSERT(bound >= stamped - 2 * tick - step - microsecond);
}

RC_GTEST_PROP(jiffy_clock, widens_a_stamp_across_the_wrap_of_its_low_half,
              (std::uint64_t stamp, std::uint32_t after)) {
  RC_PRE(stamp <= ~std::uint64_t{0} - after);
  RC_ASSERT(jiffy_clock::widen(static_cast<std::uint32_t>(stamp), stamp + after) == stamp);
}

TEST(jiffy_clock, refuses_what_it_cannot_tell) {
  EXPECT_FALSE(jiffy_clock::calibrate({}));
  EXPECT_FALSE(jiffy_clock::calibrate(samples(250, second, 10 * millisecond, millisecond, 0)));
  EXPECT_FALSE(jiffy_clock::calibrate(samples(10'000, second, 60 * millisecond, millisecond, 0)));
}

// Of a real agent: its guest stood still for longer than is forgiven, just then.
TEST(jiffy_clock, is_calibrated_once_more_when_the_machine_stood_still) {
  int asked = 0;
  const auto take = [&asked]() -> outcome<std::vector<jiffy_sample>> {
    return samples(250, second, 60 * millisecond, millisecond, ++asked < 3 ? 30 * millisecond : 0);
  };
  EXPECT_FALSE(jiffy_clock::calibrate_in(2, take));
  EXPECT_EQ(asked, 2);
  const auto clock = jiffy_clock::calibrate_in(2, take);
  ASSERT_TRUE(clock);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(clock->tick(), 4 * millisecond);
}

class flow_builder_test : public ::testing::Test {
 protected:
  static constexpr nanos tick = 4 * millisecond;

  flow_builder_test()
      : builder_(*jiffy_clock::calibrate(samples(250, second, 60 * millisecond, 100 * microsecond, 0)),
                 200 * millisecond) {
    event_.flags = TENURE_SOCKET_ACTIVE | TENURE_SOCKET_ESTABLISHED | TENURE_SOCKET_OPENED_KNOWN;
    event_.opened_ns = 10 * second;
    event_.established_ns = 10 * second + 3 * millisecond;
    event_.closed_ns = 60 * second;
    event_.jiffies = jiffies_at(60 * second);
    event_.last_ack_jiffies = event_.last_data_jiffies = static_cast<std::uint32_t>(jiffies_at(30 * second));
  }

  static std::uint64_t jiffies_at(nanos monotonic) {
    return static_cast<std::uint64_t>(monotonic / tick) + 4'294'667'296ULL;
  }

  flow_builder builder_;
  tenure_socket_event event_{};
};

TEST_F(flow_builder_test, takes_the_later_of_last_ack_and_last_data) {
  event_.last_data_jiffies = static_cast<std::uint32_t>(jiffies_at(40 * second));
  const auto t = builder_.build(event_).flow.times;
  EXPECT_LE(t.last_received, 40 * second);
  EXPECT_GE(t.last_received, 40 * second - 2 * tick - millisecond);
  EXPECT_EQ(t.opened, 10 * second);
  EXPECT_EQ(t.error, flow_builder::stamp_error);
}

TEST_F(flow_builder_test, ignores_a_stamp_that_was_never_set) {
  event_.jiffies = std::uint64_t{1} << 32;  // just after the wrap, where 0 looks like now
  event_.last_ack_jiffies = 0;
  event_.last_data_jiffies = static_cast<std::uint32_t>(event_.jiffies - 5000);
  event_.closed_ns = 1200 * second;
  EXPECT_LE(builder_.build(event_).flow.times.last_received, 1180 * second);
}

TEST_F(flow_builder_test, a_suspend_makes_last_received_earlier_never_later) {
  event_.closed_ns += 3600 * second;  // boot time ran on, jiffies did not
  const auto t = builder_.build(event_).flow.times;
  EXPECT_LE(t.last_received, 30 * second);
  event_.boot_offset_ns = 100 * second;  // it had been suspended before the connection, too
  EXPECT_LE(builder_.build(event_).flow.times.last_received, 130 * second);
  EXPECT_GT(builder_.build(event_).flow.times.last_received, 129 * second);
}

TEST_F(flow_builder_test, last_received_stays_within_the_connection) {
  event_.last_ack_jiffies = event_.last_data_jiffies = static_cast<std::uint32_t>(jiffies_at(10 * second));
  EXPECT_EQ(builder_.build(event_).flow.times.last_received, 10 * second + 3 * millisecond);
}

TEST_F(flow_builder_test, transit_is_the_floor_or_four_round_trips) {
  event_.srtt_us = 1000;
  EXPECT_EQ(builder_.build(event_).flow.times.transit, 200 * millisecond);
  event_.srtt_us = 100'000;
  EXPECT_EQ(builder_.build(event_).flow.times.transit, 400 * millisecond);
  event_.srtt_us = ~0U;
  EXPECT_EQ(builder_.build(event_).flow.times.transit, nanos{4000} * ~0U);
}

TEST_F(flow_builder_test, what_is_not_known_of_the_opening_is_the_earliest_time) {
  event_.flags = TENURE_SOCKET_ESTABLISHED | TENURE_SOCKET_OPEN_BEFORE;
  const auto o = builder_.build(event_);
  EXPECT_EQ(o.flow.times.opened, time_min);
  EXPECT_EQ(o.flow.reporter, reporter::destination);
  EXPECT_TRUE(o.open_before_agent);
  EXPECT_EQ(o.flow.counters.connect_us, 0U);
}

TEST_F(flow_builder_test, a_failed_connect_keeps_its_errno_and_is_not_established) {
  event_.flags = TENURE_SOCKET_ACTIVE | TENURE_SOCKET_OPENED_KNOWN;
  event_.error = ECONNREFUSED;
  const auto f = builder_.build(event_).flow;
  EXPECT_FALSE(f.times.is_established);
  EXPECT_EQ(f.connect_errno, ECONNREFUSED);
  EXPECT_EQ(f.end, end_reason::end_of_flow);
  event_.error = ETIMEDOUT;
  EXPECT_EQ(builder_.build(event_).flow.end, end_reason::idle_timeout);
}

TEST_F(flow_builder_test, addresses_counters_and_numbers_come_through) {
  const auto near = address::parse("10.1.2.3")->bytes();
  const auto far = address::parse("2001:db8::7")->bytes();
  std::memcpy(event_.near_address, near.data(), near.size());
  std::memcpy(event_.far_address, far.data(), far.size());
  event_.near_port = 1;
  event_.far_port = 65535;
  event_.bytes_sent = 1ULL << 40;
  event_.min_rtt_us = ~0U;
  event_.near_incarnation = 7;
  event_.near_sequence = 8;
  event_.cookie = 9;
  const auto first = builder_.build(event_);
  EXPECT_EQ(first.flow.near_address.to_string(), "10.1.2.3");
  EXPECT_EQ(first.flow.far_address.to_string(), "2001:db8::7");
  EXPECT_EQ(first.flow.far_port, 65535);
  EXPECT_EQ(first.flow.counters.bytes_sent, 1ULL << 40);
  EXPECT_EQ(first.flow.counters.min_rtt_us, 0U) << "no sample";
  EXPECT_EQ(first.flow.counters.connect_us, 3000U);
  EXPECT_EQ(first.flow.near_tenancy, (tenancy_id{7, 8}));
  EXPECT_EQ(first.netns_cookie, 9U);
  EXPECT_NE(builder_.build(event_).flow.connection, first.flow.connection);
}

}  // namespace
}  // namespace tenure::agent
