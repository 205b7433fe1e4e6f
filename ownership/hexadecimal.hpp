#pragma once

#include <cstdint>
#include <string>

namespace tenure {

/// Sixteen lower-case digits, with leading zeros: how incarnations are written.
inline std::string hexadecimal(std::uint64_t value) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, value >>= 4)
    *digit = "0123456789abcdef"[value & 0xf];
  return text;
}

}  // namespace tenure
