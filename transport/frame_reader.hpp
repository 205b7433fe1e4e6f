#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "transport/transport.hpp"

namespace tenure::transport {

/// Cuts a stream of bytes into frames, wherever the stream was split. On TCP a frame is its length in bytes
/// (four bytes, little endian, whole words only), then the words. Room for a frame grows with the bytes that
/// came, not with the length that was announced, so that a length costs its sender as much as it costs us.
class frame_reader {
 public:
  /// Takes the next frame off the front of `bytes`, which is moved on past what was used.
  /// @returns nothing when `bytes` is used up before the frame's end, or when the stream is refused.
  std::optional<frame> next(std::span<const std::byte>& bytes);

  /// A length beyond max_frame_bytes, or not of whole words, was announced: no more frames come of this
  /// stream.
  bool refused() const { return refused_; }
  /// A frame has begun and is not complete: an end of the stream now cuts it.
  bool within_frame() const { return length_filled_ > 0; }

 private:
  bool read_length(std::span<const std::byte>& bytes);

  std::array<std::byte, 4> length_bytes_{};
  std::size_t length_filled_ = 0;
  std::size_t length_ = 0;  // of the frame that has begun, in bytes
  std::size_t filled_ = 0;  // of it, bytes that have come
  frame frame_;
  bool refused_ = false;
};

/// The four bytes that go before a frame on TCP.
std::array<std::byte, 4> length_prefix(const frame& f);

}  // namespace tenure::transport
