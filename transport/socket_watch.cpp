#include "transport/socket_watch.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace tenure::transport {

namespace {

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return set;
}

epoll_event event_of(socket_watch::ticket t, bool room) {
  epoll_event e{};
  e.events = room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  e.data.u64 = t;
  return e;
}

}  // namespace

socket_watch::socket_watch(asio::io_context& io) : set_(io, make_set()) {}

socket_watch::ticket socket_watch::add(int socket, std::shared_ptr<watched> who) {
  auto event = event_of(++last_, false);
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0) return 0;
  all_.emplace(last_, std::move(who));
  wait();
  return last_;
}

bool socket_watch::ask_for_room(ticket t, int socket, bool wanted) {
  auto event = event_of(t, wanted);
  return ::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, socket, &event) == 0;
}

void socket_watch::remove(ticket t, int socket) {
  if (all_.erase(t) == 0) return;
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, socket, nullptr);
  std::error_code ignored;
  if (all_.empty()) set_.cancel(ignored);
}

void socket_watch::wait() {
  if (all_.empty() || std::exchange(waiting_, true)) return;
  set_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const std::error_code& cancelled) {
    waiting_ = false;
    if (!cancelled) look();
    wait();
  });
}

void socket_watch::look() {
  const int count = ::epoll_wait(set_.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
  for (int i = 0; i < count; ++i) {
    const auto events = ready_[static_cast<std::size_t>(i)].events;
    const auto of = ready_[static_cast<std::size_t>(i)].data.u64;
    const auto tell = [&](void (watched::*what)()) {
      const auto it = all_.find(of);
      if (it == all_.end()) return;
      const auto who = it->second;  // it may remove itself
      (who.get()->*what)();
    };
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) tell(&watched::readable);
    if ((events & EPOLLOUT) != 0) tell(&watched::writable);
  }
}

}  // namespace tenure::transport
