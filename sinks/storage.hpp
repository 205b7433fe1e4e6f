#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ownership/outcome.hpp"
#include "ownership/raw_vector.hpp"

namespace tenure::sinks {

/// Whether all is durable that was taken over before it was asked; false while there is no room for it.
/// Called once, on any thread.
using settled = std::function<void(outcome<bool>)>;

/// Bytes that end up somewhere durable. A file in production, memory in the simulator.
class storage {
 public:
  virtual ~storage() = default;
  /// Takes the bytes over. A failure is final.
  virtual outcome<void> append(std::string_view bytes) = 0;
  /// Without failure, and when nothing waits after it, all that was appended is durable. A failure is final.
  virtual outcome<void> sync() = 0;
  /// The same without waiting for it, where a storage can; where it cannot, `done` is called from within.
  virtual void sync_then(settled done);
  /// Enough was taken over, and is not written yet, that whoever can wait should: what comes more only fills
  /// the memory. It changes with the next sync.
  virtual bool busy() const { return false; }
  /// Bytes that were taken over and are not written yet, where a storage writes on a thread of its own.
  virtual std::size_t unwritten() const { return 0; }
  /// Bytes that were taken over and for which there is no room now, as on a full disk. Each sync tries again;
  /// until none wait, whoever appends more only fills the memory.
  virtual std::size_t waiting() const { return 0; }

  /// Room to write what is to be taken over next, at least so many bytes: where it is written from, in a
  /// storage that can lend that, and so without a copy. It stays until any other call than `waiting` and
  /// `busy`.
  virtual std::span<char> room(std::size_t at_least);
  /// Takes over the first `bytes` of that room, which may stay in memory until more come, or the next append
  /// or sync. A failure is final.
  virtual outcome<void> take(std::size_t bytes);

 private:
  raw_vector<char> room_;
};

/// What a file consists of.
enum class file_of { lines, blocks };

/// Opens a file for appending; what was torn at its end, a line without a newline or a block that is not
/// whole, is cut off first. "-" is standard output.
outcome<std::unique_ptr<storage>> open_file(const std::string& path, file_of what = file_of::lines);

}  // namespace tenure::sinks
