#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/plan.hpp"
#include "load/played_agent.hpp"

namespace tenure::load {

/// Of flows, how many have a far end that at least one of their records names.
struct share {
  std::uint64_t flows = 0;
  std::uint64_t named = 0;
  std::map<std::string, std::uint64_t> unnamed;  ///< the others, by the reason of their first record
  /// 0 to 100; of none, 0.
  double percent() const {
    return flows == 0 ? 0 : 100.0 * static_cast<double>(named) / static_cast<double>(flows);
  }
  /// For people: "90.20 % of 5000 attributed, 490 no_evidence".
  std::string to_string() const;
};

/// What came of what a fleet reported.
struct findings {
  std::uint64_t records = 0;
  std::uint64_t flows = 0;                            ///< different ones
  std::uint64_t repeats = 0;                          ///< records of a flow that had one already
  std::uint64_t lost = 0;                             ///< reported, and not in the output
  std::uint64_t strangers = 0;                        ///< in the output, and never reported
  std::uint64_t unreadable = 0;                       ///< lines that are no record
  std::uint64_t attributed = 0;                       ///< records whose far end is named
  std::uint64_t misattributed = 0;                    ///< an end, near or far, that somebody else held
  std::map<std::string, std::uint64_t> unattributed;  ///< records by reason
  std::vector<std::string> wrong;                     ///< the first few of what must not be, a line each
  std::map<nanos, share> sealed_at;                   ///< by when their batch was sealed, true time

  /// Of what was sealed in [from, until).
  share covered(nanos from, nanos until) const;
};

/// Of a record in an output, what the truth knows too.
struct judged_record {
  struct end {
    std::string_view workload;
    tenancy_id tenancy;
  };
  flow_id id;
  std::optional<end> near;  ///< nothing: not named
  std::optional<end> far;
  std::string_view reason;  ///< why the far end is not named
};

/// Holds an output against what a fleet reported and what was true. One thread.
class judge {
 public:
  judge(const plan& p, const sealed_book& book, std::uint32_t flows_a_batch);

  void see(const judged_record& r) { see(r, {}); }
  /// A line of NDJSON, whatever is in it.
  void see(std::string_view line);
  /// Reads a file of lines. @returns false when it cannot be read.
  bool see_file(const std::string& path);
  /// @pre called once, at the end
  findings conclude();

 private:
  void wrong(std::string what);
  /// What is known of a flow: nothing, that it has a name, or why its first record has none.
  using sight = std::uint8_t;
  static constexpr sight none = 0;
  static constexpr sight named = 1;
  /// @returns the sight that stands for this reason, always the same one
  sight unnamed_for(std::string_view reason);
  /// @param shown the record as a text, where it is there already
  void see(const judged_record& r, std::string_view shown);
  bool check_ends(const planned_flow& truth, const judged_record& told);
  /// The batch of this agent with this number. Records of one often come one after the other.
  const planned_batch& batch_of(std::uint32_t agent, std::uint64_t number, nanos sealed);

  const plan& plan_;
  const sealed_book& book_;
  std::uint32_t flows_a_batch_;
  std::vector<std::vector<std::vector<sight>>> seen_;  // [agent][batch][index]
  std::vector<std::string> reasons_;                   // of sights beyond `named`
  std::optional<planned_batch> last_batch_;
  findings found_;
};

}  // namespace tenure::load
