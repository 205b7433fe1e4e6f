#pragma once

#include <functional>
#include <istream>

#include "sinks/block.hpp"

namespace tenure::sinks {

/// Hands over each block of a file, in order. @returns whether it ended with a whole block; a failure where a
/// block in the middle is broken, or `take` fails.
outcome<bool> each_block(std::istream& in, const std::function<outcome<void>(const read_block&)>& take);

}  // namespace tenure::sinks
