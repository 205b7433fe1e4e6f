#pragma once

#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// A command that runs beside the demo, in the demo's own network namespace, and never longer than the demo.
class child_process {
 public:
  /// @param arguments the first is the file to execute. @param words where its stdout and stderr go.
  static outcome<std::unique_ptr<child_process>> start(const std::vector<std::string>& arguments,
                                                       const std::string& words);
  /// Kills it if it still runs.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// Its exit code once it has ended (128 + the signal that ended it).
  std::optional<int> ended();
  /// Asks it to end (SIGTERM).
  void ask_to_end();
  pid_t pid() const { return pid_; }

 private:
  explicit child_process(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::optional<int> code_;
};

}  // namespace tenure::demo
