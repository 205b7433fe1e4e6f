#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "demo/verdict_report.hpp"
#include "demo/view.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// The hidden subcommand that is one instance of the fleet.
inline constexpr const char* instance_command_name = "demo-instance";

struct demo_options {
  std::chrono::nanoseconds duration = std::chrono::seconds{60};  ///< of churn and traffic
  std::chrono::nanoseconds hold = std::chrono::seconds{3};
  std::chrono::nanoseconds heartbeat = std::chrono::milliseconds{200};
  std::uint64_t seed = 1;
  std::uint32_t instances = 24;  ///< 4 to pool::max_slots
  std::uint32_t connections_per_second = 300;
  std::chrono::nanoseconds churn = std::chrono::milliseconds{400};  ///< mean time between hand-overs
  std::string records;  ///< where the records are kept; empty: nowhere, after the end
  std::string program;  ///< the file of `tenure` itself
};

/// What is wrong with the options, or with this machine, before anything is made.
outcome<void> check_possible(const demo_options& o);

/// Builds the fleet, runs it beside a real `tenure up`, holds each record against the truth, removes the
/// fleet.
/// @param stop true as soon as the user wants to see the verdict.
/// @param show is called about twice a second.
outcome<run_report> run_demo(const demo_options& o, const std::function<bool()>& stop,
                             const std::function<void(const view_state&)>& show);

}  // namespace tenure::demo
