#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "ownership/address_directory.hpp"
#include "ownership/flow.hpp"
#include "ownership/glance.hpp"
#include "ownership/heartbeat_pace.hpp"
#include "ownership/huge_list.hpp"
#include "ownership/long_timeline.hpp"
#include "ownership/timeline.hpp"
#include "ownership/timeline_store.hpp"
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

/// The timelines of many addresses, and the rule over them. One thread at a time; while nothing is merged and
/// nothing forgotten, any number of threads may ask.
///
/// What one of many questions touches: a line of the directory and the two of its address, of which the first
/// answers most, and a line of the proof where it does not.
///
/// Forgetting, refusing and losing evidence only ever hide it: answers get fewer, never another
/// (docs/proof.md).
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

  /// How many tenancies, or steps of a search among them, such a question looks at: what its time depends on.
  /// The most is four times 127, or from 128 tenancies of the address on about 4 log² n.
  std::size_t looks(address far, std::uint16_t far_port, const flow_times& times) const;

  /// Forgets tenancies that ended before `cutoff`, as far as was said, and from now on refuses evidence that
  /// does. A cutoff before an earlier one changes nothing. Takes as long as looking at everything.
  /// @returns how many tenancies were forgotten.
  std::size_t forget_before(nanos cutoff);
  /// The instant before which about `share` (0 to 1) of the tenancies ended: what to forget when memory is
  /// short.
  nanos cutoff_for(double share) const;

  /// The holdings of one endpoint: of the port, or of the whole address. For explanations and tests.
  std::vector<holding> holdings(const endpoint& e) const;
  /// All holdings of an address, those of its ports as well.
  std::vector<holding> holdings(address a) const;
  /// The addresses that `wanted` says, in no particular order. Takes as long as looking at all.
  template <class Wanted>
  std::vector<address> addresses_where(Wanted&& wanted) const {
    std::vector<address> found;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (wanted(entries_[i].address)) found.push_back(entries_[i].address);
    return found;
  }
  /// About how long it takes until evidence extends a tenancy again.
  nanos heartbeat() const { return pace_.typical(); }
  std::size_t addresses() const { return entries_.size(); }
  std::size_t tenancies() const { return tenancies_; }
  /// What tables, blocks and the indexes of long timelines take.
  std::size_t bytes() const { return block_bytes_ + index_bytes_ + table_bytes(); }
  /// What the indexes alone take.
  std::size_t index_bytes() const { return index_bytes_; }
  /// What the tables alone take: the addresses' own entries.
  std::size_t table_bytes() const { return directory_.bytes() + entries_.capacity() * sizeof(address_entry); }

 private:
  struct alignas(128) address_entry {
    tenure::address address;
    timeline line;

    /// Brings both lines into the cache.
    [[gnu::always_inline]] void prefetch() const {
      __builtin_prefetch(this);
      line.prefetch_glances();
    }
  };
  static_assert(sizeof(address_entry) == 128);

  std::uint32_t find(address a) const;
  const address_entry& entry_of(address a) const;
  std::uint32_t add_address(address a);
  merged merge(const evidence& e, std::uint32_t known, std::uint32_t near);
  void rebuild_directory();
  void add(timeline& line, std::uint32_t number, const evidence& e);
  void index_more(address a, const timeline& line, const timeline_cell& cell);
  void rebuild_indexes();
  void give_back(timeline_block block, std::uint32_t count);
  std::size_t forget_of(std::uint32_t number, nanos cutoff);
  void keep(timeline& line, std::uint32_t number, std::vector<timeline_cell>& kept);
  void remove(std::uint32_t number);
  void judge(const address_entry& s, std::uint16_t far_port, const flow_times& times, std::uint32_t near,
             verdict& answer) const;
  std::uint32_t near(const address_entry& s, const flow_times& times) const;
  bool judge_by_latest(const address_entry& s, std::uint16_t far_port, const flow_times& times,
                       verdict& answer) const;
  template <class Numbers, class AddressOf, class ByLatest, class GlanceOf, class Finish>
  void staged(std::size_t count, AddressOf&& address_of, ByLatest&& by_latest, GlanceOf&& glance_of,
              Finish&& finish) const;

  address_directory directory_;
  huge_list<address_entry> entries_;
  timeline_store store_;
  glance_clock clock_;
  heartbeat_pace pace_;
  std::size_t tenancies_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t most_bytes_;
  nanos forgotten_before_ = time_min;

  std::unordered_map<address, long_timeline> long_ones_;  // the indexes of the few that are long
  std::size_t index_bytes_ = 0;
};

}  // namespace tenure
