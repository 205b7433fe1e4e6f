#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hold/packed_flow.hpp"

/// How the fields of a packed row lie. For this folder alone.
namespace tenure::hold {

static_assert(std::endian::native == std::endian::little, "fields are cut from words, low bytes first");

/// A field's place among the choices in the head, and the four lengths in bytes that it chooses from; the
/// last has room for any value.
struct shape {
  unsigned place;
  unsigned a, b, c, d;
};

// What the rule asks for comes first.
inline constexpr shape last_received{0, 3, 4, 5, 8};
inline constexpr shape life{1, 3, 4, 5, 8};
inline constexpr shape handshake{2, 2, 3, 4, 8};
inline constexpr shape transit{3, 2, 3, 4, 8};
inline constexpr shape error{4, 2, 3, 4, 8};
inline constexpr shape closing{5, 3, 4, 5, 8};
inline constexpr shape index_gap{6, 0, 1, 2, 4};
inline constexpr shape connection{7, 0, 1, 3, 8};
inline constexpr shape part{8, 0, 1, 2, 4};
inline constexpr shape near_sequence{9, 1, 2, 3, 8};
inline constexpr shape near_name{10, 1, 2, 3, 4};
inline constexpr shape bytes_sent{11, 2, 3, 4, 8};
inline constexpr shape bytes_received{12, 2, 3, 4, 8};
inline constexpr shape segments_sent{13, 1, 2, 3, 4};
inline constexpr shape segments_received{14, 1, 2, 3, 4};
inline constexpr shape retransmits{15, 0, 1, 2, 4};
inline constexpr shape srtt{16, 1, 2, 3, 4};
inline constexpr shape min_rtt{17, 1, 2, 3, 4};
inline constexpr shape connect_time{18, 1, 2, 3, 4};

// Small things, above the choices in the head.
inline constexpr unsigned reporter_bit = 38;
inline constexpr unsigned udp_bit = 39;
inline constexpr unsigned end_bits = 40;  // three
inline constexpr unsigned established_bit = 43;
inline constexpr unsigned far_v6_bit = 44;
inline constexpr unsigned near_bits = 45;  // two
inline constexpr unsigned far_in_region_bit = 47;

/// How much of a near address is the base's: the network of its host, or the upper half of that.
enum class near_form : unsigned { v4, v6_of_base, v6, v6_in_region };

constexpr bool in_region(std::uint64_t high, const row_base& base) {
  return high >> 32 == base.near_high >> 32;
}

inline constexpr std::size_t head_bytes = 6;
inline constexpr std::size_t common_row_bytes = 64;

constexpr std::uint64_t mask(unsigned bytes) {
  return bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
}

/// An error whose place another one may take gets this one of its lengths at least.
inline constexpr unsigned movable_error = 1;
inline constexpr std::size_t movable_error_bytes = error.b;
static_assert(movable_errors == static_cast<nanos>(mask(movable_error_bytes)));

/// Differences either way are small numbers.
constexpr std::uint64_t folded(std::uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}
constexpr std::uint64_t unfolded(std::uint64_t n) {
  return (n >> 1) ^ (0 - (n & 1));
}

constexpr std::uint64_t bits(nanos n) {
  return static_cast<std::uint64_t>(n);
}

/// How a number is written that begins with so many zero bits: its choice, in its place in the head, and in
/// the highest byte how long it is.
template <shape S>
inline constexpr auto forms = [] {
  std::array<std::uint64_t, 65> out{};
  for (unsigned zeros = 0; zeros <= 64; ++zeros) {
    const std::uint64_t largest = zeros == 64 ? 0 : ~std::uint64_t{0} >> zeros;
    const unsigned choice = largest > mask(S.c) ? 3 : largest > mask(S.b) ? 2 : largest > mask(S.a) ? 1 : 0;
    const std::uint64_t length = choice == 0 ? S.a : choice == 1 ? S.b : choice == 2 ? S.c : S.d;
    out[zeros] = std::uint64_t{choice} << (2 * S.place) | length << 56;
  }
  return out;
}();

/// Its functions are always inline, so that they are compiled for the processor that their caller is.
class row_writer {
 public:
  /// @param offset of the first field that is written
  explicit row_writer(std::byte* row, std::size_t offset = 1 + head_bytes) : row_(row), at_(row + offset) {}

  template <shape S>
  [[gnu::always_inline]] void field(std::uint64_t value) {
    put(value, forms<S>[value == 0 ? 64 : static_cast<unsigned>(__builtin_clzll(value))]);
  }
  /// The same, in no fewer bytes than the length with this number.
  template <shape S, unsigned least>
  [[gnu::always_inline]] void field_of_at_least(std::uint64_t value) {
    constexpr std::uint64_t largest = least == 2 ? mask(S.c) : least == 1 ? mask(S.b) : mask(S.a);
    if (value > largest) return field<S>(value);
    put(value, forms<S>[static_cast<unsigned>(__builtin_clzll(largest))]);
  }
  template <shape S>
  [[gnu::always_inline]] void difference(std::uint64_t to, std::uint64_t from) {
    field<S>(folded(to - from));
  }
  template <class Number>
  [[gnu::always_inline]] void raw(Number n) {
    std::memcpy(at_, &n, sizeof n);
    at_ += sizeof n;
  }
  void small(unsigned place, std::uint64_t value) { head_ |= value << place; }
  void bytes(const std::byte* from, std::size_t count) {
    std::memcpy(at_, from, count);
    at_ += count;
  }

  /// The same, eight at a time: as many as row_slack allows are read and written behind them.
  void words(const std::byte* from, std::size_t count) {
    for (std::size_t i = 0; i < count; i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + i, sizeof word);
      std::memcpy(at_ + i, &word, sizeof word);
    }
    at_ += count;
  }

  /// @returns the row's length
  std::size_t finish() {
    const auto length = static_cast<std::size_t>(at_ - row_);
    const std::uint64_t first = (head_ << 8) | length;
    std::memcpy(row_, &first, 1 + head_bytes);
    return length;
  }

  /// The same for a row that was copied but for these fields.
  template <shape... Fields>
  std::size_t finish_copy() {
    constexpr std::uint64_t choices = ((std::uint64_t{3} << (2 * Fields.place)) | ...);
    const auto length = static_cast<std::size_t>(at_ - row_);
    std::uint64_t first = 0;
    std::memcpy(&first, row_, sizeof first);
    first = (first & ~(choices << 8 | 255)) | head_ << 8 | length;
    std::memcpy(row_, &first, sizeof first);
    return length;
  }

 private:
  [[gnu::always_inline]] void put(std::uint64_t value, std::uint64_t form) {
    std::memcpy(at_, &value, sizeof value);
    at_ += form >> 56;
    head_ += form;  // what gathers in the highest byte is shifted out at the end
  }

  std::byte* row_;
  std::byte* at_;
  std::uint64_t head_ = 0;
};

class row_reader {
 public:
  /// @param offset of the first field that is read
  explicit row_reader(const std::byte* row, std::size_t offset = 1 + head_bytes) : at_(row + offset) {
    std::memcpy(&head_, row, sizeof head_);
    head_ >>= 8;
  }

  template <shape S>
  std::uint64_t field() {
    const unsigned choice = (head_ >> (2 * S.place)) & 3;
    static constexpr std::uint64_t masks[] = {mask(S.a), mask(S.b), mask(S.c), mask(S.d)};
    constexpr std::uint32_t lengths = S.a | S.b << 8 | S.c << 16 | S.d << 24;
    std::uint64_t value = 0;
    std::memcpy(&value, at_, sizeof value);
    at_ += (lengths >> (8 * choice)) & 255;
    return value & masks[choice];
  }
  template <shape S>
  std::uint32_t number() {
    return static_cast<std::uint32_t>(field<S>());
  }
  template <shape S>
  std::uint64_t difference(std::uint64_t from) {
    return from + unfolded(field<S>());
  }
  template <class Number>
  Number raw() {
    Number n{};
    std::memcpy(&n, at_, sizeof n);
    at_ += sizeof n;
    return n;
  }
  void skip(std::size_t bytes) { at_ += bytes; }
  const std::byte* at() const { return at_; }
  std::uint64_t head() const { return head_; }
  unsigned small(unsigned place, unsigned width = 1) const {
    return static_cast<unsigned>(head_ >> place) & ((1U << width) - 1);
  }

 private:
  const std::byte* at_;
  std::uint64_t head_ = 0;
};

inline std::size_t length_of(const std::byte* row) {
  return std::to_integer<std::size_t>(*row);
}

/// What four fields take together, by their choices.
template <shape A, shape B, shape C, shape D>
inline constexpr auto lengths_of_four = [] {
  static_assert(A.place % 4 == 0 && B.place == A.place + 1 && C.place == A.place + 2 &&
                D.place == A.place + 3);
  const auto length = [](const shape& s, unsigned choice) {
    return choice == 0 ? s.a : choice == 1 ? s.b : choice == 2 ? s.c : s.d;
  };
  std::array<std::uint8_t, 256> out{};
  for (unsigned i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(length(A, i & 3) + length(B, i >> 2 & 3) + length(C, i >> 4 & 3) +
                                       length(D, i >> 6 & 3));
  return out;
}();

inline std::size_t far_bytes(std::uint64_t head) {
  constexpr std::array<std::uint8_t, 4> by_bits = {4, 16, 4, 12};  // far_v6_bit and far_in_region_bit
  return by_bits[(head >> far_v6_bit & 1) | (head >> far_in_region_bit & 1) << 1];
}

inline std::size_t near_bytes(std::uint64_t head) {
  constexpr std::array<std::uint8_t, 4> by_form = {4, 8, 16, 12};
  return by_form[head >> near_bits & 3];
}

inline constexpr std::size_t port_bytes = 2;

/// What the head, the ports and the addresses take.
inline std::size_t before_fields(std::uint64_t head) {
  return 1 + head_bytes + 2 * port_bytes + far_bytes(head) + near_bytes(head);
}

/// Which of its lengths a field has.
template <shape S>
unsigned choice_of(std::uint64_t head) {
  return static_cast<unsigned>(head >> (2 * S.place) & 3);
}

/// Where a row's stamps begin, and where its error does.
inline std::size_t before_times(std::uint64_t head) {
  return 1 + head_bytes + far_bytes(head) + port_bytes;
}
inline std::size_t before_error(std::uint64_t head) {
  return before_times(head) + lengths_of_four<last_received, life, handshake, transit>[head & 255];
}

/// Where a row's field index_gap begins: what comes before it is the far end, six fields and the near end.
inline std::size_t before_index_gap(std::uint64_t head) {
  constexpr shape nothing{6, 0, 0, 0, 0};
  constexpr shape nothing_more{7, 0, 0, 0, 0};
  return before_fields(head) + lengths_of_four<last_received, life, handshake, transit>[head & 255] +
         lengths_of_four<error, closing, nothing, nothing_more>[head >> 8 & 255];
}

/// Where a row's field part begins: what comes before it is the far end, eight fields and the near end.
inline std::size_t before_part(std::uint64_t head) {
  return before_fields(head) + lengths_of_four<last_received, life, handshake, transit>[head & 255] +
         lengths_of_four<error, closing, index_gap, connection>[head >> 8 & 255];
}

/// Where a row's field near_name begins: what comes before it is the far end, ten fields and the near end.
inline std::size_t before_near_name(std::uint64_t head) {
  constexpr shape nothing{10, 0, 0, 0, 0};
  constexpr shape nothing_more{11, 0, 0, 0, 0};
  return before_part(head) + lengths_of_four<part, near_sequence, nothing, nothing_more>[head >> 16 & 255];
}

/// Where a row's fields end, and what is behind them begins.
inline std::size_t before_extras(std::uint64_t head) {
  constexpr shape nothing{19, 0, 0, 0, 0};
  return before_part(head) + lengths_of_four<part, near_sequence, near_name, bytes_sent>[head >> 16 & 255] +
         lengths_of_four<bytes_received, segments_sent, segments_received, retransmits>[head >> 24 & 255] +
         // Above the last three choices come the small things.
         lengths_of_four<srtt, min_rtt, connect_time, nothing>[head >> 32 & 63];
}

}  // namespace tenure::hold
