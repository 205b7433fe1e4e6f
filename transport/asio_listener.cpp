#include "transport/asio_listener.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "transport/asio_link.hpp"

namespace tenure::transport {

namespace {

/// After a failed accept, most often for want of descriptors: the connection waits in the kernel meanwhile.
/// Doubles from failure to failure.
constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{1'000};

std::string describe(const asio::ip::tcp::endpoint& e) {
  auto host = e.address();
  if (host.is_v6() && host.to_v6().is_v4_mapped()) {
    host = asio::ip::make_address_v4(asio::ip::v4_mapped, host.to_v6());
  }
  auto port = ":" + std::to_string(e.port());
  return host.is_v6() ? "[" + host.to_string() + "]" + port : host.to_string() + port;
}

}  // namespace

asio_listener::asio_listener(std::shared_ptr<asio_core> core, asio::ip::tcp::acceptor socket, acceptor accept)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      accept_(std::move(accept)),
      timer_(core_->io),
      pause_(first_pause) {}

void asio_listener::start() {
  if (closed_) return;
  socket_.async_accept(
      [self = shared_from_this()](const std::error_code& error, asio::ip::tcp::socket socket) {
        self->accepted(error, std::move(socket));
      });
}

void asio_listener::accepted(const std::error_code& error, asio::ip::tcp::socket socket) {
  if (closed_) return;
  if (error) {
    ++core_->counters.accept_errors;
    return back_off();
  }
  pause_ = first_pause;
  std::error_code gone;
  auto peer = socket.remote_endpoint(gone);
  if (core_->links.size() >= core_->options.max_links) {
    ++core_->counters.turned_away;
  } else {
    // One that is gone already ends as every link does, by its reads.
    auto made = std::make_shared<asio_link>(core_, std::move(socket), gone ? "unknown" : describe(peer));
    ++core_->counters.accepted;
    made->start_accepted(accept_);
  }
  start();
}

void asio_listener::back_off() {
  timer_.expires_after(pause_);
  pause_ = std::min(pause_ * 2, longest_pause);
  timer_.async_wait([self = shared_from_this()](const std::error_code& error) {
    if (!error) self->start();
  });
}

void asio_listener::close() {
  closed_ = true;
  std::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
}

}  // namespace tenure::transport
