#include "demo/socket_address.hpp"

#include <arpa/inet.h>
#include <cstring>

namespace tenure::demo {

socket_address socket_address::any(int family, std::uint16_t port) {
  return family == AF_INET6 ? socket_address(address{}, port, true)
                            : socket_address(address::v4(0), port, false);
}

socket_address::socket_address(address a, std::uint16_t port, bool v6) {
  if (v6) {
    sockaddr_in6 s{};
    s.sin6_family = AF_INET6;
    s.sin6_port = htons(port);
    std::memcpy(&s.sin6_addr, a.bytes().data(), sizeof(s.sin6_addr));
    std::memcpy(&storage_, &s, sizeof(s));
    size_ = sizeof(s);
  } else {
    sockaddr_in s{};
    s.sin_family = AF_INET;
    s.sin_port = htons(port);
    s.sin_addr.s_addr = htonl(a.v4_bits());
    std::memcpy(&storage_, &s, sizeof(s));
    size_ = sizeof(s);
  }
}

address socket_address::host() const {
  if (storage_.ss_family == AF_INET) {
    sockaddr_in s{};
    std::memcpy(&s, &storage_, sizeof(s));
    return address::v4(ntohl(s.sin_addr.s_addr));
  }
  sockaddr_in6 s{};
  std::memcpy(&s, &storage_, sizeof(s));
  address::bytes_type bytes;
  std::memcpy(bytes.data(), &s.sin6_addr, bytes.size());
  return address::from_bytes(bytes);
}

std::uint16_t socket_address::port() const {
  sockaddr_in s{};  // the port is at the same place in both families
  std::memcpy(&s, &storage_, sizeof(s));
  return ntohs(s.sin_port);
}

}  // namespace tenure::demo
