#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/spool.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// A spool as a folder below `root`, "<boot id>-<incarnation>": a file a batch, checked by its checksum when
/// it is read, complete or not there at all. While it lives the folder is locked; its end removes the folder
/// when nothing is left in it. A failure (trouble::refused) names the folder.
/// @param boot tells this start of the host from others ("/proc/sys/kernel/random/boot_id")
outcome<std::unique_ptr<spool>> open_spool(const std::string& root, const std::string& boot,
                                           std::uint64_t incarnation);

/// What agents before us left below `root`.
struct left_behind {
  std::vector<std::uint64_t> incarnations;  ///< of this boot, with batches, and nobody holds them
  std::size_t lost_batches = 0;  ///< of another boot: their stamps mean nothing any more, so they are removed
};
left_behind look_for_left_behind(const std::string& root, const std::string& boot);

}  // namespace tenure::agent
