#pragma once

#include <string_view>

#include "cli/json_object_reader.hpp"
#include "ownership/endpoint.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::cli {

/// One line of an evidence file, its names not yet numbers. The texts live as long as the reader's last line.
struct evidence_line {
  endpoint at;
  std::string_view tenancy;
  std::string_view workload;
  nanos from = 0;
  nanos until = 0;
  nanos from_error = 0;
  nanos until_error = 0;
};

/// Reads lines such as
/// {"endpoint":"10.0.0.1:443","tenancy":"t1","workload":"checkout","from_ns":0,"until_ns":100,
/// "from_error_ns":1,"until_error_ns":1}. `until_ns` before `from_ns` is read as it stands: it says nothing.
class evidence_line_reader {
 public:
  /// @param line with line_block::padding readable bytes behind it.
  /// @returns what was expected, without the place, when the line is not that.
  outcome<evidence_line> read(std::string_view line);

 private:
  json_object_reader object_;
};

}  // namespace tenure::cli
