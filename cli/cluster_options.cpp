#include "cli/cluster_options.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cluster/etcd_membership.hpp"
#include "transport/transport.hpp"

namespace tenure::cli {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

outcome<cluster::member> parse_member(const std::string& text) {
  const auto equals = text.find('=');
  if (equals != std::string::npos && equals > 0)
    if (const auto where = transport::parse_host_port(text.substr(equals + 1)); where && where->port != 0)
      return cluster::member{text.substr(0, equals), text.substr(equals + 1), 1, 0};
  return fail(trouble::usage, "--member: expected NAME=ADDR:PORT, not '" + text + "'");
}

}  // namespace

void add_cluster_options(command& c, cluster_options& o) {
  c.option("member", o.members,
           "a node of the cluster, this one too, which is found by --node-name; repeatable: the whole list")
      .shown_as("NAME=ADDR:PORT");
  c.option("etcd", o.etcd, "an etcd that says who is in the cluster; repeatable: tried in turn")
      .shown_as("URL");
  c.option("etcd-authority", o.etcd_tls.authority,
           "who has signed the certificates of an etcd at https://; empty: the system's authorities")
      .shown_as("FILE");
  c.option("etcd-certificate", o.etcd_tls.certificate, "what is shown to etcd; empty: nothing")
      .shown_as("FILE");
  c.option("etcd-key", o.etcd_tls.key, "the key of that certificate").shown_as("FILE");
  c.option("etcd-cluster", o.name, "clusters of several names may use one etcd");
  c.option("peer-listen", o.listen, "where other nodes connect").shown_as("ADDR:PORT");
  c.option("peer-address", o.address, "where other nodes find this one; empty: where it listens")
      .shown_as("ADDR:PORT");
  c.option("weight", o.weight, "this node's share of the prefixes, relative to others', 1 to 64; with etcd");
  c.option("replicas", o.replicas, "nodes that keep the timelines of a prefix");
  c.flag("plain-peers", o.plain,
         "listen for other nodes without certificates on an address that is not loopback: whoever reaches it "
         "can send evidence");
}

outcome<void> check_cluster_options(const cluster_options& o, bool secured) {
  if (!o.several()) return {};
  if (!o.members.empty() && !o.etcd.empty())
    return fail(trouble::usage, "--member and --etcd: who is there is said by the one or by the other");
  if (o.replicas < 1) return fail(trouble::usage, "--replicas: expected at least 1");
  if (o.weight < 1 || o.weight > cluster::ring::max_weight)
    return fail(trouble::usage, fmt::format("--weight: expected 1 to {}", cluster::ring::max_weight));
  const auto where = transport::parse_host_port(o.listen);
  if (!where) return fail(where.error().trouble, "--peer-listen: " + where.error().text);
  if (!secured && !o.plain && !is_loopback(where->host))
    return fail(trouble::usage,
                "--peer-listen: without certificates other nodes are heard on loopback only; give "
                "--tls-certificate, --tls-key and --tls-authority, or say --plain-peers");
  return {};
}

outcome<std::unique_ptr<cluster::membership>> make_membership(const cluster_options& o,
                                                              const std::string& self,
                                                              std::uint64_t incarnation, std::uint16_t port) {
  if (!o.members.empty()) {
    std::vector<cluster::member> all;
    for (const auto& text : o.members) {
      auto m = parse_member(text);
      if (!m) return tl::unexpected(m.error());
      all.push_back(std::move(*m));
    }
    if (std::none_of(all.begin(), all.end(), [&](const auto& m) { return m.name == self; }))
      return fail(trouble::usage, "--member: none is called '" + self + "', as --node-name says of this one");
    return cluster::make_static_membership(std::move(all));
  }
  cluster::etcd_options how;
  how.endpoints = o.etcd;
  how.tls = o.etcd_tls;
  how.cluster = o.name;
  const auto host = o.listen.substr(0, o.listen.rfind(':'));
  auto made = cluster::etcd_membership::make(
      how, {self, o.address.empty() ? fmt::format("{}:{}", host, port) : o.address, o.weight, incarnation});
  if (!made) return tl::unexpected(made.error());
  return std::unique_ptr<cluster::membership>(std::move(*made));
}

}  // namespace tenure::cli
