#include "agent/tenancy_tracker.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::agent {

namespace {

/// What was seen, without the addresses that are in several namespaces, or in use whole and in ports: they
/// are nobody's (A1).
std::map<identity_key, usage> by_endpoint(std::vector<usage> all) {
  std::map<address, std::set<std::pair<std::uint64_t, bool>>> ways;
  for (const auto& u : all) ways[u.endpoint.address].emplace(u.netns.cookie, u.endpoint.whole());
  std::map<identity_key, usage> result;
  for (auto& u : all)
    if (ways.at(u.endpoint.address).size() == 1)
      result.emplace(identity_key{u.netns.cookie, u.endpoint}, std::move(u));
  return result;
}

}  // namespace

tenancy_tracker::tenancy_tracker(std::uint64_t incarnation, const boot_clock& clock, identity_map& map,
                                 address_check& check, nanos repeat, usage_check* usages)
    : incarnation_(incarnation), clock_(clock), map_(map), check_(check), repeat_(repeat), usages_(usages) {
  invariant(incarnation != 0, "an agent's incarnation is not 0");
}

outcome<assignment> tenancy_tracker::set(const tenure::endpoint& endpoint, const wire::workload& workload,
                                         const std::string& netns_path, bool unless_forwarding) {
  if (workload.name.empty() || !wire::valid_text(workload.name))
    return fail(trouble::usage, "a workload's name is 1 to 256 bytes of UTF-8 without control characters");
  if (endpoint.address.is_host_local())
    return fail(trouble::usage,
                endpoint.to_string() + " means another host wherever it is said; it cannot be held");
  const auto ns = netns_path.empty() ? check_.find(endpoint.address) : check_.open(netns_path);
  if (!ns) return tl::unexpected(ns.error());
  if (!check_.held(*ns, {endpoint.address}).at(0))
    return fail(trouble::usage, endpoint.address.to_string() + " is on no interface of " + ns->path);
  std::optional<std::uint64_t> spells;
  if (unless_forwarding) {
    const auto seen = check_.forwards();
    if (!seen) return tl::unexpected(seen.error());
    if (seen->on)
      return fail(trouble::usage,
                  endpoint.address.to_string() + " may be others' too, since packets are forwarded here");
    spells = seen->spells;
  }
  // Read after the check: at this instant it is held already.
  const nanos from = clock_.now();

  const identity_key key{ns->cookie, endpoint};
  if (const auto same = live_.find(key); same != live_.end() && !same->second.observed() &&
                                         same->second.workload.name == workload.name &&
                                         same->second.spells == spells)
    return same->second;
  if (auto room = make_room(key); !room) return tl::unexpected(room.error());
  return begin(key, workload, *ns, from, {}, spells);
}

/// Ends what the new tenancy takes the place of; a failure when it may not take it.
outcome<void> tenancy_tracker::make_room(const identity_key& key) {
  const auto same_address = [&] {
    std::vector<live_map::iterator> found;
    for (auto it = live_.begin(); it != live_.end(); ++it)
      if (it->first.endpoint.address == key.endpoint.address) found.push_back(it);
    return found;
  };
  // One address is exclusive or has port tenancies, never both (A1). Those of a namespace that is gone do not
  // count.
  // What was only observed gives way to what is said.
  for (const auto& it : same_address())
    if (it->second.observed()) end(it);
  for (const auto& it : same_address())
    if (it->first.endpoint.whole() != key.endpoint.whole()) verify(it->second.netns, {it});
  for (const auto& it : same_address())
    if (it->first.endpoint.whole() != key.endpoint.whole())
      return fail(trouble::usage,
                  key.endpoint.to_string() + ": " + it->first.endpoint.to_string() + " is assigned to " +
                      it->second.workload.name +
                      "; an address has one whole tenancy or port tenancies, so delete that first");
  for (const auto& it : same_address())
    if (it->first.endpoint == key.endpoint) end(it);
  return {};
}

outcome<assignment> tenancy_tracker::begin(const identity_key& key, const wire::workload& workload,
                                           const netns_ref& ns, nanos from,
                                           const std::vector<std::uint64_t>& witnesses,
                                           std::optional<std::uint64_t> spells) {
  const tenancy_id id{incarnation_, next_sequence_++};
  if (auto put = map_.put(key, id); !put) {
    ++refused_;
    return tl::unexpected(put.error());
  }
  const assignment a{key.endpoint, ns, workload, id, from, from, witnesses, spells};
  live_.emplace(key, a);
  known_.emplace(id, known{{id, key.endpoint, workload, from, from, false, a.observed()}, ns.cookie});
  changed_.push_back(id);
  return a;
}

outcome<tenancy_tracker::live_map::iterator> tenancy_tracker::find_live(const tenure::endpoint& endpoint,
                                                                        const std::string& netns_path) {
  // A namespace that is gone cannot be opened any more; its path still names the assignment.
  const auto ns = netns_path.empty() ? outcome<netns_ref>{} : check_.open(netns_path);
  std::vector<live_map::iterator> found;
  for (auto it = live_.begin(); it != live_.end(); ++it) {
    if (it->first.endpoint != endpoint || it->second.observed()) continue;
    const bool here = netns_path.empty() || it->second.netns.path == netns_path ||
                      (ns && ns->cookie == it->first.netns_cookie);
    if (here) found.push_back(it);
  }
  if (found.empty()) return fail(trouble::usage, endpoint.to_string() + " is not assigned here");
  if (found.size() > 1)
    return fail(trouble::usage,
                endpoint.to_string() + " is assigned in several namespaces; say which with --netns");
  return found.front();
}

outcome<assignment> tenancy_tracker::del(const tenure::endpoint& endpoint, const std::string& netns_path,
                                         tenancy_id only) {
  const auto found = find_live(endpoint, netns_path);
  if (!found) return tl::unexpected(found.error());
  const auto it = *found;
  if (!only.none() && it->second.tenancy != only)
    return fail(trouble::usage,
                endpoint.to_string() + " is held by " + it->second.tenancy.to_string() + " by now");
  if (auto erased = map_.erase(it->first); !erased) return tl::unexpected(erased.error());
  // The platform releases it only after this returns, so it is still verified here: the tightest end there
  // is.
  const nanos before = clock_.now();
  const auto still = [&]() -> bool {
    if (it->second.spells) {
      const auto seen = check_.forwards();
      if (!seen || seen->spells != it->second.spells) return false;
    }
    return check_.held(it->second.netns, {endpoint.address}).at(0);
  };
  if (still()) verified(it->second, before);
  const assignment last = it->second;
  end(it);
  return last;
}

void tenancy_tracker::lost(std::uint64_t netns_cookie, address a) {
  for (auto it = live_.begin(); it != live_.end();) {
    const auto next = std::next(it);
    if (it->first.netns_cookie == netns_cookie && it->first.endpoint.address == a) end(it);
    it = next;
  }
}

void tenancy_tracker::end(live_map::iterator it) {
  // Without it the kernel stamps nothing any more. Where it cannot be erased, near_end still holds the flow
  // to the namespace of the tenancy, in which nobody else has had the address.
  (void)map_.erase(it->first);
  auto& report = known_.at(it->second.tenancy).report;
  report.ended = true;
  changed_.push_back(report.id);
  live_.erase(it);
}

void tenancy_tracker::verified(assignment& a, nanos at) {
  a.verified = std::max(a.verified, at);
  known_.at(a.tenancy).report.until = a.verified;
}

void tenancy_tracker::verify(const netns_ref& ns, const std::vector<live_map::iterator>& members) {
  std::vector<address> addresses;
  addresses.reserve(members.size());
  for (const auto& m : members) addresses.push_back(m->first.endpoint.address);
  // Read before the check: what it finds held was held at this instant, under the contract with platforms.
  const nanos before = clock_.now();
  const bool conditions =
      std::ranges::any_of(members, [](const auto& m) { return m->second.spells.has_value(); });
  const auto seen = conditions ? check_.forwards() : forwarding{};
  const auto held = check_.held(ns, addresses);
  invariant(held.size() == members.size(), "an address check answers for every address");
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& spells = members[i]->second.spells;
    if (!held[i] || (spells && seen && seen->spells != *spells))
      end(members[i]);
    else if (!spells || seen)
      verified(members[i]->second, before);
    // Else nobody knows: a later look that does speaks for this moment as well.
  }
}

void tenancy_tracker::verify_all() {
  std::map<std::uint64_t, std::vector<live_map::iterator>> by_netns;
  for (auto it = live_.begin(); it != live_.end(); ++it)
    if (!it->second.observed()) by_netns[it->first.netns_cookie].push_back(it);
  for (const auto& [cookie, members] : by_netns) verify(netns_ref{members.front()->second.netns}, members);
}

bool tenancy_tracker::assigned(address a) const {
  return std::ranges::any_of(live_, [&](const auto& entry) {
    return entry.first.endpoint.address == a && !entry.second.observed();
  });
}

void tenancy_tracker::end_what_is_shared() {
  std::vector<live_map::iterator> conditional;
  for (auto it = live_.begin(); it != live_.end(); ++it)
    if (it->second.spells) conditional.push_back(it);
  if (conditional.empty()) return;
  const auto seen = check_.forwards();
  for (const auto& it : conditional)
    if (seen && seen->spells != *it->second.spells) end(it);
}

void tenancy_tracker::look() {
  end_what_is_shared();
  if (usages_ == nullptr) return;
  // Read before the look: whoever was there before it, and is still there, was there at this instant.
  const nanos before = clock_.now();
  auto seen = by_endpoint(usages_->look());
  // Read after it: at this instant it is used already.
  const nanos from = clock_.now();
  for (auto it = live_.begin(); it != live_.end();) {
    const auto next = std::next(it);
    if (it->second.observed()) {
      const auto now = seen.find(it->first);
      if (now != seen.end() && now->second.goes_on_from(it->second.workload, it->second.witnesses)) {
        verified(it->second, before);
        it->second.witnesses = now->second.witnesses;
        it->second.netns = now->second.netns;
      } else {
        end(it);
      }
    }
    it = next;
  }
  for (const auto& [key, u] : seen) {
    if (live_.contains(key) || assigned(key.endpoint.address)) continue;
    // A map that is full costs coverage; the next look tries again.
    if (!begin(key, u.workload, u.netns, from, u.witnesses)) return;
  }
}

std::vector<assignment> tenancy_tracker::list() const {
  std::vector<assignment> out;
  out.reserve(live_.size());
  for (const auto& [key, a] : live_) out.push_back(a);
  return out;
}

std::vector<tenancy_report> tenancy_tracker::heartbeat() {
  verify_all();
  look();
  changed_.clear();
  const nanos now = clock_.now();
  std::vector<tenancy_report> out;
  out.reserve(known_.size());
  for (auto it = known_.begin(); it != known_.end();) {
    const auto& report = it->second.report;
    if (report.ended && saturating_add(report.until, repeat_) < now) {
      it = known_.erase(it);
      continue;
    }
    out.push_back(report);
    ++it;
  }
  // In the order of their ids: the same run gives the same bytes.
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

std::vector<tenancy_report> tenancy_tracker::changes() {
  std::vector<tenancy_report> out;
  for (const auto& id : std::exchange(changed_, {}))
    if (const auto it = known_.find(id); it != known_.end()) out.push_back(it->second.report);
  return out;
}

const tenancy_report* tenancy_tracker::find(tenancy_id id) const {
  const auto it = known_.find(id);
  return it == known_.end() ? nullptr : &it->second.report;
}

const tenancy_report* tenancy_tracker::near_end(const observed_flow& f) const {
  if (f.open_before_agent || f.flow.near_tenancy.none()) return nullptr;
  const auto it = known_.find(f.flow.near_tenancy);
  if (it == known_.end()) return nullptr;
  const auto& endpoint = it->second.report.endpoint;
  const bool same_end =
      endpoint.address == f.flow.near_address && (endpoint.whole() || endpoint.port == f.flow.near_port);
  return same_end && it->second.netns_cookie == f.netns_cookie ? &it->second.report : nullptr;
}

}  // namespace tenure::agent
