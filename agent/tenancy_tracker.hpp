#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/address_check.hpp"
#include "agent/clock.hpp"
#include "agent/identity_map.hpp"
#include "agent/observed_flow.hpp"
#include "agent/usage_check.hpp"
#include "capnp/messages.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// One assignment, as `ipman list` shows it.
struct assignment {
  tenure::endpoint endpoint;
  netns_ref netns;
  wire::workload workload;
  tenancy_id tenancy;
  nanos from = 0;      ///< held at least since then, boot-time clock
  nanos verified = 0;  ///< held at least until then
  /// Of a usage that the agent saw itself, its witnesses; none: a platform or an operator said it.
  std::vector<std::uint64_t> witnesses;
  /// Claimed on the condition that nothing is forwarded: how many spells of forwarding there had been.
  /// Absent: on none.
  std::optional<std::uint64_t> spells = {};
  bool observed() const { return !witnesses.empty(); }
};

/// A tenancy with what has been verified of it, ready to become evidence in a batch.
struct tenancy_report {
  tenancy_id id;
  tenure::endpoint endpoint;
  wire::workload workload;
  nanos from = 0;
  nanos until = 0;
  bool ended = false;
  bool observed = false;  ///< the agent saw it itself: no platform said it
};

/// Issues tenancy ids and keeps, for each endpoint of this host, since when and until when its holding is
/// verified. Stamps are read before a check for `until` and after it for `from`, so that both ends lie inside
/// the truth. Framework-free; one thread. Boot-time clock throughout.
class tenancy_tracker {
 public:
  /// @param incarnation drawn at random by this start of the agent, not 0.
  /// @param repeat for how long after its end a tenancy is still reported: the longest hold and five minutes.
  /// @param usages what the agent sees itself of who uses this host's endpoints; null: nothing
  tenancy_tracker(std::uint64_t incarnation, const boot_clock& clock, identity_map& map, address_check& check,
                  nanos repeat, usage_check* usages = nullptr);

  /// A platform says: this endpoint is this workload's now. Setting the same pair again changes nothing; over
  /// a held endpoint the old tenancy ends at its last verification and a new one starts. Refused when the
  /// address is not in the namespace, or when it would mix a whole-address tenancy with port tenancies of one
  /// address (A1).
  /// @param netns_path empty: the namespace that has the address is looked for.
  /// @param unless_forwarding the claim is the host's own on an address of the agent's namespace: refused
  /// while packets are forwarded there, and ended where that last was not so once they are.
  outcome<assignment> set(const tenure::endpoint& endpoint, const wire::workload& workload,
                          const std::string& netns_path, bool unless_forwarding = false);

  /// A platform says: it is about to be released. Verified once more, then ended. When this returns, no new
  /// socket is stamped with it. A failure when nothing is assigned there. @param netns_path empty: the one
  /// namespace assigned; refused when several are. @param only unless it names none, a failure when another
  /// tenancy holds the endpoint by now: a late delete must not end its successor.
  outcome<assignment> del(const tenure::endpoint& endpoint, const std::string& netns_path,
                          tenancy_id only = {});

  /// The system says an address left an interface (rtnetlink): tenancies on it end at their last
  /// verification.
  void lost(std::uint64_t netns_cookie, address a);

  /// Looks at who uses this host's endpoints now: begins tenancies of new usages, goes on with those whose
  /// witness is still there, ends the others. What a platform assigned comes first: where an address is
  /// assigned, whole or in ports, its usages are nobody's. What was claimed unless packets are forwarded ends
  /// before that, if they are.
  void look();

  std::vector<assignment> list() const;

  /// Verifies every live tenancy anew, ends those that are gone, and reports all that a flow may still ask
  /// for: the live ones and the ended ones, which are repeated until `repeat` after their end.
  std::vector<tenancy_report> heartbeat();
  /// Tenancies that started or ended since the last heartbeat or call, without verifying anything anew.
  std::vector<tenancy_report> changes();

  /// What is known of a tenancy, also after its end (within `repeat`); null when unknown.
  const tenancy_report* find(tenancy_id id) const;
  /// The tenancy that a flow's socket was stamped with, where it is this tracker's and of the flow's own near
  /// endpoint and namespace; null otherwise, and for sockets that were open before the agent: then the flow
  /// has no near workload.
  const tenancy_report* near_end(const observed_flow& f) const;

  std::uint64_t incarnation() const { return incarnation_; }
  /// How many tenancies could not begin, since the kernel's map had no room.
  std::uint64_t refused() const { return refused_; }

 private:
  /// A tenancy's report, with the namespace that its endpoint is in.
  struct known {
    tenancy_report report;
    std::uint64_t netns_cookie = 0;
  };
  using live_map = std::map<identity_key, assignment>;

  outcome<void> make_room(const identity_key& key);
  outcome<assignment> begin(const identity_key& key, const wire::workload& workload, const netns_ref& ns,
                            nanos from, const std::vector<std::uint64_t>& witnesses = {},
                            std::optional<std::uint64_t> spells = {});
  bool assigned(address a) const;
  outcome<live_map::iterator> find_live(const tenure::endpoint& endpoint, const std::string& netns_path);
  void end(live_map::iterator it);
  void verified(assignment& a, nanos at);
  void verify_all();
  void end_what_is_shared();
  void verify(const netns_ref& ns, const std::vector<live_map::iterator>& members);

  std::uint64_t incarnation_;
  const boot_clock& clock_;
  identity_map& map_;
  address_check& check_;
  nanos repeat_;
  usage_check* usages_;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t refused_ = 0;
  live_map live_;
  std::unordered_map<tenancy_id, known> known_;
  std::vector<tenancy_id> changed_;
};

}  // namespace tenure::agent
