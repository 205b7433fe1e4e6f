#include "ownership/prefix.hpp"

#include <algorithm>
#include <charconv>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

constexpr int v4_offset = 96;  // an IPv4 /n is a /(96 + n) of the 128-bit form

// The host bits of a prefix of that length, as the two halves of an address.
std::uint64_t high_host_bits(int length) {
  return length >= 64 ? 0 : ~std::uint64_t{0} >> length;
}
std::uint64_t low_host_bits(int length) {
  if (length <= 64) return ~std::uint64_t{0};
  return length >= 128 ? 0 : ~std::uint64_t{0} >> (length - 64);
}

address last_of(const prefix& p) {
  return address::from_halves(p.network().high() | high_host_bits(p.length()),
                              p.network().low() | low_host_bits(p.length()));
}

bool follows(address a, address before) {
  const std::uint64_t low = before.low() + 1;
  return a == address::from_halves(before.high() + (low == 0 ? 1 : 0), low) && a > before;
}

}  // namespace

prefix::prefix(address network, int length) : length_(length) {
  invariant(length >= 0 && length <= 128, "a prefix has 0 to 128 bits");
  network_ =
      address::from_halves(network.high() & ~high_host_bits(length), network.low() & ~low_host_bits(length));
}

std::optional<prefix> prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto network = address::parse(text.substr(0, slash));
  if (!network) return std::nullopt;
  if (slash == std::string_view::npos) return prefix{*network, 128};
  // "::ffff:10.0.0.0/104" counts from the start of the 128 bits, "10.0.0.0/8" from the start of its 32.
  const bool dotted = text.find(':') == std::string_view::npos;
  const auto digits = text.substr(slash + 1);
  int length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || length < 0 || length > (dotted ? 32 : 128) || digits.front() == '-') return std::nullopt;
  return prefix{*network, dotted ? v4_offset + length : length};
}

bool prefix::contains(address a) const {
  return network_ <= a && a <= last_of(*this);
}

std::string prefix::to_string() const {
  const bool dotted = network_.is_v4() && length_ >= v4_offset;
  return network_.to_string() + '/' + std::to_string(dotted ? length_ - v4_offset : length_);
}

prefix_set::prefix_set(std::vector<prefix> members) {
  std::sort(members.begin(), members.end());
  for (const auto& p : members) {
    const address last = last_of(p);
    if (!ranges_.empty() && (p.network() <= ranges_.back().last || follows(p.network(), ranges_.back().last)))
      ranges_.back().last = std::max(ranges_.back().last, last);
    else
      ranges_.push_back({p.network(), last});
  }
}

prefix_set prefix_set::everything() {
  return prefix_set{{prefix{address{}, 0}}};
}

bool prefix_set::contains(address a) const {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), a,
                                      [](address wanted, const range& r) { return wanted < r.first; });
  return after != ranges_.begin() && a <= std::prev(after)->last;
}

}  // namespace tenure
