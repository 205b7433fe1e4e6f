#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "ownership/time.hpp"

namespace tenure::actors {

struct hold_settings;

/// For how long ahead pings may be promised: little of the hold, since batches wait for them; 0, not at all,
/// with early release, or where that is less than batches share pings for.
nanos longest_promise(const hold_settings& hold);

/// When a session pings its agent, and when it promises to do so again. A ping and its answer are a write
/// each, and wake both sides: of an agent that sends some flows now and then they take longer than the flows.
/// So one that waits is promised the next ping, and sends what it has gathered by then behind the answer.
/// Times are the node's. One thread.
class session_pings {
 public:
  /// What is not placed in time yet.
  enum class waiting : std::uint8_t { nothing, flows, evidence };

  /// With so many flows from one ping to the next they cost little each.
  static constexpr std::size_t enough_flows = 256;
  /// Pings for the sake of batches: this pace in the long run, a little less than a sink's syncs are apart.
  static constexpr nanos pace = 240 * millisecond;
  /// And so many beyond it in a row.
  static constexpr nanos in_a_row = 10;

  /// @param longest for which the next ping is promised, `pace` at least; 0: never
  explicit session_pings(nanos longest) : longest_(longest) {}

  /// @param waits the agent lets batches wait for a ping that was promised
  void connected(bool waits) { waits_ = waits; }
  void disconnected();

  /// So many flows came.
  void came(std::size_t flows) { flows_ += flows; }

  /// When the next one is due. Absent: not before something comes, the answer to the last one perhaps.
  std::optional<nanos> due(waiting w) const;
  /// When to look whether one is due: then, or when a promise ends that a silent agent keeps us from keeping.
  std::optional<nanos> next_look(waiting w) const {
    return open_.empty() ? due(w) : silent_ ? std::nullopt : promised_;
  }

  struct question {
    std::uint64_t id = 0;
    nanos promised = 0;  ///< the next one comes within so long; 0: nothing is promised
  };
  /// The regular one, or the first.
  question ask(nanos now);
  /// One that is due.
  question ask_due(nanos now);

  /// @returns when it was asked; absent when it was not, or something later was answered already
  std::optional<nanos> answered(std::uint64_t id);
  /// When the oldest that is unanswered was asked.
  std::optional<nanos> unanswered_since() const;

  /// What was promised is late where the agent is silent: it comes after the answer, if there is one.
  void look(nanos now);
  /// Whether a ping will come in time that was promised: what has time goes along with it.
  bool promised() const { return promised_ && !silent_; }
  /// Nothing is promised from now on.
  void promise_nothing();

  std::uint64_t next_id() const { return next_id_; }

 private:
  nanos promise(nanos now);

  nanos longest_;
  bool waits_ = false;
  std::map<std::uint64_t, nanos> open_;  // id -> asked at
  std::uint64_t next_id_ = 1;            // never the same again, so that no late answer fits a new question
  nanos paid_until_ = time_min;
  nanos asked_at_ = 0;  // that what came is counted from
  std::size_t flows_ = 0;
  std::optional<nanos> promised_;
  bool silent_ = false;  // it is over, and the last question not answered
  nanos last_promise_ = 0;
  bool in_vain_ = false;  // the last one that was promised brought nothing
};

}  // namespace tenure::actors
