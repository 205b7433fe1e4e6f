#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace tenure::actors {

/// How long to wait before the next dial, after `failed` failures in a row: the first wait doubled with each
/// of them, at most the longest, and of that between half and all, so that those who lost the same node do
/// not come back together.
inline std::chrono::milliseconds redial_wait(std::chrono::milliseconds first,
                                             std::chrono::milliseconds longest, std::uint32_t failed,
                                             std::minstd_rand& draw) {
  const auto wait = std::min<std::chrono::milliseconds>(first * (1U << std::min(failed, 10U)), longest);
  std::uniform_int_distribution<std::int64_t> spread{wait.count() / 2, wait.count()};
  return std::chrono::milliseconds{spread(draw)};
}

}  // namespace tenure::actors
