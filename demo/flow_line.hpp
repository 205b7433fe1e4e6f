#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "demo/truth_message.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// What one end's record says of an end of its connection.
struct named_end {
  std::optional<std::string> workload;
  std::optional<std::string> tenancy;
};

/// One line of `tenure up --output`, as far as the demo judges it. See docs/record.md.
struct flow_line {
  std::string flow_id;
  side reporter = side::client;
  connection_tuple tuple;
  named_end client;
  named_end server;
  std::string reason;  ///< empty when the far end is named
  /// UTC, nanoseconds since 1970.
  std::optional<nanos> opened;
  std::optional<nanos> established;
  std::optional<nanos> closed;

  const named_end& near() const { return reporter == side::client ? client : server; }
  const named_end& far() const { return reporter == side::client ? server : client; }
  address near_address() const { return reporter == side::client ? tuple.client : tuple.server; }
  address far_address() const { return reporter == side::client ? tuple.server : tuple.client; }
};

/// A failure says which key is not as docs/record.md has it.
outcome<flow_line> parse_flow_line(std::string_view text);

/// "2026-11-21T07:16:08.123456789Z"; nothing when it is not in that form.
std::optional<nanos> parse_utc(std::string_view text);

}  // namespace tenure::demo
