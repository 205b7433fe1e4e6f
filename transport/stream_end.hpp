#pragma once

#include <cstddef>
#include <span>
#include <sys/uio.h>
#include <system_error>
#include <utility>

namespace tenure::transport {

/// A connected stream socket that never waits. Closes it in the end.
class stream_end {
 public:
  stream_end() = default;
  /// @param socket connected, and non-blocking
  explicit stream_end(int socket) : socket_(socket) {}
  ~stream_end() { close(); }
  stream_end(stream_end&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  stream_end& operator=(stream_end&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }

  int handle() const { return socket_; }
  /// @returns how many bytes came; 0 at the end of the stream, or with an error: operation_would_block when
  /// there is nothing now
  std::size_t read(std::span<std::byte> room, std::error_code& error) const;
  /// Writes of the front of `pieces`, which is moved on past what was written. @returns how many bytes;
  /// operation_would_block when there is no room now
  std::size_t write(std::span<iovec>& pieces, std::error_code& error) const;
  /// The other end reads an end of the stream.
  void end_writing() const;
  void close();

 private:
  int socket_ = -1;
};

}  // namespace tenure::transport
