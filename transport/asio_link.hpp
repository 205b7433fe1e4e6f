#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "transport/asio_core.hpp"
#include "transport/frame_reader.hpp"
#include "transport/socket_watch.hpp"
#include "transport/stream_end.hpp"
#include "transport/tls_session.hpp"

namespace tenure::transport {

/// One connection, over TCP or a Unix socket, as a link. connecting → (securing →) up → draining → ended;
/// each state but `ended` has a bound, and a timer that keeps it. send, close, peer and identity may be
/// called from any thread, everything else on the transport's.
class asio_link final : public link, public watched, public std::enable_shared_from_this<asio_link> {
 public:
  asio_link(std::shared_ptr<asio_core> core, stream_socket socket, std::string peer);

  void send(frame f) override;
  void close() override;
  std::string peer() const override { return peer_; }
  std::string identity() const override;

  /// Connects to "host:port" or "unix:PATH"; to an address that cannot be read, it is refused.
  void start_dial(const std::string& to, link_events events);
  /// The socket is connected already.
  void start_accepted(acceptor accept);
  /// The same, but the other end may not be here.
  void turn_down();
  /// Ends a link that was never started, and calls nothing.
  void bury();
  /// As close(), on the transport's thread.
  void begin_drain();
  /// Writes what was given to send().
  void flush();
  void readable() override;
  void writable() override;

 private:
  enum class stage { connecting, securing, up, draining, ended };
  struct outgoing {
    std::array<std::byte, 4> prefix;
    frame body;
  };

  void begin(link_events events);
  void connect(std::vector<asio::generic::stream_protocol::endpoint> endpoints);
  void connected(tls_session::side s);
  void come_up();
  void arm(std::chrono::milliseconds bound);
  void timer_fired();
  void deliver(std::span<const std::byte> bytes);
  void deliver_secured(std::span<const std::byte> wire);
  void refuse(close_reason why);
  void take_pending();
  void gather();
  void add_piece(std::span<const std::byte> bytes);
  void write();
  void written();
  bool close_asked() const;
  void finish(close_reason reason);

  const std::shared_ptr<asio_core> core_;
  const std::string peer_;

  // The transport's thread only.
  stream_socket socket_;  // until it is connected
  stream_end wire_;       // from then on
  socket_watch::ticket watched_as_ = 0;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer timer_;
  link_events events_;
  acceptor accept_;  // until it is up
  std::unique_ptr<tls_session> tls_;
  frame_reader reader_;
  stage stage_ = stage::connecting;
  std::chrono::steady_clock::time_point last_heard_;
  std::vector<outgoing> sending_;
  std::size_t sent_ = 0;       // of sending_, frames that were handed over
  std::size_t in_flight_ = 0;  // and that are being handed over
  std::vector<iovec> pieces_;
  std::span<iovec> unwritten_;  // of them
  std::vector<std::byte> encrypted_;
  close_reason drains_for_ = close_reason::closed_here;
  bool writing_ = false;  // some of it waits for room
  bool shut_ = false;

  mutable std::mutex mutex_;
  // Under mutex_.
  std::vector<outgoing> pending_;
  std::size_t queued_bytes_ = 0;  // pending and being sent
  bool flush_posted_ = false;
  std::atomic<bool> closing_ = false;  // nothing more is taken; written under it, read by anyone
  std::string identity_;
};

}  // namespace tenure::transport
