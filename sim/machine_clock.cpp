#include "sim/machine_clock.hpp"

#include <algorithm>

namespace tenure::sim {
namespace {

constexpr std::int64_t million = 1'000'000;

}  // namespace

machine_clock::machine_clock(const agenda& time, nanos reading, std::int64_t rate_ppm)
    : time_(time), pieces_{{time.now(), wide{reading} * million, rate_ppm}}, rate_ppm_(rate_ppm) {
  invariant(rate_ppm > -million, "a clock that runs does not run backwards");
}

nanos machine_clock::at(nanos truth) const {
  return static_cast<nanos>(fine_reading(truth) / million);
}

machine_clock::wide machine_clock::fine_reading(nanos truth) const {
  auto p = std::upper_bound(pieces_.begin(), pieces_.end(), truth,
                            [](nanos t, const piece& one) { return t < one.truth; });
  invariant(p != pieces_.begin(), "a clock is read after its making");
  --p;
  const wide elapsed = truth - p->truth;
  return p->reading + elapsed * (million + p->ppm);
}

void machine_clock::begin_piece(std::int64_t ppm) {
  const nanos truth = time_.now();
  const wide reading = fine_reading(truth);
  if (pieces_.back().truth == truth) pieces_.pop_back();
  pieces_.push_back({truth, reading, ppm});
}

void machine_clock::set_rate(std::int64_t rate_ppm) {
  rate_ppm_ = rate_ppm;
  if (pieces_.back().ppm != -million) begin_piece(rate_ppm);
}

void machine_clock::pause() {
  begin_piece(-million);
}

void machine_clock::resume() {
  begin_piece(rate_ppm_);
}

}  // namespace tenure::sim
