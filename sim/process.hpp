#pragma once

#include <functional>
#include <memory>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "sim/agenda.hpp"
#include "sim/machine_clock.hpp"
#include "sim/random.hpp"
#include "sim/trace_hash.hpp"

namespace tenure::sim {

struct deterministic_config : caf::actor_system_config {
  deterministic_config();
};

/// How a process's scheduler is slowed down: after a message, with this chance, nothing runs for a while.
struct stalls {
  double chance = 0;
  nanos mean = 0;
};

/// One simulated process: an actor system of its own on CAF's test coordinator. Its timers follow its
/// machine's clock. Which of the ready actors handles its next message is drawn.
class process {
 public:
  process(agenda& time, std::shared_ptr<machine_clock> clock, random draw, trace_hash& trace, stalls slow);
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  caf::actor_system& system() { return system_; }

  /// Runs what is ready, and sees to it that what is not is run when its time comes. To be called after
  /// anything was sent to an actor from outside.
  void run();

  /// Handles no message until `resume`: SIGSTOP, or the pause of its guest.
  void pause() { paused_ = true; }
  void resume();
  bool paused() const { return paused_; }
  /// After so many more messages nothing is handled any more, and `then` is called a moment later.
  /// @param messages at least 1
  void stop_after(std::uint64_t messages, std::function<void()> then);
  /// From now on its scheduler is not slowed down, and `stop_after` is off.
  void calm() {
    slow_ = {};
    steps_left_ = 0;
  }

  /// Runs all that is left without drawing; for after the actors were told to end.
  void drain();

  std::uint64_t messages() const { return messages_; }

 private:
  void run_one();
  void schedule_wake();
  void wake();

  agenda& time_;
  std::shared_ptr<machine_clock> clock_;
  random draw_;
  trace_hash& trace_;
  stalls slow_;
  deterministic_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  bool paused_ = false;
  bool stalled_ = false;
  std::uint64_t messages_ = 0;
  std::uint64_t steps_left_ = 0;  ///< 0: it goes on
  std::function<void()> stopped_;
  nanos wake_at_ = time_max;        ///< true time of the earliest wake on the agenda
  std::shared_ptr<process*> self_;  ///< emptied when this process is gone: the agenda may outlive it
};

}  // namespace tenure::sim
