#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sim/oracle.hpp"

namespace tenure::sim {

/// Stands before a shard's attributor: hands everything on, tells the oracle, and asks again at the end.
class oracle::watched_judge final : public attributor {
 public:
  watched_judge(oracle& o, const prefix_set& routable, std::shared_ptr<attributor> inner,
                std::size_t most_bytes, std::shared_ptr<const machine_clock> clock, names_slot names,
                random draw);

  merged merge(const evidence& e) override;
  verdict attribute(address far, std::uint16_t far_port, const flow_times& times) const override;
  void merge_all(std::span<const evidence> all, std::span<merged> results) override;
  void attribute_all(std::span<const tenure::question> questions, std::span<verdict> verdicts) const override;
  std::size_t forget_before(nanos cutoff) override;
  const tenure::timelines& timelines() const override { return inner_->timelines(); }

  const std::vector<evidence>& kept() const { return kept_; }
  const machine_clock& clock() const { return *clock_; }

  /// I3: every answer given is asked for again, now that all evidence is there. I4: the evidence is merged
  /// again, shuffled and with repeats, and has to give the same timelines. I1: the rule once more, naively.
  void finish();

 private:
  struct question {
    address far;
    std::uint16_t far_port = 0;
    flow_times times;
    verdict answer;
  };
  void count_prolonged(const tenure::question& q, const verdict& v) const;
  void ask_again();
  void ask_naively();
  void merge_again();
  void measure();

  oracle& oracle_;
  std::shared_ptr<attributor> inner_;
  std::size_t most_bytes_;
  std::shared_ptr<const machine_clock> clock_;
  names_slot names_;  ///< filled in when the node has started
  random draw_;
  mutable std::vector<question> asked_;
  mutable std::unordered_set<std::uint64_t> unanswered_;  ///< digests of questions
  std::vector<evidence> kept_;
};

}  // namespace tenure::sim
