#pragma once

#include <memory>
#include <string>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Output that appears whole or not at all. A file is written beside its place, as `.NAME.PID.partial`, and
/// renamed when it is complete. What is no regular file ("-" for stdout, a pipe, a device) is spooled in an
/// unnamed temporary file and copied at the end.
class whole_output {
 public:
  static outcome<std::unique_ptr<whole_output>> create(const std::string& file);

  whole_output(const whole_output&) = delete;
  whole_output& operator=(const whole_output&) = delete;
  /// Removes what was not committed.
  ~whole_output();

  /// Room at the end of what is buffered; write into it, then call `flush_if_full`.
  std::string& buffer() { return buffer_; }
  outcome<void> flush_if_full();
  outcome<void> commit();

 private:
  whole_output(std::string place, std::string partial, int descriptor, int copy_to);
  outcome<void> flush();
  outcome<void> copy() const;

  std::string place_;
  std::string partial_;  // empty for a spool
  int descriptor_;
  int copy_to_;  // -1 for a file that is renamed
  std::string buffer_;
};

}  // namespace tenure::cli
