#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "agent/forwarding_watch.hpp"
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
  explicit host_address_check(std::shared_ptr<look_failures> failures)
      : failures_(failures ? std::move(failures) : std::make_shared<look_failures>()) {}

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
    if (!seen || seen->cookie != ns.cookie) {
      auto elsewhere = look_for(ns.cookie);
      // One that is gone was looked at, one that could not be entered was not.
      if (!elsewhere && !seen && seen.error().trouble == trouble::refused) failures_->failed(seen.error());
      seen = std::move(elsewhere);
    }
    std::vector<bool> result(addresses.size(), false);
    if (!seen) return result;
    failures_->worked();
    const std::unordered_set<address> present(seen->addresses.begin(), seen->addresses.end());
    for (std::size_t i = 0; i < addresses.size(); ++i) result[i] = present.contains(addresses[i]);
    return result;
  }

  outcome<forwarding> forwards() override {
    // Not before somebody asks, for nobody empties its queue.
    if (!forwarding_) {
      auto started = forwarding_watch::start();
      if (!started) return counted(tl::unexpected(started.error()));
      forwarding_.emplace(std::move(*started));
    }
    return counted(forwarding_->look());
  }

 private:
  outcome<forwarding> counted(outcome<forwarding> seen) {
    if (!seen) failures_->failed(seen.error());
    return seen;
  }
  static outcome<glimpse> look_for(std::uint64_t cookie) {
    for (const auto& path : netns_paths())
      if (auto seen = look_into(path); seen && seen->cookie == cookie) return seen;
    return fail(trouble::usage, "the network namespace is gone");
  }

  std::shared_ptr<look_failures> failures_;
  std::optional<forwarding_watch> forwarding_;  // of the namespace that the asking thread is in
};

}  // namespace

std::unique_ptr<address_check> make_address_check(std::shared_ptr<look_failures> failures) {
  return std::make_unique<host_address_check>(std::move(failures));
}

}  // namespace tenure::agent
