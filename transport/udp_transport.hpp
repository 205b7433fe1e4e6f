#pragma once

#include <memory>
#include <optional>
#include <string>

#include "transport/asio_transport.hpp"
#include "transport/transport.hpp"

namespace tenure::transport {

/// The transport over UDP, for places that let nothing else through: "udp:HOST:PORT". Frames come whole, once
/// and in order or the link ends (datagram_stream.hpp); no datagram is larger than every path carries. There
/// is no TLS: whoever sees the datagrams can read and forge them, so it is for loopback and for networks that
/// somebody has decided to trust. Bounds and counters are as for TCP; a thread of its own.
class udp_transport final : public transport {
 public:
  /// @param options credentials, allowed and local_users are not used
  explicit udp_transport(const asio_options& options);
  ~udp_transport() override;
  udp_transport(const udp_transport&) = delete;
  udp_transport& operator=(const udp_transport&) = delete;

  link_ptr dial(const std::string& address, link_events events) override;
  outcome<std::uint16_t> listen(const std::string& address, acceptor accept) override;
  /// Waits for the links to drain, within their bound.
  void stop() override;

  const transport_counters& counters() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// "HOST:PORT" in "udp:HOST:PORT"; absent when it is no such address.
std::optional<std::string> udp_address(const std::string& address);

}  // namespace tenure::transport
