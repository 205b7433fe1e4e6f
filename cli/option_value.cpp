#include "cli/option_value.hpp"

#include <array>

namespace tenure::cli {

namespace {

struct unit {
  std::string_view suffix;
  std::int64_t nanoseconds;
};

constexpr std::array<unit, 6> units{{{"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

struct size_unit {
  std::string_view suffix;
  unsigned shift;
};

constexpr std::array<size_unit, 4> size_units{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}}};

}  // namespace

std::optional<byte_count> option_value<byte_count>::parse(std::string_view text) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(last - end));
  for (const auto& u : size_units)
    if (suffix == u.suffix && number <= (~std::uint64_t{0} >> u.shift)) return byte_count{number << u.shift};
  return std::nullopt;
}

std::string option_value<byte_count>::text(byte_count value) {
  for (const auto& u : size_units)
    if (value.bytes != 0 && value.bytes % (std::uint64_t{1} << u.shift) == 0)
      return std::to_string(value.bytes >> u.shift) + std::string(u.suffix);
  return "0";
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc{} || text.front() == '-') return std::nullopt;
  const std::string_view suffix(end, static_cast<std::size_t>(last - end));
  for (const auto& u : units) {
    if (suffix != u.suffix) continue;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(number, u.nanoseconds, &product)) return std::nullopt;
    return std::chrono::nanoseconds(product);
  }
  return std::nullopt;
}

std::string duration_text(std::chrono::nanoseconds d) {
  if (d.count() == 0) return "0s";
  for (const auto& u : units)
    if (d.count() % u.nanoseconds == 0)
      return std::to_string(d.count() / u.nanoseconds) + std::string(u.suffix);
  return {};
}

}  // namespace tenure::cli
