#pragma once

#include <span>

#include "ownership/outcome.hpp"
#include "sinks/flow_record.hpp"

namespace tenure::sinks {

/// Where resolved flows go. One thread at a time.
class record_sink {
 public:
  virtual ~record_sink() = default;
  /// Takes records over. They are not durable yet.
  virtual outcome<void> append(std::span<const flow_record> records, const record_context& context) = 0;
  /// When it returns without failure, all that was appended is durable. After a failure the sink is done for:
  /// nothing more may be appended.
  virtual outcome<void> make_durable() = 0;
};

}  // namespace tenure::sinks
