#pragma once

#include <cstdint>

namespace tenure::load {

__extension__ using wide_number = unsigned __int128;

/// Which of [0, n) a drawn number stands for; all about as often. @pre n > 0
constexpr std::uint64_t scaled(std::uint64_t drawn, std::uint64_t n) {
  return static_cast<std::uint64_t>((static_cast<wide_number>(drawn) * n) >> 64);
}

/// wyrand (Wang Yi 2019), seeded through SplitMix64 (Steele, Lea, Flood 2014): a generator so cheap that each
/// flow has one of its own, and can be made again alone.
class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed) {}
  random(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0)
      : state_(scattered(scattered(scattered(a) ^ b) ^ c)) {}

  /// Draw n of a seed, from 0, without those before it.
  static std::uint64_t draw(std::uint64_t seed, std::uint64_t n) { return drawn(seed + (n + 1) * step); }
  /// What draws next what this one would draw after n others.
  random after(std::uint64_t n) const { return random{state_ + n * step}; }

  std::uint64_t next() { return drawn(state_ += step); }
  /// In [0, n). @pre n > 0
  std::uint64_t below(std::uint64_t n) { return scaled(next(), n); }

 private:
  static constexpr std::uint64_t step = 0xa076'1d64'78bd'642fULL;
  static std::uint64_t drawn(std::uint64_t state) {
    const auto product = static_cast<wide_number>(state) * (state ^ 0xe703'7ed1'a0b4'28dbULL);
    return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  }
  static std::uint64_t scattered(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace tenure::load
