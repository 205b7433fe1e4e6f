#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tenure::sim {

/// Digest of everything that happened in a run, in order: the same seed has to end on the same value.
class trace_hash {
 public:
  void add(std::uint64_t word) {
    value_ = (value_ ^ word) * 0x9e37'79b9'7f4a'7c15ULL;
    value_ ^= value_ >> 29;
  }
  void add(std::span<const std::uint64_t> words) {
    add(words.size());
    for (const auto w : words) add(w);
  }
  void add(std::string_view text) {
    for (const char c : text) add(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
    add(text.size());
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf2'9ce4'8422'2325ULL;
};

}  // namespace tenure::sim
