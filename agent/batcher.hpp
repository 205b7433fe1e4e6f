#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "agent/observed_flow.hpp"
#include "agent/short_flows.hpp"
#include "agent/tenancy_tracker.hpp"
#include "capnp/messages.hpp"

namespace tenure::agent {

/// Gathers evidence and flows, and seals them into numbered batches. Framework-free; one thread.
class batcher {
 public:
  /// A batch is sealed early at so many flows, tenancies or bytes of names and labels, so that it stays well
  /// below the wire's bounds (about 250 bytes a flow, 100 a tenancy with its evidence).
  static constexpr std::size_t max_flows = 4096;
  static constexpr std::size_t max_tenancies = 8192;
  static constexpr std::size_t max_workloads = wire::max_batch_workloads / 2;
  static constexpr std::size_t max_text_bytes = 512U << 10;

  /// @param incarnation the agent's; part of every flow's id
  explicit batcher(std::uint64_t incarnation) : incarnation_(incarnation) { batch_.number = 1; }

  /// Evidence of what the report says. The same tenancy reported again before the seal is widened, not
  /// repeated.
  void add(const tenancy_report& report);

  /// @param near what is known of the flow's near tenancy; null where it is not proved
  /// @param named without one, whose socket it was by its cgroup; null where that is not known either
  /// @param shed let it share a record with others of its kind, where it may (short_flows)
  void add(const observed_flow& observed, const tenancy_report* near, const wire::workload* named = nullptr,
           bool shed = false);

  /// How many connections the batch's flows stand for.
  std::size_t connections() const { return connections_; }

  bool full() const {
    return batch_.flows.size() >= max_flows || batch_.tenancies.size() >= max_tenancies ||
           batch_.workloads.size() >= max_workloads || text_bytes_ >= max_text_bytes;
  }
  bool empty() const { return batch_.flows.empty() && batch_.evidence.empty(); }

  /// Hands out what has gathered, and begins the next batch.
  /// @pre not empty()
  wire::batch seal();

 private:
  workload_id index_of(const wire::workload& w);
  void enter(const tenancy_report& report);

  std::uint64_t incarnation_;
  wire::batch batch_;
  std::size_t connections_ = 0;
  short_flows short_flows_;
  std::size_t text_bytes_ = 0;
  std::unordered_map<std::string, workload_id> workloads_;
  std::unordered_map<tenancy_id, std::size_t> tenancies_;  // index into batch_.tenancies
  std::unordered_map<tenancy_id, std::size_t> evidence_;   // index into batch_.evidence
};

}  // namespace tenure::agent
