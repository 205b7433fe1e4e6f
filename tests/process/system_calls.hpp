#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace tenure::testing {

/// Counts the system calls of all threads that a process has now, from now on, by the kernel's own
/// tracepoint.
class system_calls {
 public:
  explicit system_calls(pid_t process);
  ~system_calls();
  system_calls(const system_calls&) = delete;
  system_calls& operator=(const system_calls&) = delete;

  /// Whether the kernel lets us, for every thread (root, and tracefs mounted).
  bool counted() const { return all_ && !threads_.empty(); }
  std::uint64_t so_far() const;

 private:
  std::vector<int> threads_;  // a descriptor each
  bool all_ = true;
};

}  // namespace tenure::testing
