#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Does jobs in processes of their own, several at a time: whatever one of them leaves behind or dies of, the
/// others do not notice. docs/decisions.md says why not threads.
struct worker_pool {
  unsigned width = 1;  ///< how many at a time; 0: one for each processor

  /// @param job what number n comes to, done in a forked process: nothing else of it is seen by the caller
  /// @param done hears each result in the order in which they come; a failure when the process died. Its own
  /// failure ends the rest
  /// @pre the calling process has no other thread
  outcome<void> run(std::size_t jobs, const std::function<std::string(std::size_t)>& job,
                    const std::function<outcome<void>(std::size_t, outcome<std::string>)>& done) const;
};

}  // namespace tenure::cli
