#pragma once

#include <string>
#include <sys/types.h>

#include "ownership/outcome.hpp"

/// Where the last whole record of a file ends that was cut off in the middle of a write.
namespace tenure::sinks {

/// Just behind the last newline; 0 when there is none.
outcome<off_t> end_of_lines(int fd, const std::string& path, off_t size);

/// Just behind the last block that is whole.
outcome<off_t> end_of_blocks(int fd, const std::string& path, off_t size);

}  // namespace tenure::sinks
