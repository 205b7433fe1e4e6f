#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

/// The bytes of a block before compression. Between the files that write and read them.
namespace tenure::sinks {

template <class Number>
void put(std::string& out, Number n) {
  out.append(reinterpret_cast<const char*>(&n), sizeof n);
}

/// @returns behind what was written
template <class Number>
char* put(char* at, Number n) {
  std::memcpy(at, &n, sizeof n);
  return at + sizeof n;
}

/// Seven bits a byte, low ones first; the high bit says that more follow.
/// @returns behind what was written; at least two bytes of room are written
inline char* write_short(char* at, std::uint64_t n) {
  for (; n >= 16'384; n >>= 7) *at++ = static_cast<char>(n | 128);
  // One byte or two, without a jump that would go either way.
  const std::uint64_t two = n >= 128 ? 1 : 0;
  at[0] = static_cast<char>((n & 127) | two << 7);
  at[1] = static_cast<char>(n >> 7);
  return at + 1 + two;
}

inline void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint16_t>(text.size()));
  out += text.substr(0, 65'535);
}

/// Takes what `put` wrote; remembers when there was not enough, and gives zeros from then on.
class byte_taker {
 public:
  explicit byte_taker(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number take() {
    Number n{};
    const auto bytes = take_bytes(sizeof n);
    if (bytes.size() == sizeof n) std::memcpy(&n, bytes.data(), sizeof n);
    return n;
  }
  std::uint64_t take_short() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(take<char>());
      n |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return n;
    }
    short_of_ = true;
    return 0;
  }
  std::string_view take_bytes(std::size_t count) {
    if (count > rest_.size()) {
      short_of_ = true;
      rest_ = {};
      return {};
    }
    const auto bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return bytes;
  }
  std::string_view take_text() { return take_bytes(take<std::uint16_t>()); }

  bool short_of() const { return short_of_; }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool short_of_ = false;
};

}  // namespace tenure::sinks
