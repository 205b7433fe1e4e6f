#include "cli/incarnation.hpp"

#include <sys/random.h>

namespace tenure::cli {

outcome<std::uint64_t> draw_incarnation() {
  std::uint64_t value = 0;
  while (value == 0)
    if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
      return fail(trouble::refused, "the system gives no random number for this process's incarnation");
  return value;
}

}  // namespace tenure::cli
