#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/random.hpp"
#include "ownership/flow.hpp"

namespace tenure::load {

/// A fleet in numbers. The same options give the same fleet.
struct fleet_options {
  std::uint32_t agents = 500;
  std::uint32_t addresses = 1'000'000;  ///< at most 2^24, at least one an agent
  std::uint32_t workloads = 1'000;      ///< at most 4,096, since a heartbeat may name them all
  bool ipv6 = false;
  nanos lifetime = 600 * second;    ///< of one holding, the gap after it included; 0: nothing changes hands
  double covered = 0.9;             ///< share of the flows whose far end is one of the addresses
  nanos longest_flow = 2 * second;  ///< from its first segment to its end
  nanos linger = 1 * second;        ///< a flow closes at most this long before its batch is sealed
  std::uint64_t seed = 1;
  /// Goes into the incarnations alone: runs that one node meets are told apart by it.
  std::uint64_t run = 0;
  bool packed = true;  ///< batches are packed for nodes that read it
};

/// One holding of one address by one instance: a tenancy, as it really is.
struct holding {
  std::uint32_t address = 0;   ///< the how-manieth
  std::uint32_t agent = 0;     ///< on whose host
  std::uint32_t workload = 0;  ///< the how-manieth
  tenancy_id tenancy;
  nanos from = 0;  ///< true time: [from, until)
  nanos until = 0;
};

/// A flow as it really was. Stamps are of true time.
struct planned_flow {
  tenure::flow flow;            ///< its near workload: 1 + the place in planned_batch::near
  std::optional<holding> near;  ///< nothing: the near end is not proved
  std::optional<holding> far;   ///< nothing: no agent is there
};

/// What the flows of a batch share.
struct planned_batch {
  std::uint32_t agent = 0;
  std::uint64_t number = 0;
  nanos sealed = 0;
  random draws;  ///< of all its flows
  /// Of these tenancies the flows have their near ends; some may be missing for churn.
  std::vector<holding> near;
};

/// Who holds which address when, and which flows there are: a pure function of the options. An address goes
/// from host to host, half of the time without any gap between two holders. True time is the clock's that
/// drives the fleet, not negative.
class plan {
 public:
  /// @pre the options are within what they say
  explicit plan(const fleet_options& o);

  const fleet_options& options() const { return o_; }
  std::uint64_t incarnation(std::uint32_t agent) const { return agents_[agent].incarnation; }
  /// Whose incarnation it is; nothing when it is of no agent of this fleet.
  std::optional<std::uint32_t> agent_of(std::uint64_t incarnation) const;
  /// This agent's clock when it is `at`: off by up to a day, and up to 48 millionths fast or slow.
  nanos reading(std::uint32_t agent, nanos at) const {
    const auto& a = agents_[agent];
    return at + a.offset + (at * a.drift >> 20);
  }

  address address_of(std::uint32_t n) const;
  /// All names have the same length.
  const std::string& workload_name(std::uint32_t n) const { return names_[n]; }
  /// Who holds the address then; nothing in a gap.
  std::optional<holding> holder(std::uint32_t address, nanos at) const;

  /// Appends what is or was held on this agent's host at some instant of [since, until].
  void holdings(std::uint32_t agent, nanos since, nanos until, std::vector<holding>& out) const;

  planned_batch batch(std::uint32_t agent, std::uint64_t number, nanos sealed) const;
  planned_flow flow(const planned_batch& of, std::uint32_t index) const;
  /// The same flow, cheaper, without the truth of its ends.
  /// @param out another flow of the plan, or a new one
  void draw(const planned_batch& of, std::uint32_t index, tenure::flow& out) const {
    draw_ends(of, index, out);
  }

 private:
  /// [from, until) of one holding.
  struct term {
    nanos from = 0;
    nanos until = 0;
  };
  /// Which holding of which address: holdings of an address are numbered.
  struct place {
    std::uint32_t address = 0;
    std::uint64_t turn = 0;
  };
  struct ends {
    std::optional<std::size_t> near;  // in the batch's list
    std::optional<place> far;
  };
  ends draw_ends(const planned_batch& of, std::uint32_t index, tenure::flow& out) const;
  holding turn(const place& p) const;
  std::uint64_t turn_draw(const place& p) const;
  term term_of(const place& p, nanos phase, std::uint64_t drawn) const;
  std::uint64_t turn_at(nanos phase, nanos at) const;
  nanos phase(std::uint32_t address) const;
  std::uint32_t first_address(std::uint32_t agent, std::uint64_t turn) const;

  struct identity {
    std::uint64_t incarnation = 0;
    nanos offset = 0;  // of its clock
    nanos drift = 0;   // of 2^20
  };

  fleet_options o_;
  std::uint64_t covered_;  // of 2^20
  std::uint64_t addresses_an_agent_;
  nanos phases_apart_;        // of an agent's addresses
  std::uint64_t phases_ = 0;  // seeds of what is drawn
  std::uint64_t turns_ = 0;
  std::uint64_t near_ends_ = 0;
  std::uint64_t flows_ = 0;
  std::vector<identity> agents_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> incarnations_;  // sorted
  std::vector<std::string> names_;                                     // of workloads
};

}  // namespace tenure::load
