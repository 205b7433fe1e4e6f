#pragma once

#include <span>
#include <vector>

#include "ownership/outcome.hpp"
#include "sinks/flow_record.hpp"
#include "sinks/storage.hpp"

namespace tenure::sinks {

/// Where resolved flows go. One thread at a time.
class record_sink {
 public:
  virtual ~record_sink() = default;
  /// Takes records over. They are not durable yet.
  virtual outcome<void> append(std::span<const flow_record> records, const record_context& context) = 0;
  /// The same for rows, in the form in which they waited: without taking them apart, where a sink can do
  /// that.
  virtual outcome<void> append_rows(const record_rows& rows, const record_context& context);
  /// When it returns without failure, and is not full, all that was appended is durable. After a failure the
  /// sink is done for: nothing more may be appended.
  virtual outcome<void> make_durable() = 0;
  /// The same without waiting for it, where a sink can; where it cannot, `done` is called from within.
  virtual void make_durable_then(settled done);
  /// As storage::busy.
  virtual bool busy() const { return false; }
  /// As storage::unwritten.
  virtual std::size_t unwritten() const { return 0; }
  /// There is no room for what was appended, for now: it is kept, and is not durable. make_durable tries
  /// again; nothing more should be appended until it is not full any more.
  virtual bool full() const { return false; }

 private:
  std::vector<flow_record> few_;  // rows that were taken apart; kept for its room
};

}  // namespace tenure::sinks
