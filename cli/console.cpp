#include "cli/console.hpp"

#include <cstdlib>
#include <unistd.h>

namespace tenure::cli {

bool may_colour(int file_descriptor) {
  const char* const no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && isatty(file_descriptor) == 1;
}

}  // namespace tenure::cli
