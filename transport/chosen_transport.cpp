#include "transport/chosen_transport.hpp"

#include <asio/ip/address.hpp>

namespace tenure::transport {

bool speaks_openly(const std::string& address) {
  const auto udp = udp_address(address);
  if (!udp) return false;
  const auto where = parse_host_port(*udp);
  if (!where) return true;
  std::error_code not_numeric;
  const auto host = asio::ip::make_address(where->host, not_numeric);
  return not_numeric || !host.is_loopback();
}

}  // namespace tenure::transport
