#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <linux/types.h>
#include <map>
#include <vector>

#include "bpf/socket_event.h"

namespace tenure::agent {

/// While one agent takes over from another, the kernel programs of both run side by side, so that no end is
/// missed; and both tell of an end in that moment. This tells which events are the second of two. One thread.
class take_over {
 public:
  enum class side : std::uint8_t { left, own };
  /// Beyond so many nothing is remembered: what both saw is then told twice.
  static constexpr std::size_t most = 65'536;

  /// @returns whether the other side's programs have told of this very end already
  bool told_already(const tenure_socket_event& e, side by);

 private:
  using both_ends = std::array<std::byte, 44>;  // namespace, addresses, ports
  struct seen {
    std::uint32_t near_sequence;
    std::uint32_t far_sequence;
    side by;
  };
  std::map<both_ends, std::vector<seen>> seen_;
  std::size_t remembered_ = 0;
};

}  // namespace tenure::agent
