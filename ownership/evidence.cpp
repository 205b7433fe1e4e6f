#include "ownership/evidence.hpp"

#include "ownership/invariant.hpp"

namespace tenure {

interval evidence::core() const {
  invariant(from_error >= 0 && until_error >= 0, "an evidence's errors are never negative");
  if (from_error == unknown_error || until_error == unknown_error) return {};
  nanos start = saturating_add(from, from_error);
  if (start == time_min) ++start;
  return {start, saturating_sub(until, until_error)};
}

}  // namespace tenure
