#include "ownership/evidence.hpp"

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

nanos after_time_min(nanos t) {
  return t == time_min ? t + 1 : t;
}

}  // namespace

interval evidence::core() const {
  invariant(from_error >= 0 && until_error >= 0, "an evidence's errors are never negative");
  if (from_error == unknown_error || until_error == unknown_error) return {};
  return {after_time_min(saturating_add(from, from_error)), saturating_sub(until, until_error)};
}

interval evidence::said() const {
  return {after_time_min(from), until};
}

}  // namespace tenure
