#include "demo/fabric.hpp"

#include <utility>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

constexpr const char* bridge_name = "tenure-demo";
constexpr const char* container_link = "eth0";
constexpr int v4_length = 24;
constexpr int v6_length = 64;

}  // namespace

outcome<fabric> fabric::create(std::string name, pool p) {
  auto inside = network_namespace::create(name + "-fabric");
  if (!inside) return tl::unexpected(inside.error());
  fabric made{std::move(name), p, std::move(*inside)};
  auto& links = made.inside_.links();
  if (auto done = links.apply(link_changes().add_bridge(bridge_name).set_up(bridge_name)); !done) {
    return tl::unexpected(done.error());
  }
  auto bridge = links.index_of(bridge_name);
  if (!bridge) return tl::unexpected(bridge.error());
  made.bridge_ = *bridge;
  return made;
}

outcome<std::unique_ptr<container_network>> fabric::make_container(std::uint32_t number) {
  auto inside = network_namespace::create(fmt::format("{}-{}", name_, number));
  if (!inside) return tl::unexpected(inside.error());
  auto made = std::make_unique<container_network>(
      container_network{std::move(*inside), fmt::format("port{}", number), 0, 0});
  auto joined = inside_.links().apply(
      link_changes().add_veth(made->port, container_link, made->inside.descriptor()).set_up(made->port));
  if (!joined) return tl::unexpected(joined.error());
  if (auto up = made->inside.links().apply(link_changes().set_up(container_link)); !up) {
    return tl::unexpected(up.error());
  }
  auto link = made->inside.links().index_of(container_link);
  if (!link) return tl::unexpected(link.error());
  auto port = inside_.links().index_of(made->port);
  if (!port) return tl::unexpected(port.error());
  made->link = *link;
  made->port_index = *port;
  return made;
}

outcome<void> fabric::give(container_network& c, slot_index s) {
  link_changes changes;
  changes.set_mac(c.link, pool_.mac(s));
  changes.add_address(c.link, pool_.v4(s), v4_length).add_address(c.link, pool_.v6(s), v6_length);
  // After the hardware address: changing that one empties the table.
  for (slot_index other = 0; other < pool_.size(); ++other) {
    if (other == s) continue;
    changes.add_neighbour(c.link, pool_.v4(other), pool_.mac(other));
    changes.add_neighbour(c.link, pool_.v6(other), pool_.mac(other));
  }
  return c.inside.links().apply(changes);
}

outcome<void> fabric::join(const container_network& c) {
  return inside_.links().apply(link_changes().attach(c.port, bridge_));
}

outcome<void> fabric::cut(container_network& c, slot_index s) {
  if (auto shut = inside_.links().apply(link_changes().shut_port(c.port_index)); !shut) return shut;
  return c.inside.links().apply(link_changes()
                                    .remove_address(c.link, pool_.v4(s), v4_length)
                                    .remove_address(c.link, pool_.v6(s), v6_length));
}

outcome<void> fabric::remove(const container_network& c) {
  return inside_.links().apply(link_changes().remove(c.port));
}

}  // namespace tenure::demo
