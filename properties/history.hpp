#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "properties/judge.hpp"

/// Random histories of one address with known truth, made segment by segment: who held it when, what was sent
/// and accepted when, and only from that the evidence and the stamps. Times are small whole numbers, so that
/// stamps collide with each other and with the ends of tenancies.
namespace tenure::history {

/// A seeded generator whose numbers are the same everywhere (splitmix64).
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  /// 0 to n-1.
  nanos below(nanos n) { return static_cast<nanos>(next() % static_cast<std::uint64_t>(n)); }
  bool chance(int percent) { return below(100) < percent; }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return all.begin()[below(static_cast<nanos>(all.size()))];
  }

 private:
  std::uint64_t state_;
};

/// An assumption that a history breaks on purpose (see docs/proof.md).
enum class broken {
  nothing,
  evidence_clock,   ///< A3: an end of evidence is off by more than its error
  flow_clock,       ///< A3: a flow's stamps are off by more than their error
  two_owners,       ///< A1: two tenancies hold the address at once
  false_exclusive,  ///< A1: a whole-address tenancy while others use its ports
  early_claim,      ///< A2: evidence reaches beyond what was verified
  transit_ignored,  ///< A4: segments were under way for longer than `transit`
  foreign_segment,  ///< A4: a RST of the next owner counts as received
  joined_by_name,   ///< tenancies of one workload are taken for one
  reused_id,        ///< a tenancy id names two tenancies of one workload
};

struct held {
  tenancy_id tenancy;
  workload_id workload = workload_id::none;
  std::uint16_t port = 0;  ///< 0: the whole address
  interval when;           ///< in true time
};

struct seen_flow {
  std::uint16_t far_port = 0;
  flow_times times;
  /// Who it was with, in truth; nobody when more than one, or nobody, was there in its life.
  std::optional<held> truth;
};

struct history {
  std::vector<held> truth;
  std::vector<tenure::evidence> evidence;
  std::vector<seen_flow> flows;

  std::string story() const;
};

inline const address where = address::v4(0x0a00'0001);

history make(std::uint64_t seed, broken assumption = broken::nothing);

/// What a checker that knows the truth has against the answers of the rule.
struct findings {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::uint64_t wrong_workload = 0;
  std::uint64_t wrong_tenancy = 0;  ///< of the right workload
  std::uint64_t conflicts = 0;
  std::uint64_t hulls_outside = 0;  ///< hulls that reach beyond their tenancy

  bool good() const { return wrong_workload + wrong_tenancy + conflicts + hulls_outside == 0; }
  findings& operator+=(const findings& more);
};
/// Asks a judge about every flow of a history whose evidence it was told.
/// @param known must say `conflict` of none of them
findings check(const history& h, const judge& known);
/// The same of Tenure's own timelines, whose hulls are looked at too.
findings check(const history& h);

}  // namespace tenure::history
