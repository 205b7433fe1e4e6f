#include "transport/stream_end.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace tenure::transport {

namespace {

/// What the kernel takes in one call (UIO_MAXIOV).
constexpr std::size_t most_pieces = 1'024;

std::error_code last_error() {
  if (errno == EAGAIN) return std::make_error_code(std::errc::operation_would_block);
  return {errno, std::generic_category()};
}

}  // namespace

std::size_t stream_end::read(std::span<std::byte> room, std::error_code& error) const {
  ssize_t got = 0;
  do got = ::recv(socket_, room.data(), room.size(), 0);
  while (got < 0 && errno == EINTR);
  error = got < 0 ? last_error() : std::error_code{};
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

std::size_t stream_end::write(std::span<iovec>& pieces, std::error_code& error) const {
  msghdr m{};
  m.msg_iov = pieces.data();
  m.msg_iovlen = std::min(pieces.size(), most_pieces);
  ssize_t done = 0;
  do done = ::sendmsg(socket_, &m, MSG_NOSIGNAL);
  while (done < 0 && errno == EINTR);
  error = done < 0 ? last_error() : std::error_code{};
  if (done < 0) return 0;
  auto left = static_cast<std::size_t>(done);
  while (!pieces.empty() && left >= pieces.front().iov_len) {
    left -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (left > 0) {
    auto& cut = pieces.front();
    cut.iov_base = static_cast<std::byte*>(cut.iov_base) + left;
    cut.iov_len -= left;
  }
  return static_cast<std::size_t>(done);
}

void stream_end::end_writing() const {
  ::shutdown(socket_, SHUT_WR);
}

void stream_end::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace tenure::transport
