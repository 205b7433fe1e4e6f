#pragma once

#include <memory>
#include <span>
#include <string>

#include "cli/line_block.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Who works on blocks of lines, one block at a time.
class block_worker {
 public:
  virtual ~block_worker() = default;
  /// Works on the lines of a block, while other workers work on theirs.
  /// @returns what was wrong with the line that was taken from the block last, without its place.
  virtual outcome<void> read(line_block& lines) = 0;
  /// Hands over what came of the block that was read last, which is still there: in the order of the file,
  /// one worker at a time.
  virtual outcome<void> hand_over() = 0;
};

/// Reads a file with several workers, each in a thread of its own; with one, in this thread. What they hand
/// over does not depend on how many they are. No more blocks are in memory than there are workers.
/// @returns the first failure in the order of the file, a line's with its place: "flows.ndjson:12: expected
/// ...". What stood before it was handed over, nothing behind it.
outcome<void> read_in_order(const std::string& file, std::span<const std::unique_ptr<block_worker>> workers);

/// How many workers are asked for: so many, or with 0 one for each processor.
unsigned workers_for(unsigned jobs);

}  // namespace tenure::cli
