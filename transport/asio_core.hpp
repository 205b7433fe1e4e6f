#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/io_context.hpp>

#include "transport/asio_transport.hpp"
#include "transport/socket_watch.hpp"

namespace tenure::transport {

class asio_link;

/// TCP and Unix sockets alike.
using stream_socket = asio::generic::stream_protocol::socket;
using stream_acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

/// What the links and listeners of one transport share. Only the transport's thread touches what is not
/// const, atomic, under a mutex or the io_context. Links that somebody still holds keep it beyond the
/// transport.
struct asio_core : std::enable_shared_from_this<asio_core> {
  explicit asio_core(const asio_options& o)
      : options(o), read_buffer(o.read_bytes), plain_buffer(o.credentials ? 16U << 10 : 0) {}

  const asio_options options;
  transport_counters counters;
  asio::io_context io{1};
  socket_watch watch{io};
  /// One for all links: each reads and uses up what it read within one wake-up.
  std::vector<std::byte> read_buffer;
  /// What TLS makes of it, a record at a time.
  std::vector<std::byte> plain_buffer;
  /// And what is put together before it encrypts it.
  std::vector<std::byte> write_buffer;
  std::unordered_set<std::shared_ptr<asio_link>> links;

  /// Has the transport's thread flush this link soon, one time for all that ask until then: to wake it takes
  /// longer than some frames do. Any thread.
  void flush_soon(std::shared_ptr<asio_link> l);

 private:
  void flush_all();

  std::mutex flushing_;
  std::vector<std::shared_ptr<asio_link>> to_flush_;  // under it
  std::vector<std::shared_ptr<asio_link>> flushed_;   // kept for its room
};

}  // namespace tenure::transport
