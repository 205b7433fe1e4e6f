#include <algorithm>
#include <unordered_set>
#include <utility>

#include "agent/host_addresses.hpp"
#include "agent/netlink_addresses.hpp"
#include "agent/netns.hpp"

namespace tenure::agent {

namespace {

/// One look into a namespace.
struct glimpse {
  std::uint64_t cookie = 0;
  std::vector<address> addresses;
};

outcome<glimpse> look_into(const std::string& path) {
  glimpse seen;
  outcome<std::vector<address>> dumped;
  auto entered = run_in_netns(path, [&] {
    seen.cookie = current_netns_cookie();
    dumped = dump_addresses();
  });
  if (!entered) return tl::unexpected(entered.error());
  if (!dumped) return tl::unexpected(dumped.error());
  if (seen.cookie == 0)
    return fail(trouble::refused,
                "this kernel does not tell network namespaces apart (SO_NETNS_COOKIE, Linux 5.14)");
  seen.addresses = std::move(*dumped);
  return seen;
}

class host_address_check final : public address_check {
 public:
  outcome<netns_ref> open(const std::string& path) override {
    auto seen = look_into(path);
    if (!seen) return tl::unexpected(seen.error());
    return netns_ref{path, seen->cookie};
  }

  outcome<netns_ref> find(address a) override {
    std::vector<netns_ref> having;
    for (const auto& path : netns_paths()) {
      const auto seen = look_into(path);  // one that is gone by now does not have it
      if (seen && std::ranges::count(seen->addresses, a) > 0) having.push_back({path, seen->cookie});
    }
    if (having.size() == 1) return having.front();
    if (having.empty())
      return fail(trouble::usage,
                  "no network namespace of this host has " + a.to_string() + " on an interface");
    std::string text = "several network namespaces have " + a.to_string() + ", name one with --netns:";
    for (const auto& ns : having) text += " " + ns.path;
    return fail(trouble::usage, text);
  }

  std::vector<bool> held(const netns_ref& ns, const std::vector<address>& addresses) override {
    auto seen = look_into(ns.path);
    // The process that gave the path its name may be gone and others still live there: look for the cookie
    // elsewhere.
    if (!seen || seen->cookie != ns.cookie) seen = look_for(ns.cookie);
    std::vector<bool> result(addresses.size(), false);
    if (!seen) return result;
    const std::unordered_set<address> present(seen->addresses.begin(), seen->addresses.end());
    for (std::size_t i = 0; i < addresses.size(); ++i) result[i] = present.contains(addresses[i]);
    return result;
  }

 private:
  static outcome<glimpse> look_for(std::uint64_t cookie) {
    for (const auto& path : netns_paths())
      if (auto seen = look_into(path); seen && seen->cookie == cookie) return seen;
    return fail(trouble::usage, "the network namespace is gone");
  }
};

}  // namespace

std::unique_ptr<address_check> make_address_check() {
  return std::make_unique<host_address_check>();
}

}  // namespace tenure::agent
