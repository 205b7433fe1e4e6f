#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "agent/spool.hpp"
#include "capnp/codec.hpp"

namespace tenure::agent {

/// Batches that were sealed and are not acknowledged yet, within bounds on their bytes. Framework-free; one
/// thread.
///
/// With a spool every batch is put there first, and memory holds the newest, as far as its bound allows; what
/// the spool cannot take stays in memory alone. Beyond the bounds the oldest batches are dropped, and
/// counted.
class retention {
 public:
  /// @param max_bytes of frames in memory @param kept_outside may be null
  /// @param max_spooled_bytes of frames in the spool. What is there already is retained from the start.
  explicit retention(std::size_t max_bytes, std::shared_ptr<spool> kept_outside = nullptr,
                     std::size_t max_spooled_bytes = 0);

  /// @param number increases from batch to batch; @param flows how many connections the frame's flows stand
  /// for, for counting
  void keep(std::uint64_t number, wire::frame frame, std::size_t flows);

  /// @returns whether it was retained: false for a repeat, or for what was dropped.
  bool acknowledge(std::uint64_t number);

  /// It cannot be delivered: dropped, and counted.
  void give_up(std::uint64_t number);

  /// The first batch that is retained beyond this number; null when there is none. From 0 on they are what a
  /// new connection has to be sent. One that cannot be read back from the spool is dropped, and counted.
  /// @param number becomes the batch's @returns valid until the next call of anything
  const wire::frame* next(std::uint64_t& number);

  /// How much of the outermost bound is taken, in hundredths: of the spool where there is one, else of
  /// memory.
  std::size_t fullness() const {
    return spool_ ? spooled_bytes_ * 100 / std::max<std::size_t>(max_spooled_bytes_, 1)
                  : bytes_ * 100 / std::max<std::size_t>(max_bytes_, 1);
  }

  std::size_t batches() const { return kept_.size(); }
  std::size_t bytes() const { return bytes_; }  ///< in memory
  std::size_t flows() const { return flows_; }
  std::size_t spooled_bytes() const { return spooled_bytes_; }
  std::uint64_t batches_dropped() const { return batches_dropped_; }
  std::uint64_t flows_dropped() const { return flows_dropped_; }
  std::uint64_t spool_failures() const { return spool_failures_; }  ///< batches that it did not take

 private:
  struct kept_batch {
    wire::frame frame;  // empty: only in the spool
    std::size_t flows = 0;
    std::size_t spooled = 0;  // bytes in the spool; 0: not there
  };
  using place = std::map<std::uint64_t, kept_batch>::iterator;

  void keep_bounds();
  void leave_memory(place it);
  void drop(place it);
  void forget(place it);

  std::size_t max_bytes_;
  std::shared_ptr<spool> spool_;
  std::size_t max_spooled_bytes_;
  std::map<std::uint64_t, kept_batch> kept_;
  std::uint64_t oldest_in_memory_ = 0;  // none with a smaller number has its frame in memory
  wire::frame read_back_;
  std::size_t bytes_ = 0;
  std::size_t flows_ = 0;
  std::size_t spooled_bytes_ = 0;
  std::uint64_t batches_dropped_ = 0;
  std::uint64_t flows_dropped_ = 0;
  std::uint64_t spool_failures_ = 0;
};

}  // namespace tenure::agent
