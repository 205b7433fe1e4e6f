#pragma once

#include <cstddef>
#include <map>

#include "agent/observed_flow.hpp"

namespace tenure::agent {

/// The rule by which an agent sheds: of connections that were over within `longest_short`, those with one
/// peer, one port of the service and one near end become one record, which says for how many it stands.
///
/// The service's port is the far one where we opened the connection, the near one where we accepted it; the
/// other port differs and becomes 0. So the record's far end is attributed by a tenancy of the whole address,
/// or of the service's port, and only if it held it from the first `opened` to the last `closed`
/// (docs/proof.md). Framework-free; one thread.
class short_flows {
 public:
  static constexpr nanos longest_short = 1 * second;

  /// Whether a flow may share a record: its beginning is known, its end was an orderly one, and it was short.
  static bool may_share(const observed_flow& f);

  /// @param named whose near end it is, for flows without a near tenancy
  /// @param place where it will stand when it is the first of its kind
  /// @returns where the first of its kind stands; `place` when this is it. @pre may_share(f)
  std::size_t place_of(const observed_flow& f, workload_id named, std::size_t place);

  /// Makes `into`, which stands for itself or for several, stand for `more` too. Bytes, segments and
  /// retransmits add up; of the round trips the smoothed one is the largest, the smallest the smallest.
  /// @pre both may share, and are of one kind
  static void join(flow& into, const flow& more);

  void clear() { first_.clear(); }

 private:
  struct kind {
    std::uint64_t netns;
    address near, far;
    std::uint16_t service;
    tenancy_id near_tenancy;
    workload_id named;
    tenure::reporter reporter;
    transport_protocol transport;
    bool established;
    std::uint16_t connect_errno;
    endpoint dialled;
    friend auto operator<=>(const kind&, const kind&) = default;
  };
  std::map<kind, std::size_t> first_;
};

}  // namespace tenure::agent
