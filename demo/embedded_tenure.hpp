#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "demo/child_process.hpp"
#include "ownership/outcome.hpp"
#include "ownership/prefix.hpp"

namespace tenure::demo {

/// A real `tenure up` beside the fleet, talked to as any user and any platform would.
class embedded_tenure {
 public:
  struct options {
    std::string program;
    std::string folder;  ///< for its socket and its log
    std::string pin;
    std::string output;
    std::chrono::nanoseconds hold{};
    std::chrono::nanoseconds heartbeat{};
    std::vector<prefix> routable;
  };
  /// Waits until it answers platforms, for 20 s at most.
  static outcome<std::unique_ptr<embedded_tenure>> start(const options& o);

  /// A failure, with its last words, when it has ended.
  outcome<void> check();
  /// Asks it to end and waits until it has, for 60 s at most. @param meanwhile is called again and again.
  void end(const std::function<void()>& meanwhile);
  /// As its last words had it; nothing when it never said.
  std::optional<std::uint64_t> kernel_events_lost() const;
  /// The end of what it said, at most 4 KiB.
  std::string last_words() const;

 private:
  embedded_tenure(std::unique_ptr<child_process> process, std::string log)
      : process_(std::move(process)), log_(std::move(log)) {}
  failure its_failure();

  std::unique_ptr<child_process> process_;
  std::string log_;
};

/// The number before "kernel events lost" in what `tenure up` said; the last one counts.
std::optional<std::uint64_t> find_kernel_events_lost(const std::string& words);

}  // namespace tenure::demo
