#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "demo/pool.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// Changes to the links of one network namespace, to be made in order and in one go: a hand-over has
/// milliseconds.
class link_changes {
 public:
  link_changes& add_bridge(std::string_view name);
  /// A pair of links: `name` here, `peer` in the namespace behind the descriptor.
  link_changes& add_veth(std::string_view name, std::string_view peer, int peer_namespace);
  link_changes& remove(std::string_view name);
  link_changes& set_up(std::string_view name);
  link_changes& set_mac(int index, const mac_address& mac);
  /// Makes a link a port of a bridge.
  link_changes& attach(std::string_view name, int bridge_index);
  /// A port of a bridge that lets nothing pass from now on, either way.
  link_changes& shut_port(int index);
  /// @param length of the prefix as the family writes it: 24 is a /24 of IPv4. IPv6 without duplicate
  /// detection.
  link_changes& add_address(int index, address a, int length);
  link_changes& remove_address(int index, address a, int length);
  /// The hardware address of a neighbour, for good: no question is ever asked about it.
  link_changes& add_neighbour(int index, address a, const mac_address& mac);

 private:
  friend class link_socket;
  void begin(std::uint16_t type, std::uint16_t flags, std::string what);
  void body(const void* data, std::size_t size);
  void attribute(std::uint16_t type, const void* data, std::size_t size);
  void attribute(std::uint16_t type, std::string_view text);
  void address_message(int index, address a, int length);
  std::size_t nest(std::uint16_t type);
  void close_nest(std::size_t at);

  std::vector<std::byte> bytes_;
  std::size_t message_ = 0;        // where the current message begins
  std::vector<std::string> what_;  // of each message, for failures
};

/// An rtnetlink socket. It stays in the namespace in which it was opened, whatever its thread does
/// afterwards.
class link_socket {
 public:
  /// In the calling thread's network namespace.
  static outcome<link_socket> open();

  /// Makes the changes, all of them; the first that the kernel refuses is the failure. Waits 5 s for the
  /// kernel at most.
  outcome<void> apply(const link_changes& changes);
  /// The number of a link in this namespace.
  outcome<int> index_of(std::string_view name);

 private:
  unique_fd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace tenure::demo
