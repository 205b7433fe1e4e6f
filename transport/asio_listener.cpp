#include "transport/asio_listener.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <asio/ip/tcp.hpp>

#include "transport/asio_link.hpp"

namespace tenure::transport {

namespace {

/// After a failed accept, most often for want of descriptors: the connection waits in the kernel meanwhile.
/// Doubles from failure to failure.
constexpr std::chrono::milliseconds first_pause{10};
constexpr std::chrono::milliseconds longest_pause{1'000};

std::string describe(const stream_socket& socket) {
  std::error_code gone;
  const auto peer = socket.remote_endpoint(gone);
  asio::ip::tcp::endpoint e;
  if (gone || peer.size() > e.capacity()) return "unknown";
  std::memcpy(e.data(), peer.data(), peer.size());
  e.resize(peer.size());
  auto host = e.address();
  if (host.is_v6() && host.to_v6().is_v4_mapped()) {
    host = asio::ip::make_address_v4(asio::ip::v4_mapped, host.to_v6());
  }
  auto port = ":" + std::to_string(e.port());
  return host.is_v6() ? "[" + host.to_string() + "]" + port : host.to_string() + port;
}

}  // namespace

asio_listener::asio_listener(std::shared_ptr<asio_core> core, stream_acceptor socket, acceptor accept,
                             std::string path)
    : core_(std::move(core)),
      socket_(std::move(socket)),
      accept_(std::move(accept)),
      path_(std::move(path)),
      timer_(core_->io),
      pause_(first_pause) {}

asio_listener::~asio_listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

/// Whose process it is, by the kernel: root's, our own user's, or one that the options name.
bool asio_listener::may_be_here(stream_socket& socket, std::string& who) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  who = "process " + std::to_string(peer.pid) + " of user " + std::to_string(peer.uid);
  const auto& o = core_->options;
  return peer.uid == 0 || peer.uid == ::geteuid() || std::ranges::count(o.local_users, peer.uid) > 0 ||
         std::ranges::count(o.local_groups, peer.gid) > 0;
}

void asio_listener::start() {
  if (closed_) return;
  socket_.async_accept([self = shared_from_this()](const std::error_code& error, stream_socket socket) {
    self->accepted(error, std::move(socket));
  });
}

void asio_listener::accepted(const std::error_code& error, stream_socket socket) {
  if (closed_) return;
  if (error) {
    ++core_->counters.accept_errors;
    return back_off();
  }
  pause_ = first_pause;
  if (core_->links.size() >= core_->options.max_links) {
    ++core_->counters.turned_away;
  } else {
    // One that is gone already ends as every link does, by its reads.
    std::string who;
    const bool may = path_.empty() || may_be_here(socket, who);
    if (path_.empty()) who = describe(socket);
    auto made = std::make_shared<asio_link>(core_, std::move(socket), std::move(who));
    ++core_->counters.accepted;
    if (may)
      made->start_accepted(accept_);
    else
      made->turn_down();
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
