#include "sim/plan.hpp"

#include <algorithm>

#include "ownership/invariant.hpp"
#include "sim/lifetimes.hpp"

namespace tenure::sim {
namespace {

// Lives are taken from the middle of so many equal shares of their distribution.
constexpr int shares = 4'000;

}  // namespace

nanos uncovered_time(nanos life, bool reported, const plan_inputs& in) {
  invariant(in.heartbeat_loss >= 0 && in.heartbeat_loss < 1, "some heartbeats arrive");
  auto uncovered = static_cast<double>(2 * (in.evidence_error + in.flow_error));
  if (!reported) {
    const auto h = static_cast<double>(in.heartbeat);
    uncovered += h / 2 + h * in.heartbeat_loss / (1 - in.heartbeat_loss);
  }
  return static_cast<nanos>(std::min(static_cast<double>(life), uncovered));
}

double planned_coverage(const plan_inputs& in) {
  double lived = 0;
  double uncovered = 0;
  for (int i = 0; i < shares; ++i) {
    const nanos life = lifetime_at(in.lifetimes, (i + 0.5) / shares);
    lived += static_cast<double>(life);
    uncovered += in.unreported * static_cast<double>(uncovered_time(life, false, in)) +
                 (1 - in.unreported) * static_cast<double>(uncovered_time(life, true, in));
  }
  return 1 - uncovered / lived;
}

std::optional<nanos> heartbeat_for(double coverage, plan_inputs in) {
  in.heartbeat = 0;
  if (planned_coverage(in) < coverage) return std::nullopt;
  nanos enough = 0;
  nanos too_slow = 86'400 * second + millisecond;
  while (too_slow - enough > millisecond) {
    in.heartbeat = (enough + too_slow) / 2 / millisecond * millisecond;
    (planned_coverage(in) >= coverage ? enough : too_slow) = in.heartbeat;
  }
  return enough;
}

}  // namespace tenure::sim
