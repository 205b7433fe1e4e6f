#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ownership/prefix.hpp"

namespace tenure::cli {

/// "500ms", "10s", "5m", "24h"; also "us" and "ns". Whole numbers, not negative, one unit.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
/// In the largest unit that says it exactly: 90s is "90s", 120s is "2m".
std::string duration_text(std::chrono::nanoseconds d);

/// How an option of type T is read from text, whether that came from a flag, the environment or a file.
/// `name` stands in the help, `expected` in a refusal.
template <class T>
struct option_value;

template <>
struct option_value<std::string> {
  static constexpr const char* name = "TEXT";
  static constexpr const char* expected = "a text";
  static std::optional<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string text(const std::string& value) { return value; }
};

template <>
struct option_value<std::filesystem::path> {
  static constexpr const char* name = "FILE";
  static constexpr const char* expected = "the path of a file";
  static std::optional<std::filesystem::path> parse(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return std::filesystem::path(text);
  }
  static std::string text(const std::filesystem::path& value) { return value.string(); }
};

template <>
struct option_value<std::chrono::nanoseconds> {
  static constexpr const char* name = "DURATION";
  static constexpr const char* expected = "a duration such as 500ms, 10s, 5m or 24h";
  static std::optional<std::chrono::nanoseconds> parse(std::string_view text) { return parse_duration(text); }
  static std::string text(std::chrono::nanoseconds value) { return duration_text(value); }
};

template <>
struct option_value<prefix> {
  static constexpr const char* name = "CIDR";
  static constexpr const char* expected = "a CIDR such as 10.0.0.0/8 or 2001:db8::/32";
  static std::optional<prefix> parse(std::string_view text) { return prefix::parse(text); }
  static std::string text(const prefix& value) { return value.to_string(); }
};

/// An amount of memory.
struct byte_count {
  std::uint64_t bytes = 0;
};

template <>
struct option_value<byte_count> {
  static constexpr const char* name = "SIZE";
  static constexpr const char* expected = "an amount of memory such as 512MiB or 4GiB";
  /// "65536", "64KiB", "512MiB", "4GiB". Whole numbers, one unit.
  static std::optional<byte_count> parse(std::string_view text);
  /// In the largest unit that says it exactly.
  static std::string text(byte_count value);
};

template <class T>
requires std::integral<T> || std::floating_point<T>
struct option_value<T> {
  static constexpr const char* name = "NUMBER";
  static constexpr const char* expected =
      std::floating_point<T>
          ? "a number"
          : (std::unsigned_integral<T> ? "a whole number, not negative" : "a whole number");
  static std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  static std::string text(T value) { return std::to_string(value); }
};

template <>
struct option_value<bool> {
  static constexpr const char* name = "";
  static constexpr const char* expected = "true or false";
  static std::optional<bool> parse(std::string_view text) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
  }
  static std::string text(bool value) { return value ? "true" : "false"; }
};

}  // namespace tenure::cli
