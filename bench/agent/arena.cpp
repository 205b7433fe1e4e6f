#include "bench/agent/arena.hpp"

#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "ownership/address.hpp"

namespace tenure::bench {
namespace {

void tune() {
  const auto write = [](const char* name, const char* value) {
    std::ofstream(fmt::format("/proc/sys/net/{}", name)) << value;
  };
  write("ipv4/tcp_tw_reuse", "1");
  write("ipv4/ip_local_port_range", "2048 65000");
  write("core/somaxconn", "16384");
  write("ipv4/tcp_max_syn_backlog", "16384");
}

outcome<void> give_address(demo::network_namespace& ns, const char* link, const char* text) {
  const auto index = ns.links().index_of(link);
  if (!index) return tl::unexpected(index.error());
  demo::link_changes changes;
  changes.add_address(*index, *address::parse(text), 24).set_up(link).set_up("lo");
  return ns.links().apply(changes);
}

}  // namespace

outcome<arena> arena::make(const std::string& prefix) {
  auto client = demo::network_namespace::create(prefix + "c");
  if (!client) return tl::unexpected(client.error());
  auto server = demo::network_namespace::create(prefix + "s");
  if (!server) return tl::unexpected(server.error());
  demo::link_changes pair;
  pair.add_veth("bench", "bench", server->descriptor());
  if (auto done = client->links().apply(pair); !done) return tl::unexpected(done.error());
  if (auto done = give_address(*client, "bench", "10.79.0.1"); !done) return tl::unexpected(done.error());
  if (auto done = give_address(*server, "bench", "10.79.0.2"); !done) return tl::unexpected(done.error());
  client->within(tune);
  server->within(tune);
  return arena{std::move(*client), std::move(*server)};
}

}  // namespace tenure::bench
