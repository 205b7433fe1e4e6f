#include "agent/take_over.hpp"

#include <set>
#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

tenure_socket_event end_of(std::uint16_t port, std::uint32_t near, std::uint32_t far) {
  tenure_socket_event e{};
  e.cookie = 7;
  e.near_port = port;
  e.far_port = 443;
  e.near_initial_sequence = near;
  e.far_initial_sequence = far;
  return e;
}

constexpr auto left = take_over::side::left;
constexpr auto own = take_over::side::own;

TEST(take_over, an_end_that_both_saw_is_told_once_whoever_tells_it_first) {
  take_over t;
  EXPECT_FALSE(t.told_already(end_of(1, 100, 200), left));
  EXPECT_TRUE(t.told_already(end_of(1, 99, 200), own)) << "our programs had not seen which end opened";
  EXPECT_FALSE(t.told_already(end_of(2, 0, 200), own));
  EXPECT_TRUE(t.told_already(end_of(2, 0xffffffff, 200), left));
}

TEST(take_over, the_next_connection_between_the_same_ports_is_another) {
  take_over t;
  EXPECT_FALSE(t.told_already(end_of(1, 100, 200), left));
  EXPECT_FALSE(t.told_already(end_of(1, 100, 201), own));
  EXPECT_FALSE(t.told_already(end_of(1, 102, 200), own));
  EXPECT_FALSE(t.told_already(end_of(1, 100, 200), left)) << "nobody tells of one end twice";
}

// Whatever each side saw, and in whatever order it is read: each end is told at least once, and what both saw
// exactly once.
RC_GTEST_PROP(take_over, loses_nothing_and_tells_once_what_both_saw, ()) {
  using connection = std::tuple<std::uint16_t, std::uint32_t>;
  std::set<connection> told;
  std::set<std::pair<connection, bool>> read;
  take_over t;
  const int events = *rc::gen::inRange(0, 200);
  for (int i = 0; i < events; ++i) {
    const connection c{static_cast<std::uint16_t>(*rc::gen::inRange(1, 4)),
                       static_cast<std::uint32_t>(10 * *rc::gen::inRange(0, 6))};
    const bool by_left = *rc::gen::arbitrary<bool>();
    if (!read.insert({c, by_left}).second) continue;
    const auto& [port, sequence] = c;
    const bool again = t.told_already(end_of(port, sequence + (by_left ? 1 : 0), 5), by_left ? left : own);
    RC_ASSERT(again == read.contains({c, !by_left}));
    RC_ASSERT(told.insert(c).second != again);
  }
}

}  // namespace
}  // namespace tenure::agent
