#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

/// Text that is copied again and again, in moves of fixed length that write beyond its end: what comes next
/// is written over that. A copy of just its length would be a call.
namespace tenure::sinks {

/// So many bytes behind a text are readable, and behind where it is copied to are written.
inline constexpr std::size_t text_slack = 32;

/// @param text with text_slack readable bytes behind it
inline char* write_padded(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text_slack);
  for (std::size_t done = text_slack; done < text.size(); done += text_slack)
    std::memcpy(at + done, text.data() + done, text_slack);
  return at + text.size();
}

/// A short text that is known when compiled, or made once for many lines.
template <std::size_t Most>
struct text_piece {
  std::array<char, Most> text{};
  std::size_t length = 0;

  constexpr text_piece& operator+=(std::string_view more) {
    for (const char c : more) text[length++] = c;
    return *this;
  }
  char* write(char* at) const {
    std::memcpy(at, text.data(), Most);
    return at + length;
  }
};

}  // namespace tenure::sinks
