#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/time.hpp"
#include "transport/transport.hpp"

namespace tenure::actors {

/// A frame with the time at which the transport handed it over, which a busy actor would only learn too late:
/// the bracket of a pong is as tight as this stamp.
struct received_frame {
  transport::frame bytes;
  nanos at = 0;
};
using received_frame_ptr = std::shared_ptr<const received_frame>;

/// What a frame takes while it waits in a mailbox: small ones cost more than their bytes.
inline std::size_t inbox_cost(const transport::frame& f) {
  return f.size() * sizeof(f[0]) + 256;
}

/// Frames on their way from the transport's thread to the actor that reads them. It is told of the first one,
/// and takes all that have come by then: a message for each frame costs as much as several flows. Any thread.
class frame_inbox {
 public:
  enum class put_in {
    first,    ///< the actor is to be told
    another,  ///< it was told of an earlier one, and has not come yet
    flood,    ///< beyond the bound on what waits: not taken
  };
  /// @param most_bytes what may wait at most, as inbox_cost has it
  put_in put(received_frame_ptr f, std::size_t most_bytes) {
    const std::size_t cost = inbox_cost(f->bytes);
    const std::lock_guard lock{mutex_};
    if (bytes_ + cost > most_bytes) return put_in::flood;
    bytes_ += cost;
    frames_.push_back(std::move(f));
    return frames_.size() == 1 ? put_in::first : put_in::another;
  }
  /// @param into gets them in the order in which they came, in place of what it held
  void take(std::vector<received_frame_ptr>& into) {
    into.clear();
    const std::lock_guard lock{mutex_};
    bytes_ = 0;
    frames_.swap(into);
  }

 private:
  std::mutex mutex_;
  std::vector<received_frame_ptr> frames_;
  std::size_t bytes_ = 0;
};

/// One connection of an agent that said hello.
struct arrival {
  transport::link_ptr link;
  wire::hello hello;
  frame_inbox inbox;  ///< of its session
};
using arrival_ptr = std::shared_ptr<arrival>;

/// One connection of another node that said hello.
struct visit {
  transport::link_ptr link;
  wire::peer_hello hello;
  std::atomic<std::size_t> inbox_bytes{0};  ///< of frames that were not looked at yet, as inbox_cost has it
};
using visit_ptr = std::shared_ptr<visit>;

}  // namespace tenure::actors
