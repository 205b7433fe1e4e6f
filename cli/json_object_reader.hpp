#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <type_traits>

#include "cli/line_block.hpp"
#include "cli/plain_line.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::cli {

using json_value = simdjson::ondemand::value;

/// What a field should have been, or null when it was that.
using expectation = const char*;

/// 64-bit, written without fraction and exponent.
template <class Value>
expectation read_integer(Value value, nanos& into) {
  if (value.get_int64().get(into) == simdjson::SUCCESS) return nullptr;
  return "a 64-bit integer";
}

template <class Value>
expectation read_span(Value value, nanos& into) {
  if (value.get_int64().get(into) == simdjson::SUCCESS && into >= 0) return nullptr;
  return "a 64-bit integer, not negative";
}

template <class Value>
expectation read_name(Value value, std::string_view& into) {
  if (value.get_string().get(into) == simdjson::SUCCESS && !into.empty()) return nullptr;
  return "a text that is not empty";
}

/// Reads one line as one JSON object and hands out the fields with known keys. Others are passed over, so
/// that files may carry more than the rule needs.
class json_object_reader {
 public:
  /// @param line with line_block::padding readable bytes behind it.
  /// @param take called with the index of a key and its value, a json_value or, if it takes that too, a
  /// plain_value; says what it expected when the value is not that. Called anew, for all of the line, when
  /// the line turns out not to be plain.
  /// @returns which keys were there, one bit each; strings that were handed out stay valid until the next
  /// call.
  template <std::size_t N, class Take>
  outcome<std::uint32_t> read(std::string_view line, const std::array<std::string_view, N>& keys,
                              Take&& take) {
    static_assert(N <= 32);
    if constexpr (std::is_invocable_v<Take, std::size_t, plain_value>)
      if (const auto seen = read_plain(plain_line(line), keys, take)) return *seen;
    return read_any(line, keys, take);
  }

 private:
  template <std::size_t N, class Take>
  outcome<std::uint32_t> read_any(std::string_view line, const std::array<std::string_view, N>& keys,
                                  Take& take) {
    using namespace simdjson;
    if (line.empty()) return not_an_object(EMPTY);  // a fresh simdjson parser does not survive nothing
    ondemand::document document;
    ondemand::object object;
    const padded_string_view padded(line.data(), line.size(), line.size() + line_block::padding);
    if (auto e = parser_.iterate(padded).get(document)) return not_an_object(e);
    if (auto e = document.get_object().get(object)) return not_an_object(e);
    std::uint32_t seen = 0;
    for (auto each : object) {
      ondemand::field field;
      if (auto e = std::move(each).get(field)) return not_an_object(e);
      const auto key = field.key();
      std::size_t index = 0;
      while (index < N && !key.unsafe_is_equal(keys[index])) ++index;
      if (index == N) continue;
      if ((seen >> index & 1) != 0) return fail(trouble::usage, "expected " + quoted(keys[index]) + " once");
      seen |= std::uint32_t{1} << index;
      if (const expectation expected = take(index, field.value()))
        return fail(trouble::usage, "expected " + quoted(keys[index]) + " to be " + expected);
    }
    if (document.current_location().error() != OUT_OF_BOUNDS)
      return fail(trouble::usage, "expected one JSON object and nothing behind it");
    return seen;
  }

  // Nothing where the line is not plain, or not what it should be: why is said by `read_any`.
  template <std::size_t N, class Take>
  std::optional<std::uint32_t> read_plain(plain_line line, const std::array<std::string_view, N>& keys,
                                          Take& take) {
    if (!line.open()) return std::nullopt;
    std::uint32_t seen = 0;
    std::size_t place = 0;
    do {
      // The lines of a file nearly always have their keys in one order.
      std::uint8_t& usual = usual_keys_[place++ % usual_keys_.size()];
      if (usual >= N || !line.key(keys[usual])) {
        const auto key = line.key();
        if (!key) return std::nullopt;
        usual = static_cast<std::uint8_t>(std::find(keys.begin(), keys.end(), *key) - keys.begin());
      }
      const auto value = line.value();
      if (!value) return std::nullopt;
      if (usual == N) continue;
      if ((seen >> usual & 1) != 0 || take(std::size_t{usual}, *value) != nullptr) return std::nullopt;
      seen |= std::uint32_t{1} << usual;
    } while (line.more());
    return line.close() ? std::optional(seen) : std::nullopt;
  }

  static std::string quoted(std::string_view key) { return '"' + std::string(key) + '"'; }
  static tl::unexpected<failure> not_an_object(simdjson::error_code e) {
    return fail(trouble::usage, std::string("expected one JSON object: ") + simdjson::error_message(e));
  }

  simdjson::ondemand::parser parser_;
  std::array<std::uint8_t, 32> usual_keys_{};  // which key was the first, the second, ... the last time
};

/// The first key that had to be there and was not, as a failure.
template <std::size_t N>
outcome<void> require_keys(std::uint32_t seen, std::uint32_t required,
                           const std::array<std::string_view, N>& keys) {
  for (std::size_t i = 0; i < N; ++i)
    if ((required & ~seen) >> i & 1)
      return fail(trouble::usage, "expected the key \"" + std::string(keys[i]) + '"');
  return {};
}

}  // namespace tenure::cli
