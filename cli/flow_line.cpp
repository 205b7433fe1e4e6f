#include "cli/flow_line.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "ownership/asked_port.hpp"

namespace tenure::cli {

namespace {

enum key : std::size_t {
  flow_id_key,
  remote_address,
  remote_port,
  opened_ns,
  established_ns,
  last_received_ns,
  transit_ns,
  error_ns,
  transport,
  closed_ns
};
constexpr std::array<std::string_view, 10> keys{
    "flow_id",          "remote_address", "remote_port", "opened_ns", "established_ns",
    "last_received_ns", "transit_ns",     "error_ns",    "transport", "closed_ns"};
constexpr std::uint32_t bit(key k) {
  return 1U << k;
}
constexpr std::uint32_t always =
    bit(flow_id_key) | bit(remote_address) | bit(remote_port) | bit(opened_ns) | bit(error_ns);

// A line as it stands, before it is known what it has to hold.
struct raw_flow {
  flow_line line;
  transport_protocol protocol = transport_protocol::tcp;
  std::optional<nanos> established;
  std::optional<nanos> last_received;
  std::optional<nanos> transit;
  std::optional<nanos> closed;
};

template <class Value>
expectation read_id(Value value, std::string_view& into) {
  const std::string_view token = value.raw_json_token();
  into = token.substr(0, token.find_last_not_of(" \t\r") + 1);
  // The text itself is not needed; reading it checks its escapes.
  std::string_view text;
  double number = 0;
  const bool good = token.starts_with('"') ? value.get_string().get(text) == simdjson::SUCCESS
                                           : value.get_double().get(number) == simdjson::SUCCESS;
  return good ? nullptr : "a text or a number";
}

template <class Value>
expectation read_address(Value value, address& into) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (const auto parsed = address::parse(text)) {
      into = *parsed;
      return nullptr;
    }
  }
  return "an address such as \"10.0.0.1\" or \"2001:db8::1\"";
}

template <class Value>
expectation read_port(Value value, std::uint16_t& into) {
  std::int64_t number = 0;
  const bool read = value.get_int64().get(number) == simdjson::SUCCESS;
  if (!read || number < 0 || number > std::numeric_limits<std::uint16_t>::max()) return "a port, 0 to 65535";
  into = static_cast<std::uint16_t>(number);
  return nullptr;
}

template <class Value>
expectation read_transport(Value value, transport_protocol& into) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (text == "tcp") return into = transport_protocol::tcp, nullptr;
    if (text == "udp") return into = transport_protocol::udp, nullptr;
  }
  return "\"tcp\" or \"udp\"";
}

template <class Value>
expectation read_optional(Value value, std::optional<nanos>& into, bool negative_too) {
  bool null = false;
  nanos number = 0;
  // It is an error, and neither true nor false, for what begins like null and is not.
  if (value.is_null().get(null) == simdjson::SUCCESS && null) return nullptr;
  if (value.get_int64().get(number) != simdjson::SUCCESS || (number < 0 && !negative_too))
    return negative_too ? "a 64-bit integer or null" : "a 64-bit integer, not negative, or null";
  into = number;
  return nullptr;
}

template <class Value>
expectation take(raw_flow& f, std::size_t index, Value value) {
  switch (index) {
    case flow_id_key:
      return read_id(value, f.line.id);
    case remote_address:
      return read_address(value, f.line.remote);
    case remote_port:
      return read_port(value, f.line.remote_port);
    case opened_ns:
      return read_integer(value, f.line.times.opened);
    case established_ns:
      return read_optional(value, f.established, true);
    case last_received_ns:
      return read_optional(value, f.last_received, true);
    case transit_ns:
      return read_optional(value, f.transit, false);
    case error_ns:
      return read_span(value, f.line.times.error);
    case transport:
      return read_transport(value, f.protocol);
    default:
      return read_optional(value, f.closed, true);
  }
}

void take_life(raw_flow& f) {
  auto& times = f.line.times;
  times.is_established = false;
  times.last_received = f.last_received.value_or(times.opened);
  times.closed = f.closed ? *f.closed : f.last_received.value_or(time_max);
}

outcome<void> take_established(raw_flow& f) {
  if (!f.last_received) return fail(trouble::usage, "expected \"last_received_ns\" to be a 64-bit integer");
  if (!f.transit) return fail(trouble::usage, "expected \"transit_ns\" to be a 64-bit integer, not negative");
  auto& times = f.line.times;
  times.is_established = true;
  times.established = *f.established;
  times.last_received = *f.last_received;
  times.transit = *f.transit;
  times.closed = f.closed.value_or(*f.last_received);
  return {};
}

}  // namespace

outcome<flow_line> flow_line_reader::read(std::string_view line) {
  raw_flow f;
  const auto seen =
      object_.read(line, keys, [&f](std::size_t index, auto value) { return take(f, index, value); });
  if (!seen) return tl::unexpected(seen.error());
  const bool tcp = f.protocol == transport_protocol::tcp;
  f.line.remote_port = asked_port(f.protocol, f.line.remote_port);
  // Whoever leaves `established_ns` out of a TCP flow has more likely forgotten it than meant a failed
  // connect.
  const std::uint32_t required = tcp ? always | bit(established_ns) : always;
  if (auto complete = require_keys(*seen, required, keys); !complete) return tl::unexpected(complete.error());
  if (tcp && f.established) {
    if (auto taken = take_established(f); !taken) return tl::unexpected(taken.error());
  } else {
    take_life(f);
  }
  return f.line;
}

}  // namespace tenure::cli
