#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/address.hpp"

namespace tenure {

/// A CIDR: all addresses that share the first `length` bits.
class prefix {
 public:
  /// Host bits of `network` are cleared.
  /// @param length in bits of the 128-bit form: an IPv4 /24 has length 120. 0 to 128.
  prefix(address network, int length);

  /// "10.0.0.0/8", "2001:db8::/32", or a bare address (its host prefix). Host bits may be set; they are
  /// cleared.
  static std::optional<prefix> parse(std::string_view text);

  address network() const { return network_; }
  int length() const { return length_; }
  bool contains(address a) const;
  /// As it is written: IPv4 lengths count from 0 to 32.
  std::string to_string() const;

  friend auto operator<=>(const prefix&, const prefix&) = default;

 private:
  address network_;
  int length_;
};

/// A set of prefixes, asked "is this address in one of them?": the routable CIDRs.
class prefix_set {
 public:
  prefix_set() = default;
  explicit prefix_set(std::vector<prefix> members);

  /// Every address there is: what counts as routable when nothing was declared.
  static prefix_set everything();

  bool contains(address a) const;
  bool empty() const { return ranges_.empty(); }

 private:
  struct range {
    address first;
    address last;
  };
  std::vector<range> ranges_;  // sorted, disjoint
};

}  // namespace tenure
