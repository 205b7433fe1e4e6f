#include "hold/block_pool.hpp"

#include <cstring>
#include <sys/mman.h>
#include <thread>

#include <gtest/gtest.h>

namespace tenure::hold {
namespace {

TEST(block_pool, gives_the_same_memory_again) {
  const auto pool = block_pool::make();
  auto first = pool->take();
  const auto* const where = first->data;
  EXPECT_EQ(pool->bytes_taken(), block_pool::block_bytes);
  first.reset();
  EXPECT_EQ(pool->bytes_taken(), 0U);
  EXPECT_EQ(pool->take()->data, where);
}

TEST(block_pool, has_what_it_was_asked_to_have_ready) {
  const auto pool = block_pool::make(std::size_t{20} << 20);
  const auto bytes = pool->bytes();
  EXPECT_GE(bytes, std::size_t{20} << 20);
  std::vector<block_ptr> all;
  for (int i = 0; i < 80; ++i) all.push_back(pool->take());
  EXPECT_EQ(pool->bytes(), bytes);
  // It is the machine's already, not only promised by it.
  for (const auto& b : all) {
    std::vector<unsigned char> pages(b->size / 4096);
    ASSERT_EQ(::mincore(b->data, b->size, pages.data()), 0);
    for (const auto page : pages) ASSERT_EQ(page & 1, 1);
  }
  for (const auto& b : all) std::memset(b->data, 1, b->size);
}

TEST(block_pool, what_is_too_large_for_a_block_has_one_of_its_own_that_is_not_kept) {
  const auto pool = block_pool::make();
  auto large = pool->take(5'000'000);
  ASSERT_GE(large->size, 5'000'000U);
  std::memset(large->data, 1, large->size);
  large.reset();
  EXPECT_EQ(pool->bytes(), 0U);
}

TEST(block_pool, a_block_keeps_its_pool) {
  auto pool = block_pool::make();
  auto b = pool->take();
  pool.reset();
  std::memset(b->data, 1, b->size);
}

TEST(block_pool, any_thread_takes_and_gives_back) {
  const auto pool = block_pool::make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) {
        const auto a = pool->take();
        const auto b = pool->take();
        std::memset(a->data, t, 64);
        std::memset(b->data, t + 1, 64);
        ASSERT_EQ(std::to_integer<int>(a->data[63]), t);
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(pool->bytes_taken(), 0U);
}

}  // namespace
}  // namespace tenure::hold
