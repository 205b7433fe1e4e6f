#pragma once

#include <source_location>

namespace tenure {

namespace detail {
[[noreturn]] void broken_invariant(const char* what, const std::source_location& where);
}

/// Stops the process, with one line on stderr, when `holds` is false. For what our own code promises, never
/// for input: hostile or broken input becomes a `failure`. It stays on in every build, since an answer after
/// a broken invariant may be a wrong one.
inline void invariant(bool holds, const char* what,
                      std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    detail::broken_invariant(what, where);
}

}  // namespace tenure
