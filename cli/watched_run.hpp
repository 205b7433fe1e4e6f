#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "cli/measured_node.hpp"
#include "load/fleet.hpp"

// What is looked at while a fleet plays against a node. One thread.
namespace tenure::cli {

/// CPU time of this process up to now.
inline double own_cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto in_seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return in_seconds(used.ru_utime) + in_seconds(used.ru_stime);
}

inline double mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1U << 20);
}

/// After the hold was filled for the first time, for what leaves it to come as steadily as what fills it.
inline constexpr nanos settling = 2 * second;

/// The node's memory over the run, looked at once a second.
class memory_watch {
 public:
  /// @param full when the hold is full: from a little later on nothing should grow
  explicit memory_watch(nanos full) : full_(full + settling) {}
  void look(const measured_node& node, nanos now) {
    if (now < next_) return;
    next_ = now + second;
    const std::size_t bytes = node.resident_bytes();
    most_ = std::max(most_, bytes);
    if (now < full_) return;
    if (at_full_ == 0) {
      at_full_ = bytes;
      full_metrics_ = node.metrics();
    }
    last_ = bytes;
  }
  /// @param end the node's metrics when the last flow had been sent. Memory that it has ready from the start
  /// is resident whether it is used or not, so what is used is told apart. Of a run that ended before the
  /// hold was full, only what there was at most
  nlohmann::ordered_json figures(const std::map<std::string, double>& end) const {
    const auto used = [](const std::map<std::string, double>& metrics, const char* name) {
      const auto at = metrics.find(name);
      return at == metrics.end() ? 0 : at->second / (1U << 20);
    };
    if (at_full_ == 0) return {{"most_mib", mebibytes(most_)}};
    return {{"most_mib", mebibytes(most_)},
            {"when_hold_was_full_mib", mebibytes(at_full_)},
            {"at_the_end_mib", mebibytes(last_)},
            {"hold_when_full_mib", used(full_metrics_, "tenure_node_hold_bytes")},
            {"hold_at_the_end_mib", used(end, "tenure_node_hold_bytes")},
            {"timelines_when_full_mib", used(full_metrics_, "tenure_node_timelines_bytes")},
            {"timelines_at_the_end_mib", used(end, "tenure_node_timelines_bytes")}};
  }

 private:
  nanos full_;
  nanos next_ = 0;
  std::size_t most_ = 0;
  std::size_t at_full_ = 0;
  std::size_t last_ = 0;
  std::map<std::string, double> full_metrics_;
};

/// What was used and done up to some time.
struct mark {
  nanos at = 0;
  measured_node::usage node;
  double generator_seconds = 0;
  std::uint64_t flows = 0;  // durable
};

/// The part of a run in which as many flows leave the hold as come to it: neither the agents' first batches,
/// which say all that their hosts hold, nor the time after the last flow, when heartbeats go on alone.
class steady_part {
 public:
  /// @param full when the hold is full @param end of the flows
  steady_part(nanos full, nanos end) : from_(full + settling), until_(end) {}
  void look(const measured_node& node, const load::fleet_counters& c, nanos now) {
    if (begin_.at == 0 && now >= from_ && now + least <= until_) begin_ = mark_of(node, c, now);
  }
  void end(const measured_node& node, const load::fleet_counters& c, nanos now) {
    end_ = mark_of(node, c, now);
  }
  /// Adds its figures, or none if it was too short to say anything.
  void add_to(nlohmann::ordered_json& figures) const {
    if (begin_.at == 0 || end_.flows == begin_.flows) return;
    const double length = static_cast<double>(end_.at - begin_.at) / second;
    const auto flows = static_cast<double>(end_.flows - begin_.flows);
    figures["steady_seconds"] = length;
    figures["steady_flows_per_second"] = flows / length;
    figures["steady_cpu_us_per_flow"] = 1e6 * (end_.node.total() - begin_.node.total()) / flows;
    figures["steady_generator_cpu_us_per_flow"] =
        1e6 * (end_.generator_seconds - begin_.generator_seconds) / flows;
  }

 private:
  // Flows become durable in lots, up to four times a second.
  static constexpr nanos least = 4 * second;
  static mark mark_of(const measured_node& node, const load::fleet_counters& c, nanos now) {
    return {now, node.used(), own_cpu_seconds(), c.flows_acknowledged};
  }

  nanos from_;
  nanos until_;
  mark begin_;
  mark end_;
};

}  // namespace tenure::cli
