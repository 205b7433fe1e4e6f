#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "hold/packed_flow.hpp"

namespace tenure::actors {

/// Where flows came from, so that their durability can be told to the session or intake that keeps the ledger
/// of them. One for each session, which refers to it too: hence weak.
struct flow_origin {
  caf::weak_actor_ptr session;  ///< a session_actor or an intake_actor, perhaps long gone
  std::string agent;            ///< its name
};
using flow_origin_ptr = std::shared_ptr<const flow_origin>;

/// Rows of one batch.
struct lot_part {
  const flow_origin_ptr* origin = nullptr;  ///< somebody else's
  hold::row_base base;
  std::uint64_t ticket = 0;
  std::uint32_t flows = 0;
  std::uint32_t bytes = 0;
};

/// The heads of a lot's parts, in their order. A lot waits with a head for every few rows, so heads are kept
/// small: what parts of one session share stands once, the rest as distances from the head before, in some
/// twelve bytes. Every value survives.
class lot_parts {
  /// What parts have in common that come from one place.
  struct source {
    flow_origin_ptr origin;
    std::uint64_t incarnation = 0;
    std::uint64_t near_high = 0;
  };

 public:
  /// Reads one after the other, as long as the list lives and does not change. What it points at changes
  /// when it goes on.
  class iterator {
   public:
    const lot_part& operator*() const { return part_; }
    const lot_part* operator->() const { return &part_; }
    iterator& operator++() {
      ++count_;
      read();
      return *this;
    }
    bool operator==(std::default_sentinel_t /*end*/) const { return count_ == of_->count_; }

   private:
    friend lot_parts;
    explicit iterator(const lot_parts& of) : of_(&of), at_(of.heads_.data()) { read(); }
    void read();

    const lot_parts* of_;
    const std::uint8_t* at_;
    std::uint32_t count_ = 0;
    std::uint32_t source_ = 0;
    lot_part part_;
  };

  /// Keeps a reference to the origin.
  void add(const lot_part& part);

  iterator begin() const { return iterator(*this); }
  static std::default_sentinel_t end() { return {}; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// What the heads take.
  std::size_t bytes() const { return sources_.size() * sizeof(source) + heads_.size(); }

 private:
  /// @returns its place
  std::uint32_t source_of(const lot_part& part);

  std::vector<source> sources_;
  std::vector<std::uint8_t> heads_;
  std::uint32_t count_ = 0;
  // Of the part added last.
  std::uint32_t last_source_ = 0;
  std::uint64_t last_batch_ = 0;
  nanos last_time_ = 0;
};

}  // namespace tenure::actors
