#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>

#include "transport/asio_transport.hpp"
#include "transport/datagram_stream.hpp"

namespace tenure::transport {

class udp_link;

/// What the links and sockets of one transport share; only its thread touches what is not const or atomic.
struct udp_core {
  explicit udp_core(const asio_options& o) : options(o) {}

  const asio_options options;
  transport_counters counters;
  asio::io_context io{1};
  std::size_t links = 0;
};

/// A socket and the links over it: one for a dialed link, many for a listener. On the transport's thread.
class udp_socket : public std::enable_shared_from_this<udp_socket> {
 public:
  using endpoint = asio::ip::udp::endpoint;

  /// @param accept empty: nobody is accepted
  udp_socket(std::shared_ptr<udp_core> core, asio::ip::udp::socket socket, acceptor accept);

  void start() { receive(); }
  void add(const endpoint& far, std::uint64_t connection, std::shared_ptr<udp_link> link);
  void remove(const endpoint& far, std::uint64_t connection);
  /// What the system cannot take is counted and lost, as anywhere on the way.
  void send(const datagram& d, const endpoint& far);
  /// Takes no new links; the socket closes with its last one.
  void close();
  std::vector<std::shared_ptr<udp_link>> links() const;

 private:
  void receive();
  void received(std::span<const std::byte> bytes);
  void open(const datagram& d);

  const std::shared_ptr<udp_core> core_;
  asio::ip::udp::socket socket_;
  acceptor accept_;
  endpoint from_;
  std::array<std::byte, 2048> buffer_{};
  std::map<std::pair<endpoint, std::uint64_t>, std::shared_ptr<udp_link>> links_;
  bool closed_ = false;
};

/// One connection over UDP. opening → up → draining → ended, each with a bound.
class udp_link final : public link, public std::enable_shared_from_this<udp_link> {
 public:
  udp_link(std::shared_ptr<udp_core> core, std::string peer, std::uint64_t connection);

  void send(frame f) override;
  void close() override;
  std::string peer() const override { return peer_; }

  // The transport's thread only.
  void start_dial(const std::string& host_and_port, link_events events);
  void start_accepted(std::shared_ptr<udp_socket> socket, const udp_socket::endpoint& far,
                      const acceptor& accept);
  void bury();
  void received(const datagram& d);
  void begin_drain();
  void finish(close_reason why);

 private:
  enum class stage { opening, up, draining, ended };

  void begin(link_events events);
  void dial(const udp_socket::endpoint& far);
  void come_up();
  void say(datagram::kind what);
  void take_pending();
  void deliver();
  void go_on();
  void arm();
  bool too_late(std::chrono::steady_clock::time_point now);

  const std::shared_ptr<udp_core> core_;
  const std::string peer_;
  const std::uint64_t connection_;

  std::shared_ptr<udp_socket> socket_;
  udp_socket::endpoint far_;
  asio::ip::udp::resolver resolver_;
  asio::steady_timer timer_;
  link_events events_;
  datagram_stream stream_;
  stage stage_ = stage::opening;
  bool accepted_ = false;
  bool heard_piece_ = false;
  std::chrono::steady_clock::time_point began_, last_heard_, next_open_;

  std::mutex mutex_;
  // Under it.
  std::vector<frame> pending_;
  std::size_t pending_bytes_ = 0;
  bool flush_posted_ = false;
  std::atomic<bool> closing_ = false;  // nothing more is taken
  std::atomic<std::size_t> in_stream_ = 0;
};

}  // namespace tenure::transport
