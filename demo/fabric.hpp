#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "demo/network_namespace.hpp"
#include "demo/pool.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// The inside of one container: its network namespace, and the link into the fabric.
struct container_network {
  network_namespace inside;
  std::string port;    ///< the fabric's end of the link
  int port_index = 0;  ///< the same, by number
  int link = 0;        ///< the container's end, by number
};

/// A bridge in a namespace of its own, to which containers are joined. Nothing of it is in the host's
/// namespace, and no traffic leaves it.
class fabric {
 public:
  /// @param name the first part of all its names.
  static outcome<fabric> create(std::string name, pool p);

  /// A container's network, its link up but not joined yet. @param number never used before in this run.
  outcome<std::unique_ptr<container_network>> make_container(std::uint32_t number);
  /// Gives both addresses of a slot to a container. Not reachable until it is joined.
  outcome<void> give(container_network& c, slot_index s);
  /// From now on segments come and go.
  outcome<void> join(const container_network& c);
  /// Nothing passes any more, without a word to either side, and the addresses are gone from the container.
  /// Takes no longer than a millisecond; what remains of the link is removed later.
  outcome<void> cut(container_network& c, slot_index s);
  /// Removes the link. The kernel takes its time.
  outcome<void> remove(const container_network& c);

 private:
  fabric(std::string name, pool p, network_namespace inside)
      : name_(std::move(name)), pool_(p), inside_(std::move(inside)) {}

  std::string name_;
  pool pool_;
  network_namespace inside_;
  int bridge_ = 0;
};

}  // namespace tenure::demo
