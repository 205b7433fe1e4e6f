#include "ownership/endpoint.hpp"

#include <charconv>

namespace tenure {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || digits.front() == '0') return std::nullopt;
  return port;
}

std::optional<endpoint> with_port(std::optional<address> a, std::string_view digits) {
  const auto port = parse_port(digits);
  if (!a || !port) return std::nullopt;
  return endpoint{*a, *port};
}

}  // namespace

std::optional<endpoint> endpoint::parse(std::string_view text) {
  if (text.starts_with('[')) {
    const auto close = text.find("]:");
    if (close == std::string_view::npos) return std::nullopt;
    const auto inside = text.substr(1, close - 1);
    if (inside.find(':') == std::string_view::npos) return std::nullopt;  // brackets are for IPv6
    return with_port(address::parse(inside), text.substr(close + 2));
  }
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos)
    return with_port(address::parse(text.substr(0, colon)), text.substr(colon + 1));
  const auto a = address::parse(text);
  if (!a) return std::nullopt;
  return endpoint{*a, 0};
}

std::string endpoint::to_string() const {
  if (whole()) return address.to_string();
  if (address.is_v4()) return address.to_string() + ':' + std::to_string(port);
  return '[' + address.to_string() + "]:" + std::to_string(port);
}

}  // namespace tenure
