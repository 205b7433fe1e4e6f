#pragma once

#include <memory>
#include <string>

#include "transport/asio_transport.hpp"
#include "transport/transport.hpp"
#include "transport/udp_transport.hpp"

namespace tenure::transport {

/// The transport that an address asks for: UDP for "udp:HOST:PORT", else TCP or a Unix socket.
class chosen_transport final : public transport {
 public:
  explicit chosen_transport(const asio_options& options) : streams_(options), datagrams_(options) {}

  link_ptr dial(const std::string& address, link_events events) override {
    return of(address).dial(address, std::move(events));
  }
  void resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) override {
    of(address).resolve(address, std::move(done));
  }
  outcome<std::uint16_t> listen(const std::string& address, acceptor accept) override {
    return of(address).listen(address, std::move(accept));
  }
  void stop() override {
    streams_.stop();
    datagrams_.stop();
  }

  const transport_counters& counters() const { return streams_.counters(); }
  const transport_counters& udp_counters() const { return datagrams_.counters(); }

 private:
  transport& of(const std::string& address) {
    if (udp_address(address)) return datagrams_;
    return streams_;
  }

  asio_transport streams_;
  udp_transport datagrams_;
};

/// Whether an address says UDP and another host than this one: what is said there anybody on the way can read
/// and forge.
bool speaks_openly(const std::string& address);

}  // namespace tenure::transport
