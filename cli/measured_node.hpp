#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// `tenure node` as a child process, measured from outside. Its log goes to a file.
class measured_node {
 public:
  /// What a process had used up to now.
  struct usage {
    double user_seconds = 0;
    double system_seconds = 0;
    /// Of all threads that are not the actors': what receives and sends.
    double transport_seconds = 0;
    double total() const { return user_seconds + system_seconds; }
  };

  /// Starts it with these options besides --listen and --http, and waits until it listens.
  static outcome<std::unique_ptr<measured_node>> start(const std::vector<std::string>& options,
                                                       const std::filesystem::path& log);
  /// Kills it if it still runs.
  ~measured_node();
  measured_node(const measured_node&) = delete;
  measured_node& operator=(const measured_node&) = delete;

  /// "127.0.0.1:port" for agents.
  const std::string& address() const { return address_; }
  usage used() const;
  std::size_t resident_bytes() const;
  /// Of /metrics, by their names with labels; empty when it does not answer.
  std::map<std::string, double> metrics() const;
  /// SIGTERM. @returns its exit code; killed after the bound, that is 137
  int stop(std::chrono::seconds bound);

 private:
  measured_node(pid_t pid, std::string address, std::uint16_t http)
      : pid_(pid), address_(std::move(address)), http_(http) {}

  pid_t pid_;
  std::string address_;
  std::uint16_t http_;
};

}  // namespace tenure::cli
