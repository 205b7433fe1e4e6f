#include "properties/laws.hpp"

#include <algorithm>
#include <utility>

#include "properties/naive.hpp"

namespace tenure::laws {
namespace {

using history::history;

std::unique_ptr<judge> told(const judge_maker& make, const std::vector<evidence>& all) {
  auto known = make();
  for (const auto& e : all) known->tell(e);
  return known;
}

/// Makes histories until one breaks the law. @param holds says whether it does, and counts what it looked at
template <class Holds>
result over_histories(std::string law, const extent& e, Holds holds) {
  result r{std::move(law), 0, {}};
  for (std::uint64_t i = 0; i < e.histories; ++i) {
    const auto seed = e.seed + i;
    const auto h = tenure::history::make(seed);
    if (holds(h, seed, r.tried)) continue;
    r.counterexample = "history of seed " + std::to_string(seed) + ":\n" + h.story();
    break;
  }
  return r;
}

/// The naive rule looks at every instant. What is not known lies before everything else; that is far enough.
flow_times countable(flow_times t) {
  constexpr nanos before_everything = -200;
  t.opened = std::max(t.opened, before_everything);
  return t;
}

/// The same answer: workload and tenancy, or none and whether that is for a conflict.
bool same(const verdict& a, const verdict& b) {
  return a.workload == b.workload && (a.reason == reason::conflict) == (b.reason == reason::conflict) &&
         (!a.attributed() || a.tenancy == b.tenancy);
}

/// What an answer may become as evidence is added.
bool may_become(const verdict& less, const verdict& more) {
  if (!less.attributed()) return less.reason != reason::conflict || more.reason == reason::conflict;
  return more.workload == less.workload || more.reason == reason::conflict;
}

}  // namespace

result never_wrong(const judge_maker& make, const extent& e) {
  return over_histories("no answer is ever wrong", e,
                        [&](const history& h, std::uint64_t, std::uint64_t& tried) {
                          const auto found = tenure::history::check(h, *told(make, h.evidence));
                          tried += found.flows;
                          return found.good();
                        });
}

result as_the_naive_rule(const judge_maker& make, const extent& e) {
  const auto holds = [&](const history& h, std::uint64_t, std::uint64_t& tried) {
    const auto known = told(make, h.evidence);
    for (const auto& f : h.flows) {
      ++tried;
      const auto expected =
          naive::resolve(h.evidence, tenure::history::where, f.far_port, countable(f.times));
      if (!same(known->ask(tenure::history::where, f.far_port, f.times), expected)) return false;
    }
    return true;
  };
  return over_histories("answers are those of the rule done naively", e, holds);
}

result any_order(const judge_maker& make, const extent& e) {
  const auto holds = [&](const history& h, std::uint64_t seed, std::uint64_t& tried) {
    tenure::history::dice d(~seed);
    auto other = h.evidence;
    for (const auto& one : h.evidence)
      if (d.chance(30)) other.push_back(one);
    for (std::size_t i = other.size(); i > 1; --i)
      std::swap(other[i - 1], other[static_cast<std::size_t>(d.below(static_cast<nanos>(i)))]);
    const auto straight = told(make, h.evidence);
    const auto shuffled = told(make, other);
    for (const auto& f : h.flows) {
      ++tried;
      if (!same(straight->ask(tenure::history::where, f.far_port, f.times),
                shuffled->ask(tenure::history::where, f.far_port, f.times)))
        return false;
    }
    return true;
  };
  return over_histories("order and repetition of evidence change nothing", e, holds);
}

result answers_stay(const judge_maker& make, const extent& e) {
  const auto holds = [&](const history& h, std::uint64_t, std::uint64_t& tried) {
    const auto known = make();
    std::vector<verdict> before(h.flows.size(), unattributed(reason::no_evidence));
    for (const auto& one : h.evidence) {
      known->tell(one);
      for (std::size_t i = 0; i < h.flows.size(); ++i) {
        ++tried;
        const auto now = known->ask(tenure::history::where, h.flows[i].far_port, h.flows[i].times);
        if (!may_become(before[i], now)) return false;
        before[i] = now;
      }
    }
    return true;
  };
  return over_histories("an answer stays as evidence is added", e, holds);
}

result tries_can_fail(const judge_maker& make, const extent& e) {
  result r{"what breaks an assumption is noticed", 0, {}};
  using tenure::history::broken;
  for (const auto assumption : {broken::evidence_clock, broken::flow_clock, broken::two_owners,
                                broken::false_exclusive, broken::early_claim, broken::transit_ignored,
                                broken::foreign_segment, broken::joined_by_name, broken::reused_id}) {
    tenure::history::findings found;
    for (std::uint64_t i = 0; i < e.histories && found.wrong_workload == 0; ++i) {
      const auto h = tenure::history::make(e.seed + i, assumption);
      found += tenure::history::check(h, *told(make, h.evidence));
    }
    r.tried += found.flows;
    if (found.wrong_workload == 0)
      r.counterexample += "broken assumption " + std::to_string(static_cast<int>(assumption)) +
                          " led to no wrong answer in " + std::to_string(e.histories) + " histories\n";
  }
  return r;
}

std::vector<result> all(const judge_maker& make, const extent& e) {
  return {never_wrong(make, e), as_the_naive_rule(make, e), any_order(make, e), answers_stay(make, e),
          tries_can_fail(make, e)};
}

}  // namespace tenure::laws
