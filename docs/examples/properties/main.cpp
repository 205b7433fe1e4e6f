// Two judges of our own, tried on the laws of Tenure's rule: the first keeps them, the second takes whoever
// was heard of last, as many do. `try_laws` tries the first, `try_laws last-heard` the second; exit 1 when a
// law is broken.
#include <algorithm>
#include <iostream>
#include <map>
#include <string_view>
#include <vector>

#include "ownership/need.hpp"
#include "properties/laws.hpp"

namespace {

using namespace tenure;

/// All evidence in a list, and the rule of docs/proof.md over it.
class plain_judge final : public judge {
 public:
  void tell(const evidence& e) override {
    const interval core = e.core();
    if (core.empty()) return;
    const auto [known, fresh] = hulls_.try_emplace({e.endpoint, e.tenancy, e.workload}, core);
    known->second = {std::min(known->second.from, core.from), std::max(known->second.until, core.until)};
  }

  verdict ask(address far, std::uint16_t far_port, const flow_times& times) const override {
    if (times.error == unknown_error) return unattributed(reason::clock);
    verdict answer = unattributed(reason::no_evidence);
    for (const auto& [said, hull] : hulls_) {
      const auto& [where, tenancy, workload] = said;
      if (where.address != far || (!where.whole() && where.port != far_port)) continue;
      if (!needed(times, times.error).met_by(hull)) continue;
      if (!answer.attributed()) answer = {workload, tenancy, basis::tenancy, reason::none};
      if (answer.workload != workload) return unattributed(reason::conflict);
      answer.tenancy = std::min(answer.tenancy, tenancy);
    }
    return answer;
  }

 private:
  std::map<std::tuple<endpoint, tenancy_id, workload_id>, interval> hulls_;
};

/// Whoever was heard of last, before the flow closed.
class last_heard final : public judge {
 public:
  void tell(const evidence& e) override { heard_.push_back(e); }

  verdict ask(address far, std::uint16_t, const flow_times& times) const override {
    const evidence* last = nullptr;
    for (const auto& e : heard_)
      if (e.endpoint.address == far && e.from <= times.closed && (last == nullptr || e.from >= last->from))
        last = &e;
    if (last == nullptr) return unattributed(reason::no_evidence);
    return {last->workload, last->tenancy, basis::tenancy, reason::none};
  }

 private:
  std::vector<evidence> heard_;
};

}  // namespace

int main(int argc, char** argv) {
  const bool second = argc > 1 && std::string_view{argv[1]} == "last-heard";
  const judge_maker make = [second]() -> std::unique_ptr<judge> {
    if (second) return std::make_unique<last_heard>();
    return std::make_unique<plain_judge>();
  };
  bool kept = true;
  for (const auto& r : laws::all(make, {.seed = 1, .histories = 2000})) {
    std::cout << (r.kept() ? "kept:   " : "broken: ") << r.law << " (" << r.tried << " answers)\n";
    if (!r.kept()) std::cout << r.counterexample;
    kept = kept && r.kept();
  }
  return kept ? 0 : 1;
}
