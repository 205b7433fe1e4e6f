#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

#include "ownership/address.hpp"

namespace tenure::demo {

/// The port that every instance answers on.
inline constexpr std::uint16_t service_port = 8080;

/// An address and a port as the socket calls want them.
class socket_address {
 public:
  /// To be filled by the kernel.
  socket_address() = default;
  /// @param v6 which family to write it in.
  socket_address(address a, std::uint16_t port, bool v6);
  static socket_address any(int family, std::uint16_t port);

  address host() const;
  std::uint16_t port() const;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  sockaddr* put() { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t* put_size() { return &size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = sizeof(sockaddr_storage);
};

}  // namespace tenure::demo
