#include <charconv>
#include <string_view>

#include "transport/transport.hpp"

namespace tenure::transport {

namespace {

tl::unexpected<failure> unreadable(const std::string& text) {
  return fail(trouble::usage, "'" + text + "' is not HOST:PORT (IPv6 in brackets: [::1]:4740)");
}

}  // namespace

outcome<host_port> parse_host_port(const std::string& text) {
  std::string_view rest = text;
  auto colon = rest.rfind(':');
  if (colon == std::string_view::npos) return unreadable(text);
  auto host = rest.substr(0, colon);
  auto port = rest.substr(colon + 1);
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return unreadable(text);
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return unreadable(text);
  } else if (host.find_first_of(":]") != std::string_view::npos) {
    return unreadable(text);  // an IPv6 address without brackets: which colon is the port's cannot be known
  }
  host_port out{std::string(host), 0};
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (host.empty() || error != std::errc{} || end != port.data() + port.size()) return unreadable(text);
  return out;
}

std::optional<std::string> unix_path(const std::string& address) {
  constexpr std::string_view scheme = "unix:";
  if (!address.starts_with(scheme)) return std::nullopt;
  return address.substr(scheme.size());
}

}  // namespace tenure::transport
