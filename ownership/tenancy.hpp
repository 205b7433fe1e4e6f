#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tenure {

/// Names one continuous holding of one endpoint by one workload instance, for ever. `incarnation` is drawn at
/// random by each start of an agent, `sequence` counts within it from 1; the zero value names no tenancy.
struct tenancy_id {
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;

  constexpr bool none() const { return incarnation == 0 && sequence == 0; }
  /// Sixteen hexadecimal digits, a dash, the sequence in decimal: "00c0ffee00c0ffee-17".
  std::string to_string() const;
  static std::optional<tenancy_id> parse(std::string_view text);

  friend constexpr auto operator<=>(const tenancy_id&, const tenancy_id&) = default;
};

/// A workload's name as a number, given by a `workload_table`; 0 names none.
enum class workload_id : std::uint32_t { none = 0 };

}  // namespace tenure

template <>
struct std::hash<tenure::tenancy_id> {
  std::size_t operator()(const tenure::tenancy_id& t) const noexcept {
    return (t.incarnation ^ (t.sequence * 0x9e37'79b9'7f4a'7c15ULL)) * 0xd6e8'feb8'6659'fd93ULL;
  }
};
