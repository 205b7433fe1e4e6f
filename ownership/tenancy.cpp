#include "ownership/tenancy.hpp"

#include <charconv>

#include "ownership/hexadecimal.hpp"

namespace tenure {

std::string tenancy_id::to_string() const {
  return hexadecimal(incarnation) + '-' + std::to_string(sequence);
}

std::optional<tenancy_id> tenancy_id::parse(std::string_view text) {
  constexpr std::size_t digits = 16;
  if (text.size() < digits + 2 || text[digits] != '-') return std::nullopt;
  // One spelling for each id: lower case, and no zeros before the sequence.
  for (char c : text.substr(0, digits))
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return std::nullopt;
  tenancy_id id;
  std::from_chars(text.data(), text.data() + digits, id.incarnation, 16);
  const char* const first = text.data() + digits + 1;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, id.sequence);
  if (error != std::errc{} || end != last || (*first == '0' && last - first > 1)) return std::nullopt;
  return id;
}

}  // namespace tenure
