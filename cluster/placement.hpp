#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "cluster/ring.hpp"
#include "ownership/time.hpp"

namespace tenure::cluster {

/// What a node can be trusted with, as another node sees it.
enum class standing : std::uint8_t {
  away,   ///< it does not answer
  fresh,  ///< it has not been up for long: it may know neither timelines nor clocks from before
  warm,
};

const char* to_string(standing s);

/// Where what concerns an address goes, as one node sees it at one time: the ring, and who of its members can
/// be reached. Nodes may see different things; then two of them hold the same prefix for a while, which costs
/// coverage and never correctness. Immutable.
class placement {
 public:
  /// Nodes by numbers of our own: 0 is this node, the others count from 1.
  using number = std::uint32_t;

  /// @param numbers of the ring's members, in its order
  /// @param since when each of them started, in our time. @pre all are as long as the ring has members
  placement(std::shared_ptr<const ring> r, std::vector<number> numbers, std::vector<standing> standings,
            std::vector<nanos> since);

  /// Who is to judge flows to this address: the first warm holder, or of fresh ones the one that has been
  /// there for longest, since it knows most; with none of these the first holder, which may come back.
  number owner(address a) const;

  /// Calls f(number) for each node that is to have the evidence about this address.
  template <class F>
  void each_holder(address a, F f) const {
    for (const auto i : ring_->holders(a)) f(numbers_[i]);
  }

  /// Above all numbers in it.
  number end() const { return end_; }
  const ring& points() const { return *ring_; }
  std::span<const number> numbers() const { return numbers_; }
  std::span<const standing> standings() const { return standings_; }

 private:
  std::shared_ptr<const ring> ring_;
  std::vector<number> numbers_;
  std::vector<standing> standings_;
  std::vector<nanos> since_;
  number end_ = 1;
};

}  // namespace tenure::cluster
