#pragma once

#include <chrono>
#include <memory>
#include <system_error>

#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "transport/asio_core.hpp"

namespace tenure::transport {

/// Accepts connections and makes links of them, until it is closed. On the transport's thread.
class asio_listener : public std::enable_shared_from_this<asio_listener> {
 public:
  asio_listener(std::shared_ptr<asio_core> core, asio::ip::tcp::acceptor socket, acceptor accept);

  void start();
  void close();

 private:
  void accepted(const std::error_code& error, asio::ip::tcp::socket socket);
  void back_off();

  const std::shared_ptr<asio_core> core_;
  asio::ip::tcp::acceptor socket_;
  acceptor accept_;
  asio::steady_timer timer_;
  std::chrono::milliseconds pause_;
  bool closed_ = false;
};

}  // namespace tenure::transport
