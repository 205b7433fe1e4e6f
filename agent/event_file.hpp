#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "agent/jiffy_clock.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

struct tenure_socket_event;

namespace tenure::agent {

/// What a file of recorded events says of them all.
struct recording {
  jiffy_clock::parameters jiffies;
  nanos begun = 0;  ///< boot-time clock of the host that it was recorded on
};

/// Writes socket events as the kernel gave them. One thread.
class event_writer {
 public:
  /// Replaces a file of that name. The file holds addresses and is for its owner alone (mode 0600).
  static outcome<std::unique_ptr<event_writer>> create(const std::string& path, const recording& about);

  /// Past the bound (1 GiB), and when the disk is full, nothing more is written; `lost` counts.
  void write(const tenure_socket_event& e);
  void flush();
  std::uint64_t lost() const { return lost_; }

 private:
  using file_ptr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  explicit event_writer(file_ptr file) : file_(std::move(file)) {}

  file_ptr file_;
  std::uint64_t written_ = 0;
  std::uint64_t lost_ = 0;
};

/// Reads them again. One thread.
class event_reader {
 public:
  /// A failure (trouble::usage) when the file is no recording, or one of another version of these programs.
  static outcome<std::unique_ptr<event_reader>> open(const std::string& path);

  const recording& about() const { return about_; }
  /// @returns whether there was one more. Half an event at the end, as a crash may leave it, is none, and
  /// what cannot be an event ends the file.
  bool next(tenure_socket_event& e);

 private:
  using file_ptr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  event_reader(file_ptr file, const recording& about) : file_(std::move(file)), about_(about) {}

  file_ptr file_;
  recording about_;
};

}  // namespace tenure::agent
