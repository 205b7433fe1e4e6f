#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Watches a file while it lives, also one that is replaced by renaming or by a link that is moved; the
/// destructor waits for the thread.
class file_watch {
 public:
  virtual ~file_watch() = default;
};

/// @param changed is called from the watcher's thread when something in the file's folder was written or
/// moved: perhaps the file. It must not block for long.
outcome<std::unique_ptr<file_watch>> watch_file(const std::string& path, std::function<void()> changed);

}  // namespace tenure::agent
