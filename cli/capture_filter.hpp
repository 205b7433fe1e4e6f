#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "agent/observed_flow.hpp"
#include "ownership/outcome.hpp"
#include "ownership/prefix.hpp"

namespace tenure::cli {

/// Which flows are reported. Any thread.
class capture_filter {
 public:
  struct wish {
    std::vector<std::uint64_t> netns;  ///< cookies; only sockets of these, where there are any
    std::vector<prefix> left_out;      ///< far addresses
    std::uint32_t sample = 1;          ///< one connection of so many
  };
  void set(wish w);

  /// Takes out what is not to be reported. @returns how many the filter and sampling left out; those of other
  /// network namespaces are another agent's, and not counted
  std::size_t apply(std::vector<agent::observed_flow>& flows) const;

 private:
  bool reported(const flow& f) const;

  mutable std::mutex mutex_;
  wish wish_;
};

/// The cookies of network namespaces, by their paths.
outcome<std::vector<std::uint64_t>> cookies_of(const std::vector<std::string>& netns);

}  // namespace tenure::cli
