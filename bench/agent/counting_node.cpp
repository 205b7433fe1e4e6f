#include "bench/agent/counting_node.hpp"

#include <utility>
#include <variant>

#include "capnp/codec.hpp"

namespace tenure::bench {

outcome<std::unique_ptr<counting_node>> counting_node::start() {
  auto node = std::make_unique<counting_node>();
  const auto accept = [flows = node->flows_](transport::link_ptr link) {
    transport::link_events events;
    events.received = [flows, link](transport::frame f) {
      const auto message = wire::decode(f, 1);
      if (!message) {
        link->close();
      } else if (std::holds_alternative<wire::hello>(*message)) {
        link->send(wire::encode(wire::welcome{wire::protocol_version, "counting"}));
        link->send(wire::encode(wire::ping{1}));
      } else if (const auto* b = std::get_if<wire::batch>(&*message)) {
        *flows += b->flows.size();
        link->send(wire::encode(wire::acknowledgement{b->number}));
      }
    };
    events.closed = [](transport::close_reason) {};
    return events;
  };
  const auto port = node->net_->listen("127.0.0.1:0", accept);
  if (!port) return tl::unexpected(port.error());
  node->port_ = *port;
  return node;
}

}  // namespace tenure::bench
