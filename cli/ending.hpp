#pragma once

namespace tenure::cli {

/// Waits for the end of a long-running command: SIGINT, SIGTERM, or a part that cannot go on.
/// Made before any thread, since the signals are blocked for all threads that come later.
class ending {
 public:
  ending();
  ~ending();
  ending(const ending&) = delete;
  ending& operator=(const ending&) = delete;

  /// Any thread: a part failed, and has said why.
  void part_failed();

  /// @returns false when a part failed. Afterwards a second signal ends the process at once.
  bool wait();

 private:
  int signals_ = -1;
  int failures_ = -1;
};

}  // namespace tenure::cli
