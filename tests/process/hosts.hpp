#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/process/child.hpp"

namespace tenure::testing {

/// Hosts of this test alone, 10.99.0.1 and on: each has a network namespace on one bridge and a boot clock of
/// its own, up to weeks apart. While there are any, the calling thread and what it starts are on the bridge
/// (10.99.0.254). The kernel takes all of it away with the last process in it, however the test ends.
/// Needs root; throws std::runtime_error when something cannot be made.
class hosts {
 public:
  /// @param count 1 to 16
  explicit hosts(std::size_t count);
  ~hosts();
  hosts(const hosts&) = delete;
  hosts& operator=(const hosts&) = delete;

  static std::string address(std::size_t host) { return "10.99.0." + std::to_string(host + 1); }
  /// The command so that it runs on that host, and ends with this thread at the latest.
  std::vector<std::string> on(std::size_t host, const std::vector<std::string>& command = {}) const;
  /// What comes to `host` from `from` is dropped: one direction.
  void cut(std::size_t from, std::size_t host) const;
  /// All that `cut` did to what comes to this host is undone.
  void heal(std::size_t host) const;

 private:
  void run_on(std::size_t host, const std::vector<std::string>& command) const;

  int before_ = -1;                              // the namespace that we came from
  std::vector<std::unique_ptr<child>> holders_;  // a sleeper on each host, which keeps its namespaces
};

}  // namespace tenure::testing
