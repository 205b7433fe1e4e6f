#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "capnp/codec.hpp"
#include "ownership/time.hpp"

namespace tenure::agent {

/// Batches that wait for a ping which the node promised, to leave behind its answer in one write: to
/// send one, and to be woken by it, takes both sides longer than some flows do. Times are of any clock of
/// ours. One thread at a time.
class ping_wait {
 public:
  /// A promised ping may be so much late.
  static constexpr nanos grace = 250 * millisecond;
  /// No ping is waited for longer than this, whatever a node promises.
  static constexpr nanos longest = 10 * second;
  /// No more waits than this, in bytes of frames: an agent with more to say says it.
  static constexpr std::size_t most_bytes = 64U << 10;

  /// The node's ping came and was answered. Sends what waits. @param next the next one is promised within so
  /// long; 0: it is not
  template <class Send>
  void pinged(nanos now, nanos next, Send&& send) {
    leave(send);
    if (next > 0) until_ = saturating_add(now, std::min(next, longest) + grace);
  }

  /// A batch that may leave, after those that came before it. @param may_wait there
  /// is time for it @returns whether it waits: until() says for how long
  template <class Send>
  bool put(wire::frame f, bool may_wait, nanos now, Send&& send) {
    const std::size_t bytes = f.size() * sizeof(f.front());
    frames_.push_back(std::move(f));
    bytes_ += bytes;
    if (may_wait && until_ && now < *until_ && bytes_ <= most_bytes) return true;
    leave(send, until_ && now < *until_);
    return false;
  }

  /// Sends what waits when the ping is late.
  template <class Send>
  void look(nanos now, Send&& send) {
    if (until_ && *until_ <= now) leave(send);
  }

  /// Sends what waits, and lets nothing wait before the next promise, unless the last one `stands`.
  template <class Send>
  void leave(Send&& send, bool stands = false) {
    for (auto& f : std::exchange(frames_, {})) send(std::move(f));
    bytes_ = 0;
    if (!stands) until_.reset();
  }

  /// When to look; absent when nothing waits.
  std::optional<nanos> until() const { return frames_.empty() ? std::nullopt : until_; }

 private:
  std::vector<wire::frame> frames_;
  std::size_t bytes_ = 0;
  std::optional<nanos> until_;
};

}  // namespace tenure::agent
