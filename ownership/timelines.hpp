#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "ownership/flow.hpp"
#include "ownership/long_timeline.hpp"
#include "ownership/timeline.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// "Who held the far end of this flow, then?"
struct question {
  address far;
  std::uint16_t far_port = 0;
  flow_times times;
};

/// What became of a piece of evidence.
enum class merged : std::uint8_t {
  changed,
  unchanged,  ///< known already, or it says nothing: its `until` is not after its `from`
  refused,    ///< its address is not routable (attributor)
  too_old,    ///< it ends before what was forgotten on purpose
  no_room,    ///< a new tenancy beyond the bound on memory
};

/// The timelines of many addresses, and the rule over them. One thread at a time.
///
/// An open-addressing table of 32 bytes an address, kept at most three quarters full, and a block for each
/// address's tenancies (see timeline). Forgetting, refusing and losing evidence only ever hide it: answers
/// get fewer, never another (docs/proof.md).
class timelines {
 public:
  /// @param most_bytes about how much memory to take at the most; new tenancies beyond are refused.
  explicit timelines(std::size_t most_bytes = SIZE_MAX) : most_bytes_(most_bytes) {}

  merged merge(const evidence& e);
  /// The same, one after the other, at a fraction of the time when addresses are far apart.
  /// @pre results.size() == all.size()
  void merge(std::span<const evidence> all, std::span<merged> results);

  /// Judges a flow's far end by the tenancies of its port and of its whole address, together.
  verdict resolve(address far, std::uint16_t far_port, const flow_times& times) const;
  /// The same for many, at a fraction of the time when addresses are far apart.
  /// @pre verdicts.size() == questions.size()
  void resolve(std::span<const question> questions, std::span<verdict> verdicts) const;

  /// Forgets tenancies that ended before `cutoff`, as far as was said, and from now on refuses evidence that
  /// does. A cutoff before an earlier one changes nothing. Takes as long as looking at everything.
  /// @returns how many tenancies were forgotten.
  std::size_t forget_before(nanos cutoff);
  /// The instant before which about `share` (0 to 1) of the tenancies ended: what to forget when memory is
  /// short.
  nanos cutoff_for(double share) const;

  /// The holdings of one endpoint: of the port, or of the whole address. For explanations and tests.
  std::vector<holding> holdings(const endpoint& e) const;
  std::size_t addresses() const { return addresses_; }
  std::size_t tenancies() const { return tenancies_; }
  /// What tables and blocks take.
  std::size_t bytes() const { return block_bytes_ + table_bytes(); }
  /// What the table alone takes: the addresses' own entries.
  std::size_t table_bytes() const { return slots_.size() * sizeof(slot); }

 private:
  struct slot {
    tenure::address address;
    timeline line;  // empty: nobody's slot
  };
  static_assert(sizeof(slot) == 32);

  // Where the address is, or where it would go. @pre !slots_.empty()
  std::size_t find(address a) const;
  const timeline* line_of(address a) const;
  void rehash(std::size_t size);
  verdict judge(const slot& s, std::uint16_t far_port, const flow_times& times) const;
  const long_timeline* index_of(const slot& s) const;

  std::vector<slot> slots_;  // a power of two of them, or none
  std::size_t addresses_ = 0;
  std::size_t tenancies_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t most_bytes_;
  nanos forgotten_before_ = time_min;

  // Indexes of the few long timelines, made when enough was asked to pay for them, dropped when the timeline
  // changes.
  struct long_one {
    std::size_t looked_at = 0;  ///< holdings that were looked at one by one since it changed
    std::unique_ptr<long_timeline> index;
  };
  mutable std::unordered_map<address, long_one> long_ones_;
};

}  // namespace tenure
