#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "ownership/timelines.hpp"
#include "properties/history.hpp"

namespace tenure {
namespace {

// What stays unattributed must be what the formula of docs/proof.md says, or evidence is wasted somewhere.
struct setting {
  nanos length = 0;
  nanos heartbeat = 0;
  int loss_percent = 0;
  nanos evidence_error = 0;
  nanos flow_error = 0;
  bool end_reported = false;

  double predicted() const {
    const auto h = static_cast<double>(heartbeat);
    const double p = loss_percent / 100.0;
    const double waits = end_reported ? 0 : h / 2 + h * p / (1 - p);
    return std::min(static_cast<double>(length),
                    2.0 * static_cast<double>(evidence_error + flow_error) + waits);
  }
  friend std::ostream& operator<<(std::ostream& out, const setting& s) {
    return out << s.length << " ns long, heartbeat " << s.heartbeat << ", loss " << s.loss_percent
               << " %, errors " << s.evidence_error << " and " << s.flow_error
               << (s.end_reported ? ", end reported" : "");
  }
};

const address host = address::v4(0x0a00'0001);

// One tenancy, held since 0, with heartbeats at a random phase, some lost.
timelines hear(const setting& s, history::dice& d) {
  timelines known;
  const auto say = [&](nanos until) {
    known.merge({.endpoint = {host, 0},
                 .tenancy = {1, 1},
                 .workload = workload_id{1},
                 .from = 0,
                 .until = until,
                 .from_error = s.evidence_error,
                 .until_error = s.evidence_error});
  };
  for (nanos t = d.below(s.heartbeat); t < s.length; t += s.heartbeat)
    if (!d.chance(s.loss_percent)) say(t);
  if (s.end_reported) say(s.length);
  return known;
}

// The time of a tenancy in which a flow of one instant is not attributed, on average.
double measured(const setting& s) {
  constexpr int tenancies = 3'000;
  constexpr int flows = 200;
  history::dice d(7);
  int unattributed = 0;
  for (int i = 0; i < tenancies; ++i) {
    const auto known = hear(s, d);
    for (int j = 0; j < flows; ++j) {
      // Spread evenly, each somewhere in its own part, for a steady figure.
      const nanos t = s.length * j / flows + d.below(s.length / flows);
      unattributed += !known.resolve(host, 443, {t, t, t, t, 0, s.flow_error, true}).attributed();
    }
  }
  return static_cast<double>(unattributed) / tenancies / flows * static_cast<double>(s.length);
}

class Coverage : public testing::TestWithParam<setting> {};

TEST_P(Coverage, IsWhatTheFormulaSays) {
  const auto& s = GetParam();
  const double noise = static_cast<double>(s.length) * 0.003;
  const double lost = measured(s);
  EXPECT_LE(lost, s.predicted() * 1.03 + noise);
  // In a short life the formula is the worst case: what is lost at its ends overlaps.
  if (static_cast<double>(s.length) > 10 * s.predicted()) {
    EXPECT_GE(lost, s.predicted() * 0.97 - noise);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Coverage,
    testing::Values(setting{600'000, 10'000, 0, 5, 1, false}, setting{600'000, 10'000, 10, 5, 1, false},
                    setting{600'000, 10'000, 50, 200, 100, false}, setting{600'000, 30'000, 20, 5, 1, false},
                    setting{60'000, 1'000, 30, 100, 50, false}, setting{60'000, 10'000, 10, 100, 50, false},
                    setting{10'000, 10'000, 0, 100, 50, false}, setting{60'000, 10'000, 50, 100, 50, true},
                    setting{10'000, 10'000, 50, 400, 100, true}, setting{2'000, 10'000, 0, 400, 700, true}));

}  // namespace
}  // namespace tenure
