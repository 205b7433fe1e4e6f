#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "capnp/codec.hpp"

namespace tenure::agent {

/// Batches that were sealed and are not acknowledged yet, within a bound on their bytes. Framework-free; one
/// thread.
class retention {
 public:
  /// @param max_bytes of frames; beyond it the oldest batches are dropped, and counted
  explicit retention(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// @param number increases from batch to batch; @param flows how many the frame carries, for counting
  void keep(std::uint64_t number, wire::frame frame, std::size_t flows);

  /// @returns whether it was retained: false for a repeat, or for what was dropped.
  bool acknowledge(std::uint64_t number);

  /// Calls `visit(frame)` for all that is retained, oldest first: what a new connection has to be sent.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, kept] : kept_) visit(kept.frame);
  }

  std::size_t batches() const { return kept_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t flows() const { return flows_; }
  std::uint64_t batches_dropped() const { return batches_dropped_; }
  std::uint64_t flows_dropped() const { return flows_dropped_; }

 private:
  struct kept_batch {
    wire::frame frame;
    std::size_t flows = 0;
  };
  void forget(std::map<std::uint64_t, kept_batch>::iterator it);

  std::size_t max_bytes_;
  std::map<std::uint64_t, kept_batch> kept_;
  std::size_t bytes_ = 0;
  std::size_t flows_ = 0;
  std::uint64_t batches_dropped_ = 0;
  std::uint64_t flows_dropped_ = 0;
};

}  // namespace tenure::agent
