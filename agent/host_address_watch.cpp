#include <array>
#include <cerrno>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <set>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <utility>

#include "agent/forwarding_watch.hpp"
#include "agent/host_addresses.hpp"
#include "agent/netlink.hpp"
#include "agent/netlink_addresses.hpp"
#include "agent/netns.hpp"

namespace tenure::agent {

namespace {

using gone_callback = std::function<void(std::uint64_t, address)>;
using came_callback = std::function<void(address)>;
using forwarding_callback = std::function<void(bool)>;

class route_watch final : public address_watch {
 public:
  route_watch(file_descriptor socket, file_descriptor wake, gone_callback gone, came_callback came,
              forwarding_callback forwarding)
      : socket_(std::move(socket)),
        wake_(std::move(wake)),
        cookie_(current_netns_cookie()),
        gone_(std::move(gone)),
        came_(std::move(came)),
        forwarding_(std::move(forwarding)) {
    // After the socket listens, so that nothing falls between.
    if (const auto present = dump_addresses()) present_.insert(present->begin(), present->end());
    thread_ = std::thread([this] {
      for (const auto& a : present_) came_(a);
      tell_forwarding();
      run();
    });
  }

  ~route_watch() override {
    const std::uint64_t one = 1;
    std::ignore = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }

 private:
  void run() {
    std::array<pollfd, 2> fds{pollfd{socket_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
    while (true) {
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      if (fds[0].revents != 0) receive();
    }
  }

  void receive() {
    std::array<std::byte, netlink_datagram_bytes> buffer;
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0) {
      if (errno == ENOBUFS) compare();
      return;
    }
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(got));
    bool forwarding = false;
    read_forwarding_messages(datagram, [&](const forwarding_message&) { forwarding = true; });
    if (forwarding) tell_forwarding();
    read_address_messages(datagram, [this](const address_message& m) {
      if (!m.gone) {
        present_.insert(m.address);
        came_(m.address);
        return;
      }
      present_.erase(m.address);
      gone_(cookie_, m.address);
    });
  }

  /// The kernel dropped messages: an address that went and came back meanwhile cannot be told from one that
  /// stayed, so every one counts as gone.
  void compare() {
    for (const auto& a : std::exchange(present_, {})) gone_(cookie_, a);
    if (const auto present = dump_addresses()) present_.insert(present->begin(), present->end());
    for (const auto& a : present_) came_(a);
    tell_forwarding();
  }

  /// A message says it of one interface; what matters is all of them.
  void tell_forwarding() {
    if (const auto on = dump_forwarding()) forwarding_(*on);
  }

  file_descriptor socket_;
  file_descriptor wake_;
  std::uint64_t cookie_;
  gone_callback gone_;
  came_callback came_;
  forwarding_callback forwarding_;
  std::set<address> present_;
  std::thread thread_;
};

}  // namespace

outcome<std::unique_ptr<address_watch>> watch_host_addresses(gone_callback gone, came_callback came,
                                                             forwarding_callback forwarding) {
  auto socket = open_netlink(NETLINK_ROUTE, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | forwarding_groups);
  if (!socket) return tl::unexpected(socket.error());
  file_descriptor wake{::eventfd(0, EFD_CLOEXEC)};
  if (!wake) return fail(trouble::refused, "cannot make an eventfd: too many open files");
  return std::make_unique<route_watch>(std::move(*socket), std::move(wake), std::move(gone), std::move(came),
                                       std::move(forwarding));
}

}  // namespace tenure::agent
