#pragma once

#include <functional>

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

  /// Any thread: what SIGHUP says, that the settings are to be read again.
  void settings_changed();

  /// Any thread: what SIGTERM says.
  void ask_to_end();

  /// @param read_again is called on this thread at SIGHUP and after `settings_changed`; empty: there are no
  /// settings to read, and SIGHUP is the end, as when a terminal closes
  /// @returns false when a part failed. Afterwards a second signal ends the process at once.
  bool wait(const std::function<void()>& read_again);

 private:
  int signals_ = -1;
  int failures_ = -1;
  int changes_ = -1;
  int requests_ = -1;
};

}  // namespace tenure::cli
