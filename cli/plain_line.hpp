#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <simdjson.h>
#include <string_view>

namespace tenure::cli {

/// A value of a plain line, with the part of simdjson's interface that readers of fields use.
class plain_value {
 public:
  enum class kind : std::uint8_t { text, integer, null };

  plain_value(kind what, std::string_view token, std::int64_t number)
      : what_(what), token_(token), number_(number) {}

  simdjson::simdjson_result<std::string_view> get_string() const {
    if (what_ != kind::text) return simdjson::INCORRECT_TYPE;
    return token_.substr(1, token_.size() - 2);
  }
  simdjson::simdjson_result<std::int64_t> get_int64() const {
    if (what_ != kind::integer) return simdjson::INCORRECT_TYPE;
    return std::int64_t{number_};
  }
  simdjson::simdjson_result<double> get_double() const {
    if (what_ != kind::integer) return simdjson::INCORRECT_TYPE;
    return static_cast<double>(number_);
  }
  simdjson::simdjson_result<bool> is_null() const { return what_ == kind::null; }
  /// As it is written, quotes included.
  std::string_view raw_json_token() const { return token_; }

 private:
  kind what_;
  std::string_view token_;
  std::int64_t number_;
};

/// Reads plain lines field by field, at a quarter of the time that any JSON takes. Plain is one object
/// without blanks, of texts in ASCII without escapes, integers of at most 18 digits, and null. What is not
/// plain may be JSON nevertheless, or may not; whoever reads lines asks simdjson then, which has the last
/// word.
class plain_line {
 public:
  /// So many bytes behind the line are read at the most.
  static constexpr std::size_t padding = 16;

  /// @param line with `padding` readable bytes behind it.
  explicit plain_line(std::string_view line) : at_(line.data()), end_(at_ + line.size()) {}

  /// The beginning of the object. @returns false when it is not plain, as do the others.
  bool open() { return at_ < end_ && *at_++ == '{'; }
  /// The next key, and what stands between it and its value.
  std::optional<std::string_view> key();
  /// The same for a key that is expected; when there is another, nothing was read.
  bool key(std::string_view expected);
  std::optional<plain_value> value();
  /// Whether there is another field. @pre a value was read
  bool more() { return at_ < end_ && *at_ == ',' && ++at_; }
  /// The end of the object and of the line. @pre there are no more fields
  bool close() { return at_ < end_ && *at_ == '}' && (++at_ == end_ || (*at_ == '\r' && at_ + 1 == end_)); }

 private:
  // The text that begins here, quotes included; empty when it is not plain.
  std::string_view text();
  std::optional<plain_value> integer();

  const char* at_;
  const char* end_;
};

/// What can be said of eight bytes at once.
namespace eight_bytes {

static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");

constexpr std::uint64_t each(std::uint8_t byte) {
  return byte * 0x0101'0101'0101'0101ULL;
}

template <class Word = std::uint64_t>
Word load(const char* at) {
  Word bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

template <class Word>
bool same_ends(const char* a, const char* b, std::size_t size) {
  const std::size_t last = size - sizeof(Word);
  return load<Word>(a) == load<Word>(b) && load<Word>(a + last) == load<Word>(b + last);
}

// For keys, nearly all of which have 4 to 16 bytes: two words that may overlap.
inline bool same(const char* a, const char* b, std::size_t size) {
  if (size >= 8 && size <= 16) return same_ends<std::uint64_t>(a, b, size);
  if (size >= 4 && size < 8) return same_ends<std::uint32_t>(a, b, size);
  return std::memcmp(a, b, size) == 0;
}

// The highest bit of the first byte that ends a plain text: a quote, a backslash, a control character or what
// is no ASCII. Bytes behind that one may be marked wrongly.
inline std::uint64_t ends_of_text(std::uint64_t bytes) {
  const auto zero = [](std::uint64_t x) { return (x - each(0x01)) & ~x; };
  const std::uint64_t control = (bytes - each(0x20)) & ~bytes;
  return (zero(bytes ^ each('"')) | zero(bytes ^ each('\\')) | control | bytes) & each(0x80);
}

inline bool eight_digits(std::uint64_t bytes) {
  const std::uint64_t beyond_nine = (bytes + each(0x06)) & each(0xf0);
  return ((bytes & each(0xf0)) | beyond_nine >> 4) == each(0x33);
}

// Pairs of digits to numbers below 100, pairs of these to numbers below 10,000, and those to one.
inline std::uint64_t number_of_eight(std::uint64_t digits) {
  digits -= each('0');
  digits = digits * 10 + (digits >> 8);
  constexpr std::uint64_t mask = 0x0000'00ff'0000'00ffULL;
  return (((digits & mask) * (100 + (1'000'000ULL << 32))) +
          (((digits >> 16) & mask) * (1 + (10'000ULL << 32)))) >>
         32;
}

}  // namespace eight_bytes

inline std::string_view plain_line::text() {
  if (at_ >= end_ || *at_ != '"') return {};
  const char* const begin = at_++;
  for (; at_ < end_; at_ += sizeof(std::uint64_t)) {
    const std::uint64_t ends = eight_bytes::ends_of_text(eight_bytes::load(at_));
    if (ends == 0) continue;
    at_ += std::countr_zero(ends) / 8;
    if (at_ >= end_ || *at_ != '"') return {};
    ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  return {};
}

inline std::optional<std::string_view> plain_line::key() {
  const std::string_view quoted = text();
  if (quoted.empty() || at_ >= end_ || *at_ != ':') return std::nullopt;
  ++at_;
  return quoted.substr(1, quoted.size() - 2);
}

inline bool plain_line::key(std::string_view expected) {
  const std::size_t size = expected.size();
  if (static_cast<std::size_t>(end_ - at_) < size + 3) return false;
  if (*at_ != '"' || !eight_bytes::same(at_ + 1, expected.data(), size)) return false;
  if (at_[size + 1] != '"' || at_[size + 2] != ':') return false;
  at_ += size + 3;
  return true;
}

inline std::optional<plain_value> plain_line::integer() {
  const char* const begin = at_;
  const bool negative = *at_ == '-';
  if (negative) ++at_;
  const char* const digits = at_;
  std::uint64_t number = 0;
  while (end_ - at_ >= 8 && at_ - digits < 16) {
    const std::uint64_t bytes = eight_bytes::load(at_);
    if (!eight_bytes::eight_digits(bytes)) break;
    number = number * 100'000'000 + eight_bytes::number_of_eight(bytes);
    at_ += 8;
  }
  constexpr std::ptrdiff_t most = 18;
  while (at_ < end_ && at_ - digits <= most && *at_ >= '0' && *at_ <= '9')
    number = number * 10 + static_cast<std::uint64_t>(*at_++ - '0');
  const std::ptrdiff_t count = at_ - digits;
  if (count == 0 || count > most || (*digits == '0' && (count > 1 || negative))) return std::nullopt;
  const auto value = static_cast<std::int64_t>(number);
  return plain_value(plain_value::kind::integer, {begin, static_cast<std::size_t>(at_ - begin)},
                     negative ? -value : value);
}

inline std::optional<plain_value> plain_line::value() {
  if (at_ >= end_) return std::nullopt;
  if (*at_ == '"') {
    const std::string_view quoted = text();
    if (quoted.empty()) return std::nullopt;
    return plain_value(plain_value::kind::text, quoted, 0);
  }
  constexpr std::string_view null = "null";
  if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(null)) {
    at_ += null.size();
    return plain_value(plain_value::kind::null, null, 0);
  }
  return integer();
}

}  // namespace tenure::cli
