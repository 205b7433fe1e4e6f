#include "actors/lot_parts.hpp"

#include <algorithm>

namespace tenure::actors {
namespace {

// A part's source is looked for among so many: batches that a session sent at once come one after the other.
constexpr std::size_t looked_at = 8;

// Seven bits a byte, the lowest first; the last one is below 128.
void write_number(std::vector<std::uint8_t>& to, std::uint64_t n) {
  for (; n >= 128; n >>= 7) to.push_back(static_cast<std::uint8_t>(n | 128));
  to.push_back(static_cast<std::uint8_t>(n));
}

std::uint64_t read_number(const std::uint8_t*& at) {
  std::uint64_t n = 0;
  for (unsigned shift = 0;; shift += 7) {
    const std::uint64_t byte = *at++;
    n |= (byte & 127) << shift;
    if (byte < 128) return n;
  }
}

// Differences either way, in arithmetic that wraps, as small numbers.
void write_difference(std::vector<std::uint8_t>& to, std::uint64_t n, std::uint64_t from) {
  const std::uint64_t difference = n - from;
  write_number(to, (difference << 1) ^ (0 - (difference >> 63)));
}

std::uint64_t read_difference(const std::uint8_t*& at, std::uint64_t from) {
  const std::uint64_t n = read_number(at);
  return from + ((n >> 1) ^ (0 - (n & 1)));
}

std::uint64_t bits(nanos t) {
  return static_cast<std::uint64_t>(t);
}

}  // namespace

std::uint32_t lot_parts::source_of(const lot_part& part) {
  const std::size_t looked = std::min(looked_at, sources_.size());
  for (std::uint32_t back = 0; back < looked; ++back) {
    const auto& s = sources_[sources_.size() - 1 - back];
    if (s.origin == *part.origin && s.incarnation == part.base.incarnation &&
        s.near_high == part.base.near_high)
      return static_cast<std::uint32_t>(sources_.size() - 1 - back);
  }
  sources_.push_back({*part.origin, part.base.incarnation, part.base.near_high});
  return static_cast<std::uint32_t>(sources_.size() - 1);
}

void lot_parts::add(const lot_part& part) {
  const std::uint32_t from = source_of(part);
  write_difference(heads_, from, last_source_);
  write_number(heads_, part.flows);
  write_number(heads_, part.bytes);
  write_difference(heads_, part.base.batch, last_batch_);
  write_difference(heads_, part.ticket, part.base.batch);
  write_difference(heads_, bits(part.base.time), bits(last_time_));
  last_source_ = from;
  last_batch_ = part.base.batch;
  last_time_ = part.base.time;
  ++count_;
}

void lot_parts::iterator::read() {
  if (count_ == of_->count_) return;
  source_ = static_cast<std::uint32_t>(read_difference(at_, source_));
  const auto& s = of_->sources_[source_];
  part_.origin = &s.origin;
  part_.base.incarnation = s.incarnation;
  part_.base.near_high = s.near_high;
  part_.flows = static_cast<std::uint32_t>(read_number(at_));
  part_.bytes = static_cast<std::uint32_t>(read_number(at_));
  part_.base.batch = read_difference(at_, part_.base.batch);
  part_.ticket = read_difference(at_, part_.base.batch);
  part_.base.time = static_cast<nanos>(read_difference(at_, bits(part_.base.time)));
}

}  // namespace tenure::actors
