#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "demo/child_process.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// `tenure node` as a child process, measured from outside. Its log goes to a file; it never outlives this
/// process.
class measured_node {
 public:
  /// What a process had used up to now.
  struct usage {
    double user_seconds = 0;
    double system_seconds = 0;
    /// Of all threads that are not the actors' or the output's: what receives and sends.
    double transport_seconds = 0;
    double total() const { return user_seconds + system_seconds; }
  };

  /// Starts it with these options besides --listen and --http, and waits until it listens.
  static outcome<std::unique_ptr<measured_node>> start(const std::vector<std::string>& options,
                                                       const std::filesystem::path& log);
  /// "127.0.0.1:port" for agents.
  const std::string& address() const { return address_; }
  usage used() const;
  std::size_t resident_bytes() const;
  /// Of /metrics, by their names with labels; empty when it does not answer.
  std::map<std::string, double> metrics() const;
  /// SIGTERM. @returns its exit code; killed after the bound, that is 137. The last call
  int stop(std::chrono::seconds bound);

 private:
  measured_node(std::unique_ptr<demo::child_process> process, std::string address, std::uint16_t http)
      : process_(std::move(process)), address_(std::move(address)), http_(http) {}

  std::unique_ptr<demo::child_process> process_;  // empty once it was stopped
  std::string address_;
  std::uint16_t http_;
};

}  // namespace tenure::cli
