#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "ownership/verdict.hpp"

namespace tenure::actors {

/// Flows by the answer about their far end: [0] attributed, the others unattributed by their reason.
template <class Number>
using answer_counts = std::array<Number, static_cast<std::size_t>(reason::between) + 1>;

/// What became of the flows of one agent, or of all: received - repeated = attributed + unattributed +
/// forwarded
/// + held + dropped, each counted by itself.
struct flow_ledger {
  std::uint64_t received = 0;
  std::uint64_t repeated = 0;   ///< of batches that were taken before; they are not taken a second time
  std::uint64_t held = 0;       ///< between their arrival and their durability, now
  std::uint64_t forwarded = 0;  ///< to other nodes, and durable there
  std::uint64_t dropped = 0;    ///< with a connection that ended before they were placed in time; sent again
  answer_counts<std::uint64_t> answers{};  ///< durable

  std::uint64_t attributed() const { return answers[0]; }
  std::uint64_t unattributed() const;
  bool balances() const {
    return received - repeated == attributed() + unattributed() + forwarded + held + dropped;
  }
  flow_ledger& operator+=(const flow_ledger& other);
};

/// The ledgers of all agents of a node, to be read while they are written: what is read is each one's state
/// between two of its messages, so it balances. Any thread.
class ledger_book {
 public:
  /// One session's page.
  class page {
   public:
    void write(const flow_ledger& now);

   private:
    friend class ledger_book;
    std::mutex mutex_;
    flow_ledger now_;
    std::string agent_;
    std::list<std::shared_ptr<page>>::iterator place_;
  };

  std::shared_ptr<page> open(const std::string& agent);
  /// The session ends; its flows stay in the agent's sums.
  void close(const std::shared_ptr<page>& p);

  struct reading {
    flow_ledger all;
    std::map<std::string, flow_ledger> agents;  ///< by name
  };
  reading read() const;

  /// Names whose sums are kept after their sessions ended; those of more are kept under the name "(others)".
  static constexpr std::size_t max_names = 20'000;

 private:
  mutable std::mutex mutex_;
  std::list<std::shared_ptr<page>> open_;
  std::map<std::string, flow_ledger> closed_;
};

}  // namespace tenure::actors
