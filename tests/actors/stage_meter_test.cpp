#include "actors/stage_meter.hpp"

#include <gtest/gtest.h>

namespace tenure::actors {
namespace {

/// Each reading takes time of its own, as a system call does.
class dear_clock final : public node_clock {
 public:
  nanos now() const override { return 0; }
  nanos to_utc() const override { return 0; }
  nanos thread_cpu() const override { return used_ += 1'000; }
  void work(nanos time) { used_ += time; }

 private:
  mutable nanos used_ = 0;
};

TEST(stage_meter, says_what_the_work_took_without_the_asking) {
  dear_clock clock;
  stage_meter stages;
  for (std::uint64_t i = 0; i < 3 * stage_meter::every; ++i) {
    const auto lap = stages.measure(stage::decode, clock);
    clock.work(250);
  }
  EXPECT_EQ(stages.nanoseconds(stage::decode), 3 * stage_meter::every * 250);
  EXPECT_EQ(stages.nanoseconds(stage::route), 0U);
}

TEST(stage_meter, measures_every_sync) {
  dear_clock clock;
  stage_meter stages;
  for (int i = 0; i < 3; ++i) {
    const auto lap = stages.measure(stage::write, clock);
    clock.work(7);
  }
  EXPECT_EQ(stages.nanoseconds(stage::write), 3U * 7);
}

}  // namespace
}  // namespace tenure::actors
