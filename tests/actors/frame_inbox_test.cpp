#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

#include "actors/frames.hpp"

namespace tenure::actors {
namespace {

constexpr std::size_t plenty = std::size_t{1} << 30;

received_frame_ptr numbered(std::uint64_t n, std::size_t words = 1) {
  auto f = std::make_shared<received_frame>();
  f->bytes.assign(words, n);
  return f;
}

TEST(frame_inbox, tells_of_the_first_and_hands_over_all_in_order) {
  frame_inbox inbox;
  EXPECT_EQ(inbox.put(numbered(1), plenty), frame_inbox::put_in::first);
  EXPECT_EQ(inbox.put(numbered(2), plenty), frame_inbox::put_in::another);
  std::vector<received_frame_ptr> taken{numbered(9)};
  inbox.take(taken);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0]->bytes[0], 1U);
  EXPECT_EQ(taken[1]->bytes[0], 2U);
  EXPECT_EQ(inbox.put(numbered(3), plenty), frame_inbox::put_in::first)
      << "who took them has to be told again";
  inbox.take(taken);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0]->bytes[0], 3U);
  inbox.take(taken);
  EXPECT_TRUE(taken.empty());
}

TEST(frame_inbox, takes_no_more_than_may_wait) {
  frame_inbox inbox;
  const auto one = numbered(1, 100);
  const std::size_t most = 2 * inbox_cost(one->bytes);
  EXPECT_EQ(inbox.put(one, most), frame_inbox::put_in::first);
  EXPECT_EQ(inbox.put(one, most), frame_inbox::put_in::another);
  EXPECT_EQ(inbox.put(numbered(2), most), frame_inbox::put_in::flood) << "however small";
  std::vector<received_frame_ptr> taken;
  inbox.take(taken);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_EQ(inbox.put(one, most), frame_inbox::put_in::first) << "what was taken waits no more";
}

// Whoever reads comes once for each time that it was told, and finds everything.
TEST(frame_inbox, loses_nothing_between_two_threads) {
  constexpr std::uint64_t frames = 20'000;
  frame_inbox inbox;
  std::counting_semaphore<> told{0};
  std::jthread transport([&] {
    for (std::uint64_t n = 1; n <= frames; ++n)
      if (inbox.put(numbered(n), plenty) == frame_inbox::put_in::first) told.release();
  });
  std::vector<received_frame_ptr> taken;
  std::uint64_t last = 0;
  while (last < frames) {
    told.acquire();
    inbox.take(taken);
    for (const auto& f : taken) ASSERT_EQ(f->bytes[0], ++last);
  }
}

}  // namespace
}  // namespace tenure::actors
