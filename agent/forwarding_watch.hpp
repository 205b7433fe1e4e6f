#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "agent/address_check.hpp"
#include "agent/file_descriptor.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// The rtnetlink groups that tell of forwarding, as in `sockaddr_nl::nl_groups`.
inline constexpr unsigned forwarding_groups = 1U << 23U | 1U << 24U;  // RTNLGRP_IPV4_NETCONF, IPV6_NETCONF

/// What one message says, if it is about forwarding at all (other messages are not): whether packets are
/// forwarded from some interface, or would be from all.
struct forwarding_message {
  bool on = false;
};

/// @returns whether the datagram ended a dump.
bool read_forwarding_messages(std::span<const std::byte> datagram,
                              const std::function<void(const forwarding_message&)>& take);

/// Whether any interface of the calling thread's namespace forwards packets now.
outcome<bool> dump_forwarding();

/// Knows of every spell of forwarding in the namespace of the thread that started it, however short: the
/// kernel queues a message before the write that turned it on returns. One thread.
class forwarding_watch {
 public:
  static outcome<forwarding_watch> start();

  /// As it is now, and whether it ever was meanwhile. Where messages were lost it counts as having been.
  /// A failure when the kernel does not say; then nothing is forgotten, the next call says it all.
  outcome<forwarding> look();

 private:
  explicit forwarding_watch(file_descriptor socket) : socket_(std::move(socket)) {}

  file_descriptor socket_;
  std::uint64_t spells_ = 0;
};

}  // namespace tenure::agent
