#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "demo/catalogue.hpp"
#include "demo/pool.hpp"
#include "demo/truth_message.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// One end of one connection, as the process that had the socket told it.
struct connection_end {
  instance_id instance = 0;
  std::uint32_t number = 0;  ///< of the connection within the instance
  instance_id peer = 0;      ///< who the other end said it was; 0 when it never said
  nanos opened = 0;          ///< boot-time clock, as all stamps here
  nanos ended = time_max;    ///< closed by the process, or its death
  std::uint16_t error = 0;
  std::uint32_t records = 0;  ///< how many records were matched with it
};

/// One holding of a slot. It begins and ends somewhere within its two stamps each.
struct slot_holding {
  instance_id instance = 0;
  interval from;                       ///< given: between these
  interval until{time_max, time_max};  ///< taken away: between these
};

/// What truly happened, kept by the demo itself: who held which addresses when, and what the instances said
/// of their own connections. Nothing in it comes from the agent or the node but the ids that name tenancies.
class truth_book {
 public:
  explicit truth_book(pool p) : pool_(p) {}

  void born(instance_id i, workload_index w, slot_index s, interval when);
  /// Its addresses were taken away.
  void gone(instance_id i, interval when);
  /// Its process had ended for sure. @param how in a word, for what is said of lost ends.
  void died(instance_id i, nanos when, std::string_view how);
  void heard(instance_id i, const truth_message& m);
  /// The platform was told that this is the id of the tenancy of this address.
  void names(const std::string& tenancy, instance_id i, address a);

  workload_index workload_of(instance_id i) const { return instances_.at(i).workload; }
  std::optional<slot_index> slot_of(address a) const { return pool_.slot_of(a); }
  const slot_holding* holding_of(instance_id i) const;
  /// Who held the slot at any time from `from` to `until`, both included, the bounds taken wide.
  std::vector<instance_id> holders(slot_index s, nanos from, nanos until) const;
  /// Whether the instance held its slot throughout, the bounds taken wide.
  bool held_throughout(instance_id i, nanos from, nanos until) const;
  /// Who holds the slot now; 0 when it is vacant.
  instance_id holder_now(slot_index s) const;

  struct tenancy_fact {
    instance_id instance = 0;
    address endpoint;
  };
  const tenancy_fact* tenancy(const std::string& id) const;

  /// The end of that connection that was open at `at`, give or take what a busy process is late; null when
  /// none was told.
  connection_end* find(side s, const connection_tuple& t, nanos at);
  const std::map<std::pair<connection_tuple, side>, std::vector<connection_end>>& ends() const {
    return ends_;
  }

  /// Ends told of that nobody reported, by now.
  std::uint64_t without_record() const { return count_without_record(false); }
  /// The same, of ends that the kernel had to end without their process (docs/limits.md: not every kernel
  /// shows each of them).
  std::uint64_t orphans_without_record() const { return count_without_record(true); }
  /// Some of them in words.
  std::vector<std::string> examples_without_record(std::size_t most) const;
  std::uint64_t ends_told() const { return ends_told_; }
  std::uint64_t still_open() const;
  /// Drops what ended before `before`; what had no record by then stays counted.
  void forget(nanos before);

 private:
  struct instance_fact {
    workload_index workload = 0;
    slot_index slot = 0;
    nanos died = time_max;
    std::string_view how = "alive";  // of static life
  };
  nanos ended(const connection_end& e) const;
  std::string describe(const connection_tuple& t, side s, const connection_end& e) const;
  bool is_orphan(const connection_end& e) const;
  std::uint64_t count_without_record(bool orphans) const;

  pool pool_;
  std::unordered_map<instance_id, instance_fact> instances_;
  std::map<slot_index, std::vector<slot_holding>> holdings_;
  std::unordered_map<std::string, tenancy_fact> tenancies_;
  std::map<std::pair<connection_tuple, side>, std::vector<connection_end>> ends_;
  std::uint64_t ends_told_ = 0;
  std::uint64_t forgotten_without_record_[2] = {};  // the others, orphans
  std::vector<std::string> forgotten_examples_;
};

}  // namespace tenure::demo
