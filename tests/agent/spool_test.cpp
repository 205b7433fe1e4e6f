#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdlib.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/retention.hpp"
#include "agent/spool_folder.hpp"
#include "tests/sinks/small_disk.hpp"

namespace tenure::agent {
namespace {

namespace fs = std::filesystem;

struct folder {
  std::string path;
  folder() {
    char pattern[] = "/tmp/tenure-spool-XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~folder() { fs::remove_all(path); }
  std::string batch(std::uint64_t incarnation, int number) const {
    char name[64];
    std::snprintf(name, sizeof name, "/boot-%016llx/%d.batch", static_cast<unsigned long long>(incarnation),
                  number);
    return path + name;
  }
};

wire::frame frame_of(std::uint64_t n, std::size_t words = 5) {
  return wire::frame(words, n);
}

std::vector<std::uint64_t> all_of(retention& r) {
  std::vector<std::uint64_t> seen;
  std::uint64_t number = 0;
  while (const auto* f = r.next(number)) {
    EXPECT_EQ(f->front(), number);
    seen.push_back(number);
  }
  return seen;
}

/// Keeps to what is put, for the property below, and fails when it is told to.
class memory_spool final : public spool {
 public:
  outcome<void> put(std::uint64_t number, std::size_t flows, const wire::frame& f) override {
    if (full) return fail(trouble::refused, "full");
    kept[number] = {flows, f};
    return {};
  }
  outcome<wire::frame> get(std::uint64_t number) override { return kept.at(number).second; }
  void erase(std::uint64_t number) override { kept.erase(number); }
  std::vector<entry> list() override { return {}; }

  std::map<std::uint64_t, std::pair<std::size_t, wire::frame>> kept;
  bool full = false;
};

RC_GTEST_PROP(spool, retention_with_it_loses_nothing_uncounted_within_both_bounds, ()) {
  const auto kept_outside = std::make_shared<memory_spool>();
  retention r{200, kept_outside, 1000};
  std::uint64_t number = 0;
  std::size_t acknowledged = 0;
  for (const auto& step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 10))) {
    if (step < 6) {
      ++number;
      r.keep(number, frame_of(number, 1 + static_cast<std::size_t>(step)), 1);
    } else if (step < 8 && number > 0) {
      acknowledged += r.acknowledge(*rc::gen::inRange<std::uint64_t>(1, number + 1)) ? 1U : 0U;
    } else {
      kept_outside->full = !kept_outside->full;
    }
    std::size_t outside = 0;
    for (const auto& [n, b] : kept_outside->kept) outside += b.second.size() * 8;
    RC_ASSERT(outside == r.spooled_bytes());
    RC_ASSERT(outside <= 1000U);
    RC_ASSERT(r.bytes() <= 200U);
    RC_ASSERT(r.batches() == r.flows());
    RC_ASSERT(number == r.batches() + acknowledged + r.batches_dropped());
    RC_ASSERT(all_of(r).size() == r.batches());
  }
}

TEST(spool, what_an_agent_left_is_found_and_delivered_by_the_next) {
  const folder f;
  {
    retention r{40, std::shared_ptr{*open_spool(f.path, "boot", 7)}, 1000};
    for (std::uint64_t n = 1; n <= 4; ++n) r.keep(n, frame_of(n), n);
    r.acknowledge(2);
    EXPECT_EQ(r.bytes(), 40U) << "memory holds the newest";
  }
  const auto left = look_for_left_behind(f.path, "boot");
  ASSERT_EQ(left.incarnations, std::vector<std::uint64_t>{7});
  retention next{40, std::shared_ptr{*open_spool(f.path, "boot", 7)}, 1000};
  EXPECT_EQ(next.flows(), 8U);
  EXPECT_EQ(all_of(next), (std::vector<std::uint64_t>{1, 3, 4}));
  for (const auto n : {1U, 3U, 4U}) EXPECT_TRUE(next.acknowledge(n));
  EXPECT_EQ(next.spooled_bytes(), 0U);
}

TEST(spool, an_empty_one_leaves_no_folder) {
  const folder f;
  (void)*open_spool(f.path, "boot", 7);
  EXPECT_TRUE(fs::is_empty(f.path));
}

TEST(spool, one_that_is_held_is_left_alone) {
  const folder f;
  const auto held = open_spool(f.path, "boot", 7);
  ASSERT_TRUE((*held)->put(1, 1, frame_of(1)));
  EXPECT_TRUE(look_for_left_behind(f.path, "boot").incarnations.empty());
  EXPECT_FALSE(open_spool(f.path, "boot", 7));
}

TEST(spool, batches_from_before_the_hosts_start_are_removed_and_counted) {
  const folder f;
  { ASSERT_TRUE((*open_spool(f.path, "earlier", 7))->put(1, 1, frame_of(1))); }
  const auto left = look_for_left_behind(f.path, "boot");
  EXPECT_TRUE(left.incarnations.empty());
  EXPECT_EQ(left.lost_batches, 1U);
  EXPECT_TRUE(fs::is_empty(f.path));
}

/// What a crash or a broken disk may make of a file.
class broken_file : public ::testing::TestWithParam<int> {};

TEST_P(broken_file, is_dropped_and_counted_and_the_others_are_delivered) {
  const folder f;
  {
    const auto s = open_spool(f.path, "boot", 7);
    for (std::uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE((*s)->put(n, 1, frame_of(n)));
  }
  const auto broken = f.batch(7, 2);
  const auto size = fs::file_size(broken);
  if (GetParam() < 0) {
    fs::resize_file(broken, size - static_cast<std::uintmax_t>(-GetParam()));
  } else {
    std::fstream file(broken, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(GetParam());
    file.put('\x5a');
  }
  std::ofstream(f.path + "/boot-0000000000000007/unfinished") << "half of a batch";
  retention r{1000, std::shared_ptr{*open_spool(f.path, "boot", 7)}, 1000};
  EXPECT_EQ(all_of(r), (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(r.batches_dropped(), 1U);
  EXPECT_FALSE(fs::exists(broken));
}

INSTANTIATE_TEST_SUITE_P(everywhere, broken_file,
                         ::testing::Values(0, 9, 17, 25, 33, 41, 48, 60, -1, -40, -88));

TEST(spool, one_that_cannot_be_written_to_leaves_memory_and_counts) {
  const auto kept_outside = std::make_shared<memory_spool>();
  kept_outside->full = true;
  retention r{80, kept_outside, 1000};
  for (std::uint64_t n = 1; n <= 3; ++n) r.keep(n, frame_of(n), 1);
  EXPECT_EQ(r.spool_failures(), 3U);
  EXPECT_EQ(r.batches_dropped(), 1U);
  EXPECT_EQ(all_of(r), (std::vector<std::uint64_t>{2, 3}));
}

TEST(spool, on_a_disk_that_is_full_batches_stay_in_memory_until_there_is_room) {
  const testing::small_disk disk(1U << 20);
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  retention r{1U << 20, std::shared_ptr{*open_spool(disk.path() + "/spool", "boot", 7)}, 1U << 20};
  r.keep(1, frame_of(1, 1000), 1);
  disk.fill(0);
  r.keep(2, frame_of(2, 8000), 1);
  EXPECT_EQ(r.spool_failures(), 1U);
  disk.empty();
  r.keep(3, frame_of(3, 1000), 1);
  EXPECT_EQ(r.spool_failures(), 1U);
  EXPECT_EQ(all_of(r), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(r.batches_dropped(), 0U);
  // What the next agent would find: all but the one that was nowhere but in memory.
  EXPECT_EQ(r.spooled_bytes(), 2 * 8000U);
}

}  // namespace
}  // namespace tenure::agent
