#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "demo/flow_line.hpp"
#include "demo/judge.hpp"
#include "demo/pool.hpp"

namespace tenure::demo {

/// Counts what was said of the fleet's flows, record by record, and what the truth says to it.
class tally {
 public:
  /// At most this many wrong ones are kept with their reason in words.
  static constexpr std::size_t max_examples = 10;

  void add(const flow_line& record, const judgement& j);
  void add_unreadable(const std::string& why);

  std::uint64_t flows = 0;       ///< records about the fleet
  std::uint64_t attributed = 0;  ///< the far end has a name
  std::uint64_t both_named = 0;
  std::uint64_t near_unnamed = 0;
  std::map<std::string, std::uint64_t> unattributed;  ///< by the far end's reason
  std::uint64_t misattributed = 0;
  std::uint64_t unexplained = 0;  ///< records that no instance's connection accounts for
  std::uint64_t unreadable = 0;
  std::uint64_t repeated = 0;  ///< records whose flow_id had come before
  std::uint64_t failed_connects = 0;
  std::uint64_t current_owner_misattributed = 0;
  std::uint64_t reset_by_next_owner = 0;
  std::uint64_t opened_before_owner = 0;
  std::uint64_t outlived_owner = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t>
      dependencies;                                                       ///< client to server, both named
  std::unordered_map<instance_id, std::uint64_t> current_owner_mistakes;  ///< by who the far end really was
  std::vector<std::string> examples;

  double both_named_share() const {
    return flows == 0 ? 0.0 : static_cast<double>(both_named) / static_cast<double>(flows);
  }

 private:
  std::unordered_set<std::string> ids_;
};

}  // namespace tenure::demo
