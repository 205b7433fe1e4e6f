#include "cli/name_table.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ownership/invariant.hpp"

namespace tenure::cli {

namespace {

constexpr std::size_t first_slots = 1'024;

std::uint32_t upper(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

std::uint64_t name_table::hash(std::string_view name) {
  return XXH3_64bits(name.data(), name.size());
}

void name_table::prefetch(std::uint64_t hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[home(upper(hash))]);
}

std::string_view name_table::name(std::uint32_t number) const {
  const char* const text = at(number);
  std::uint32_t size = 0;
  std::memcpy(&size, text, sizeof size);
  return {text + length_bytes, size};
}

std::uint32_t name_table::intern(std::string_view name, std::uint64_t hash) {
  if (count_ >= slots_.size() / 4 * 3) grow();
  const std::uint32_t wanted = upper(hash);
  std::size_t at = home(wanted);
  for (; slots_[at].number != 0; at = next(at))
    if (slots_[at].hash == wanted && this->name(slots_[at].number) == name) return slots_[at].number;
  slots_[at] = {wanted, keep(name)};
  ++count_;
  return slots_[at].number;
}

std::uint32_t name_table::keep(std::string_view name) {
  const std::size_t units = (length_bytes + name.size() + unit - 1) / unit;
  const std::size_t end = chunks_.size() * units_in_chunk;
  if (free_ + units > end) {
    // A text does not lie in two pieces of memory. One unit more, since 0 is no number.
    const std::size_t chunks = units / units_in_chunk + 1;
    free_ = std::max<std::uint64_t>(end, 1);
    auto& more = memory_.emplace_back(chunks * huge_page);
    for (std::size_t i = 0; i < chunks; ++i) chunks_.push_back(more.data() + i * huge_page);
  }
  invariant(free_ + units <= std::numeric_limits<std::uint32_t>::max(), "fewer than 32 GiB of names");
  const auto number = static_cast<std::uint32_t>(free_);
  free_ += units;
  const auto size = static_cast<std::uint32_t>(name.size());
  std::memcpy(at(number), &size, sizeof size);
  std::copy(name.begin(), name.end(), at(number) + length_bytes);
  return number;
}

void name_table::grow() {
  const slots old = std::move(slots_);
  slots_ = slots(std::max(first_slots, 2 * old.size()));
  // In the order of the hash, or nearly so: both tables are gone through once.
  for (const slot& s : old) {
    if (s.number == 0) continue;
    std::size_t at = home(s.hash);
    while (slots_[at].number != 0) at = next(at);
    slots_[at] = s;
  }
}

}  // namespace tenure::cli
