#include "actors/agent_share.hpp"

#include <algorithm>
#include <iterator>

namespace tenure::actors {
namespace {

// A mark, in a vector that has room for as many again; a range's place in the map, and its vector's own.
constexpr std::int64_t tenancy_bytes = 8;
constexpr std::int64_t range_bytes = 112;

std::uint64_t multiply_and_fold(std::uint64_t a, std::uint64_t b) {
  __extension__ using wide = unsigned __int128;
  const auto product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint32_t mark_of(const endpoint& where, workload_id whose, std::uint64_t secret) {
  const auto rest = std::uint64_t{where.port} << 32U | static_cast<std::uint32_t>(whose);
  // No factor may be zero, not even of IPv4 (whose upper half is) and where nobody drew a secret: a product
  // with zero would forget the rest.
  const auto half = multiply_and_fold(where.address.high() ^ secret ^ 0xa076'1d64'78bd'642fULL,
                                      rest ^ 0x9e37'79b9'7f4a'7c15ULL);
  return static_cast<std::uint32_t>(
      multiply_and_fold(half ^ where.address.low(), secret ^ 0xd6e8'feb8'6659'fd93ULL) >> 32U);
}

}  // namespace

admitted agent_share::admits_tenancy(std::uint64_t sequence, const endpoint& where, workload_id whose,
                                     nanos now) {
  if (since_ == time_min || now - since_ > bounds_.span) {
    ranges_.clear();
    last_ = ranges_.end();
    tenancies_ = 0;
    take(-mine_);
    since_ = now;
  }
  const auto mark = mark_of(where, whose, bounds_.secret);
  const auto within = [&](range_map::iterator r) {
    return r != ranges_.end() && sequence >= r->first && sequence - r->first < r->second.size();
  };
  if (!within(last_)) {
    const auto after = ranges_.upper_bound(sequence);
    last_ = after == ranges_.begin() ? ranges_.end() : std::prev(after);
  }
  if (within(last_))
    return last_->second[sequence - last_->first] == mark ? admitted::yes : admitted::elsewhere;
  const bool follows = last_ != ranges_.end() && sequence - last_->first == last_->second.size();
  const auto takes = tenancy_bytes + (follows ? 0 : range_bytes);
  if (tenancies_ >= bounds_.tenancies || mine_ + takes > std::max(always, bounds_.room->free()))
    return admitted::over_bound;
  ++tenancies_;
  take(takes);
  if (!follows) last_ = ranges_.emplace(sequence, std::vector<std::uint32_t>{}).first;
  last_->second.push_back(mark);
  return admitted::yes;
}

void agent_share::take(std::int64_t bytes) {
  mine_ += bytes;
  bounds_.room->spend(bytes);
}

bool agent_share::admits_workload() {
  if (workloads_ >= bounds_.workloads) return false;
  ++workloads_;
  return true;
}

}  // namespace tenure::actors
