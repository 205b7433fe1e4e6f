#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "demo/child_process.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/outcome.hpp"

namespace tenure::bench {

/// What one kernel program has cost since it was loaded, while the kernel's statistics are on.
struct program_cost {
  std::uint64_t runs = 0;
  std::uint64_t nanoseconds = 0;
};

/// A `tenure agent` as its own process, with what it costs.
class measured_agent {
 public:
  /// @param folder for its log, its socket; @param netns what it reports, empty: everything; @param more
  /// further arguments
  static outcome<std::unique_ptr<measured_agent>> start(const std::string& tenure, const std::string& node,
                                                        const std::string& folder,
                                                        const std::vector<std::string>& netns,
                                                        const std::vector<std::string>& more = {});
  ~measured_agent();
  measured_agent(const measured_agent&) = delete;
  measured_agent& operator=(const measured_agent&) = delete;

  /// CPU time of all its threads since it started.
  double cpu_seconds() const;
  /// Resident now, and the most it ever was.
  std::uint64_t resident_bytes() const;
  std::uint64_t peak_resident_bytes() const;
  /// By the program's name; only this agent's.
  std::map<std::string, program_cost> program_costs() const;
  /// Of a counter or gauge at its /metrics; -1 when it is not there.
  double metric(const std::string& name) const;
  /// Ends it in order and waits. @returns its exit code
  int stop();

 private:
  measured_agent() = default;
  std::uint64_t status_bytes(const std::string& key) const;

  std::unique_ptr<demo::child_process> process_;
  std::string folder_;
  std::string pin_;
  std::uint16_t http_ = 0;
};

/// While it lives, the kernel counts what programs cost (a few tens of nanoseconds a run).
class program_statistics {
 public:
  program_statistics();
  bool on() const { return static_cast<bool>(fd_); }

 private:
  demo::unique_fd fd_;
};

}  // namespace tenure::bench
