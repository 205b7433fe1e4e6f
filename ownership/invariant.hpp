#pragma once

namespace tenure {

namespace detail {
[[noreturn]] void broken_invariant(const char* what, const char* file, int line);
}

/// Stops the process, with one line on stderr, when `holds` is false. For what our own code promises, never
/// for input: hostile or broken input becomes a `failure`. It stays on in every build, since an answer after
/// a broken invariant may be a wrong one.
/// The place is the caller's; clang 14 has the builtins but not std::source_location.
inline void invariant(bool holds, const char* what, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE()) {
  if (!holds) [[unlikely]]
    detail::broken_invariant(what, file, line);
}

}  // namespace tenure
