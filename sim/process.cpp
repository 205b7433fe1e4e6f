#include "sim/process.hpp"

#include <chrono>
#include <utility>

#include <caf/actor_clock.hpp>
#include <caf/scheduled_actor.hpp>

#include "actors/protocol.hpp"

namespace tenure::sim {

deterministic_config::deterministic_config() {
  add_message_types<caf::id_block::tenure>();
  set("scheduler.policy", caf::atom("testing"));
  set("logger.inline-output", true);
}

process::process(agenda& time, std::shared_ptr<machine_clock> clock, random draw, trace_hash& trace,
                 stalls slow)
    : time_(time),
      clock_(std::move(clock)),
      draw_(draw),
      trace_(trace),
      slow_(slow),
      system_(config_),
      scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())),
      self_(std::make_shared<process*>(this)) {
  scheduler_.clock().current_time = caf::actor_clock::time_point{std::chrono::nanoseconds{clock_->now()}};
}

process::~process() {
  *self_ = nullptr;
  drain();
}

void process::drain() {
  while (scheduler_.try_run_once()) {
  }
}

void process::resume() {
  paused_ = false;
  run();
}

void process::stop_after(std::uint64_t messages, std::function<void()> then) {
  steps_left_ = messages;
  stopped_ = std::move(then);
}

void process::run() {
  if (paused_ || stalled_) return;
  const std::chrono::nanoseconds now{clock_->now()};
  const auto passed = now - scheduler_.clock().current_time.time_since_epoch();
  if (passed.count() > 0) scheduler_.advance_time(passed);
  while (scheduler_.has_job()) {
    run_one();
    if (steps_left_ > 0 && --steps_left_ == 0) {
      paused_ = true;
      time_.after(0, std::exchange(stopped_, {}));
      return;
    }
    if (slow_.chance > 0 && draw_.chance(slow_.chance)) {
      stalled_ = true;
      time_.after(1 + draw_.exponential(slow_.mean), [self = self_] {
        if (*self == nullptr) return;
        (*self)->stalled_ = false;
        (*self)->run();
      });
      return;
    }
  }
  schedule_wake();
}

void process::run_one() {
  auto& jobs = scheduler_.jobs;
  if (jobs.size() > 1) std::swap(jobs.front(), jobs[draw_.below(jobs.size())]);
  trace_.add(static_cast<std::uint64_t>(time_.now()));
  if (const auto* a = dynamic_cast<caf::scheduled_actor*>(jobs.front())) trace_.add(a->id());
  ++messages_;
  scheduler_.try_run_once();
}

void process::schedule_wake() {
  const auto& schedule = scheduler_.clock().schedule();
  if (schedule.empty()) return;
  const nanos due = schedule.begin()->first.time_since_epoch().count();
  // A slow clock is not there yet when true time is; then the wake finds nothing due and sets another.
  const nanos at = time_.now() + std::max<nanos>(due - clock_->now(), 1);
  if (at >= wake_at_) return;
  wake_at_ = at;
  time_.at(at, [self = self_, at] {
    if (*self != nullptr && (*self)->wake_at_ == at) (*self)->wake();
  });
}

void process::wake() {
  wake_at_ = time_max;
  run();
  if (!paused_ && !stalled_) schedule_wake();
}

}  // namespace tenure::sim
