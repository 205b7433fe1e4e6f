#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "ownership/outcome.hpp"
#include "sinks/piece.hpp"
#include "sinks/storage.hpp"

namespace tenure::sinks {

/// A file that is appended to, and made durable, by a thread of its own, so that whoever makes records does
/// not stand while a disk or a pipe takes them. One thread at a time, besides that one.
class file_writer {
 public:
  /// @param fd opened with O_APPEND; taken over, and closed at the end unless it is a standard one
  /// @param path for people @param regular a file that can be synced and may be written past the page cache
  file_writer(int fd, std::string path, bool regular);
  /// Waits a little for the write or the sync that is under way; what comes behind it is not written.
  ~file_writer();
  file_writer(const file_writer&) = delete;
  file_writer& operator=(const file_writer&) = delete;

  /// An empty piece to fill, with room for so many bytes at least.
  piece next(std::size_t room);
  /// A failure is final: nothing is written any more.
  outcome<void> state() const;
  /// To be written behind all that was handed over before, unless it has failed.
  outcome<void> hand_over(piece p);

  /// As storage::sync_then, for what was handed over.
  void sync_then(settled done);

  /// As storage::waiting.
  std::size_t waiting() const;
  /// As storage::unwritten.
  std::size_t unwritten() const;
  /// As storage::busy.
  bool busy() const;

 private:
  struct core;

  std::shared_ptr<core> core_;  // the thread's too
  std::thread thread_;
};

/// A failure of the system's: what could not be done with the file, and why.
failure system_failure(const std::string& what, const std::string& path, int error);

}  // namespace tenure::sinks
