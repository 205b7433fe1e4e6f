#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tenure {

/// Whose trouble it is; the numbers are the exit codes of `tenure`.
enum class trouble : int {
  check_failed = 1,  ///< a check that was asked for failed
  usage = 2,         ///< wrong usage, configuration or input
  refused = 3,       ///< the system refused: permission, kernel, port in use
};

/// What went wrong, in one line that says what to do about it.
struct failure {
  tenure::trouble trouble = trouble::usage;
  std::string text;
};

/// A value, or the failure that took its place.
template <class T>
using outcome = tl::expected<T, failure>;

inline tl::unexpected<failure> fail(trouble t, std::string text) {
  return tl::unexpected<failure>(failure{t, std::move(text)});
}

}  // namespace tenure
