#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/attributor.hpp"
#include "sim/kept_history.hpp"
#include "sim/machine_clock.hpp"
#include "sim/network.hpp"
#include "sim/options.hpp"
#include "sim/records.hpp"
#include "sim/truth.hpp"
#include "sinks/record_sink.hpp"

namespace tenure::sim {

/// A promise that was broken, with what shows it.
struct violation {
  std::string invariant;  ///< "I1" to "I8", as docs/simulation.md names them
  nanos time = 0;         ///< true time
  std::string what;
};

/// What the answers came to.
struct tally {
  std::uint64_t flows = 0;  ///< records that reached a sink, repeats removed
  std::uint64_t attributed = 0;
  std::uint64_t misattributed = 0;
  std::map<std::string, std::uint64_t> unattributed;
  std::uint64_t dependencies = 0;
  std::uint64_t false_dependencies = 0;
  std::uint64_t repeats = 0;
};

/// A node's workload names, filled in when the node has started.
using names_slot = std::shared_ptr<std::shared_ptr<const workload_table>>;

/// How much of the time that ended instances held their addresses is proved by some node.
struct proved_share {
  std::uint64_t instances = 0;
  double held_seconds = 0;
  double proved_seconds = 0;
};

/// How well the nodes knew the clocks: the errors of evidence and of flows that were not unbounded, added up.
struct measured_errors {
  std::uint64_t evidence = 0;
  double evidence_seconds = 0;  ///< of its `until`
  std::uint64_t flows = 0;
  double flow_seconds = 0;
};

/// When the output of a machine does not work: true time.
struct output_trouble {
  nanos full_until = 0;  ///< what is appended has no room
  nanos down_until = 0;  ///< it is taken, and nothing becomes durable
};

/// Where a node's records go. What was appended and not yet made durable dies with the node.
class simulated_disk : public sinks::record_sink {
 public:
  /// The node is gone: what its actors still say while they are taken down counts for nothing.
  virtual void lose() = 0;
};

/// Knows the truth, sees every merge, every answer and every frame, and says what is wrong with them. Slow
/// and obvious, and apart from what it judges.
class oracle final : public frame_tap {
 public:
  /// @param evidence_kept one address in so many is replayed in another order at the end (I4)
  oracle(const agenda& time, const truth& world, const socket_records& records, std::uint32_t evidence_kept);

  /// From now on everything said and answered is remembered there; `tell_truth` completes it.
  void keep(kept_history& history) { keep_ = &history; }
  /// @param clock of the node whose time the history is in
  void tell_truth(const machine_clock& clock) const;

  /// The kernel of a host stamps this instance's sockets with this tenancy.
  void stamped(instance_id who, tenancy_id tenancy);
  void sent(std::uint64_t link, machine_id from, const transport::frame& f) override;

  /// A node's judge, watched.
  /// @param inner what does the judging
  /// @param most_bytes about how much memory it may take
  std::shared_ptr<attributor> watch(const prefix_set& routable, std::shared_ptr<attributor> inner,
                                    std::size_t most_bytes, std::shared_ptr<const machine_clock> clock,
                                    names_slot names, random draw);
  /// A node's sink, watched, that keeps what is durable for ever.
  std::shared_ptr<simulated_disk> make_disk(std::shared_ptr<const output_trouble> trouble);

  /// The hold, so that what leaves it early or is asked about again can be counted.
  void expect(const cluster_options& c) { cluster_ = c; }
  /// I7: what a node holds at this moment fits into what it may give credit for. An agent may pass its credit
  /// by a batch.
  /// @param flows on their way between an agent and a sink
  /// @param agents that may be connected, those that are gone without the node's knowing included
  void check_held(std::uint64_t flows, std::uint64_t agents);
  const fault_counts& seen() const { return seen_; }

  /// The checks that only the end of a run allows. @param live the incarnations that still run
  /// @param settled records that closed until then have had time to reach a sink; true time
  void finish(const std::vector<std::uint64_t>& live, nanos settled);
  void complain(const char* invariant, std::string what);

  const std::vector<violation>& violations() const { return violations_; }
  std::uint64_t violation_count() const { return violation_count_; }
  const tally& result() const { return result_; }
  /// After finish(). Of the addresses whose evidence was kept.
  const proved_share& proved() const { return proved_; }
  /// After finish(). Of the same addresses.
  const measured_errors& errors() const { return errors_; }
  std::uint64_t digest() const { return digest_.value(); }

 private:
  class watched_judge;
  class watched_disk;
  struct answer {
    flow_id id;
    std::string workload;
    instance_id instance = no_instance;
    tenure::reason reason = reason::none;
    bool durable = false;
  };

  void check_hull(const evidence& e, const attributor& judge, const machine_clock& clock,
                  const workload_table& names);
  std::vector<std::uint64_t> find_shared(std::uint64_t incarnation, const wire::batch& b);
  std::vector<std::uint64_t> stands_for(const flow& f) const;
  void written(std::uint64_t number, const sinks::flow_record& r, const sinks::record_context& c);
  void check_near(const sinks::flow_record& r, const socket_record& real, const sinks::record_context& c);
  bool right(const socket_record& real, instance_id answered, std::string_view workload) const;
  void made_durable(const std::vector<std::uint64_t>& numbers);
  void acknowledged(std::uint64_t incarnation, std::uint64_t batch);
  void count_dependencies();
  void count_proved();
  instance_id holder_of(tenancy_id t) const;
  std::string statements(tenancy_id t) const;
  void keep_answer(const sinks::flow_record& r, std::string_view workload);
  std::string shown_by(const sinks::flow_record& r) const;
  std::string describe(instance_id who) const;

  const agenda& time_;
  const truth& truth_;
  const socket_records& records_;
  std::uint32_t evidence_kept_;
  std::unordered_map<tenancy_id, instance_id> tenancies_;
  /// The agent's end of a link, as its hello told.
  struct greeting {
    machine_id agent = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t granted = 0;  ///< bytes, all in all
    std::uint64_t sent = 0;     ///< of batches
  };
  void spend(greeting& link, std::size_t bytes);
  std::unordered_map<std::uint64_t, greeting> links_;
  std::unordered_map<std::uint64_t, answer> answers_;                                      // by record number
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::uint64_t>> batches_;  // record numbers
  /// Records that were handed to an agent and were in no batch that was seen, in order.
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> handed_;  // by incarnation
  std::size_t handed_out_ = 0;                                            ///< so many records were looked at
  /// Those that stand for several: all that they stand for, by the first one.
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> shared_;
  std::vector<std::shared_ptr<watched_judge>> judges_;  ///< also of nodes that are gone
  std::vector<violation> violations_;
  std::uint64_t violation_count_ = 0;
  tally result_;
  std::unordered_map<instance_id, nanos> proved_spans_;  ///< the longest hull that a node has of it
  proved_share proved_;
  measured_errors errors_;
  kept_history* keep_ = nullptr;
  cluster_options cluster_;
  fault_counts seen_;
  std::size_t largest_batch_ = 0;  ///< bytes
  trace_hash digest_;
};

}  // namespace tenure::sim
