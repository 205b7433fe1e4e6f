#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/exporter.hpp"
#include "agent/flow_source.hpp"
#include "cli/agent_service.hpp"
#include "cli/capture_filter.hpp"

namespace tenure::cli {

/// What a node may want of its agents. Absent: as the agent's own options say.
struct pushed_settings {
  std::optional<std::string> log_level;
  std::optional<std::chrono::nanoseconds> heartbeat, linger, active_timeout, idle_timeout;
  std::optional<std::uint32_t> sample;
  std::optional<std::vector<prefix>> leave_out;

  /// Reads TOML: keys are the options' names. One that is not known, or whose value is none, refuses it all.
  static outcome<pushed_settings> parse(const std::string& toml);
};

/// The settings of an agent that may change while it runs: its own, and over them what a node wants. Either
/// is taken whole, or refused and nothing changes. Any thread.
class live_settings {
 public:
  /// Takes on `netns`, `leave_out`, `sample`, `heartbeat`, `linger`, `active_timeout` and
  /// `idle_timeout`.
  outcome<void> own(const agent_options& o);
  outcome<void> push(const std::string& toml);

  /// From now on tells it of the timeouts. It outlives this.
  void follow(agent::flow_source& source);

  std::shared_ptr<const actors::exporter_pace> pace() const { return pace_; }
  std::shared_ptr<const capture_filter> filter() const { return filter_; }

 private:
  outcome<void> take(const agent_options& own, const pushed_settings& pushed);

  std::shared_ptr<actors::exporter_pace> pace_ = std::make_shared<actors::exporter_pace>();
  std::shared_ptr<capture_filter> filter_ = std::make_shared<capture_filter>();
  std::mutex mutex_;
  agent_options own_;
  pushed_settings pushed_;
  agent::flow_source* source_ = nullptr;
};

}  // namespace tenure::cli
