#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <sys/epoll.h>
#include <unordered_map>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

namespace tenure::transport {

/// Somebody whose socket is watched.
class watched {
 public:
  virtual ~watched() = default;
  /// There is something to read: bytes, the end, or why it broke.
  virtual void readable() = 0;
  /// There is room again; only where it was asked for.
  virtual void writable() = 0;
};

/// Watches many sockets. Asio asks the kernel anew for each wait, a system call for each read; here a socket
/// is registered once, and one call tells of all that are ready. Called on the io_context's thread only, as
/// are those who are told. While it watches anything, the io_context has work.
class socket_watch {
 public:
  using ticket = std::uint64_t;

  explicit socket_watch(asio::io_context& io);

  /// @param socket stays open until it is removed @returns 0 when the system has no room for one more
  ticket add(int socket, std::shared_ptr<watched> who);
  /// Whether to tell when there is room to write. @returns false when the system refuses
  bool ask_for_room(ticket t, int socket, bool wanted);
  /// Nothing is told any more, not even what the kernel has said already.
  void remove(ticket t, int socket);

 private:
  void wait();
  void look();

  asio::posix::stream_descriptor set_;
  std::unordered_map<ticket, std::shared_ptr<watched>> all_;
  ticket last_ = 0;  // never the same again: what was said about a socket that is gone finds nobody
  bool waiting_ = false;
  /// Of so many sockets at a time, before others have their turn: timers, and what is to be sent.
  std::array<epoll_event, 64> ready_{};
};

}  // namespace tenure::transport
