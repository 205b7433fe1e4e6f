#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::transport {

/// The longest SPIFFE id, in bytes.
inline constexpr std::size_t max_spiffe_id_bytes = 2'048;

/// Whether a text is a SPIFFE id as the SPIFFE-ID standard has it: "spiffe://", a trust domain of lower-case
/// letters, digits, dots, dashes and underscores, then perhaps a path of non-empty segments, none of them
/// "." or "..".
bool is_spiffe_id(std::string_view text);

/// Says which SPIFFE ids may be at the other end: "spiffe://prod/node/*". A `*` stands for the trust domain
/// or for one segment of the path, whole; `**`, only at the end, for one segment or more.
class spiffe_pattern {
 public:
  /// @returns why a text is none: trouble::usage.
  static outcome<spiffe_pattern> parse(std::string_view text);

  /// @param id a SPIFFE id
  bool matches(std::string_view id) const;
  std::string to_string() const;

 private:
  std::vector<std::string> parts_;  // the trust domain, then the segments
};

}  // namespace tenure::transport
