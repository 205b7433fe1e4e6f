#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <system_error>

#include <asio/steady_timer.hpp>

#include "transport/asio_core.hpp"

namespace tenure::transport {

/// Accepts connections and makes links of them, until it is closed. On the transport's thread.
class asio_listener : public std::enable_shared_from_this<asio_listener> {
 public:
  asio_listener(std::shared_ptr<asio_core> core, stream_acceptor socket, acceptor accept,
                std::string path = {});

  /// Removes the socket's file, if it has one.
  ~asio_listener();
  asio_listener(const asio_listener&) = delete;
  asio_listener& operator=(const asio_listener&) = delete;

  void start();
  void close();

 private:
  void accepted(const std::error_code& error, stream_socket socket);
  bool may_be_here(stream_socket& socket, std::string& who) const;
  void back_off();

  const std::shared_ptr<asio_core> core_;
  stream_acceptor socket_;
  acceptor accept_;
  const std::string path_;  // empty: TCP
  asio::steady_timer timer_;
  std::chrono::milliseconds pause_;
  bool closed_ = false;
};

}  // namespace tenure::transport
