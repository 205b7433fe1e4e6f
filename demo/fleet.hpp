#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "demo/churn_plan.hpp"
#include "demo/directory.hpp"
#include "demo/fabric.hpp"
#include "demo/instance_process.hpp"
#include "demo/platform.hpp"
#include "demo/pool.hpp"
#include "demo/truth_book.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

struct fleet_options {
  std::uint64_t seed = 1;
  std::uint8_t subnet = 0;
  slot_index slots = 24;
  std::uint32_t connections_per_second = 300;  ///< of the whole fleet, on average
  churn_plan::options churn;
};

/// One hand-over as it went.
struct done_handover {
  slot_index slot = 0;
  instance_id before = 0;
  instance_id after = 0;
  workload_index was = 0;
  workload_index is = 0;
  death how = death::graceful;
  succession next_is = succession::other;
  nanos at = 0;   ///< the next owner was reachable
  nanos gap = 0;  ///< from the first step that took the addresses away to then
};

struct fleet_counters {
  std::uint64_t handovers = 0;
  std::array<std::uint64_t, 3> by_death{};       ///< indexed by death
  std::array<std::uint64_t, 4> by_succession{};  ///< indexed by succession
  std::uint64_t vacancies = 0;
};

/// The containers and their churn. One thread.
class fleet {
 public:
  /// @param name the first part of the names of its namespaces.
  static outcome<std::unique_ptr<fleet>> create(const std::string& name, const fleet_options& o,
                                                instance_program program, platform& p, truth_book& truth);

  /// Fills every slot.
  outcome<void> populate();
  /// Makes the hand-overs that are due, warms up instances for the next ones, listens to all; returns after
  /// `slice` at about.
  outcome<void> advance(nanos slice);
  /// Everybody closes in good order, and the addresses are given back. Nothing is called afterwards.
  outcome<void> drain();

  const fleet_counters& counters() const { return counters_; }
  /// The last few, newest first.
  const std::deque<done_handover>& recent() const { return recent_; }
  /// Gaps of the hand-overs that were to be short, sorted.
  std::vector<nanos> gaps() const;

 private:
  struct tenant {
    instance_id id = 0;
    workload_index workload = 0;
    nanos since = 0;
    std::unique_ptr<instance_process> process;
  };
  struct vacancy {
    handover plan;
    done_handover so_far;
    nanos until = 0;
    nanos last_call = 0;  ///< when others are sent to it once more
  };

  fleet(const fleet_options& o, instance_program program, platform& p, truth_book& truth, fabric f,
        directory d);
  outcome<void> warm_up();
  outcome<void> hand_over(const handover& h);
  outcome<void> fill_vacancies(nanos now);
  outcome<void> take_away(tenant& t, slot_index s, death how);
  outcome<void> bury(tenant dead, death how);
  outcome<void> move_in(slot_index s, workload_index w);
  outcome<void> fill(const handover& h, done_handover done);
  void send_callers_to(slot_index s);
  void note(const done_handover& done);
  outcome<void> listen(nanos until);
  void listen_to(tenant& t);
  std::vector<slot_state> states() const;

  fleet_options options_;
  instance_program program_;
  platform& platform_;
  truth_book& truth_;
  pool pool_;
  fabric fabric_;
  directory directory_;
  churn_plan plan_;
  std::vector<tenant> slots_;  // of each slot; no process: vacant
  std::deque<std::unique_ptr<instance_process>> warm_;
  std::vector<vacancy> vacancies_;
  std::deque<done_handover> recent_;
  std::vector<nanos> gaps_;
  fleet_counters counters_;
  std::uint32_t next_container_ = 1;
  instance_id next_instance_ = 1;
  nanos next_handover_ = 0;
};

}  // namespace tenure::demo
