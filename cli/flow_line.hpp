#pragma once

#include <cstdint>
#include <string_view>

#include "cli/json_object_reader.hpp"
#include "cli/line_block.hpp"
#include "ownership/address.hpp"
#include "ownership/flow.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// One line of a flow file: the far end and what the rule judges by.
struct flow_line {
  std::string_view id;  ///< a JSON text or number, as it was written; lives as long as the line
  address remote;
  std::uint16_t remote_port = 0;
  flow_times times;
};

/// Reads lines such as
/// {"flow_id":"f1","remote_address":"10.0.0.1","remote_port":443,"transport":"tcp","opened_ns":1,
/// "established_ns":2,"last_received_ns":9,"transit_ns":0,"error_ns":0}.
///
/// - `transport` is "tcp" when absent. Of UDP nothing but the life counts: `established_ns` may be absent.
/// - `established_ns` is null for a failed connect. Then, and for UDP, `last_received_ns` and `transit_ns`
/// may be null
///   or absent, and the life ends at `closed_ns`, else at `last_received_ns`. With neither its end is
///   unknown, and no evidence covers it.
/// - The smallest integer as `opened_ns` says that it is not known.
class flow_line_reader {
 public:
  /// @param line with line_block::padding readable bytes behind it.
  /// @returns what was expected, without the place, when the line is not that.
  outcome<flow_line> read(std::string_view line);

  /// Reads the lines of a block, each into take(flow_line).
  template <class Take>
  outcome<void> read_all(line_block& lines, Take&& take) {
    for (;;) {
      const auto line = lines.next();
      if (!line) return tl::unexpected(line.error());
      if (!*line) return {};
      const auto flow = read(**line);
      if (!flow) return tl::unexpected(flow.error());
      take(*flow);
    }
  }

 private:
  json_object_reader object_;
};

}  // namespace tenure::cli
