#include "ownership/timelines.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "ownership/invariant.hpp"
#include "ownership/rule.hpp"

namespace tenure {

namespace {

// From here on a timeline is long: it has an index, for looking at it one by one takes longer.
constexpr std::size_t long_from = 128;

class candidates {
 public:
  candidates(const timeline& line, std::uint16_t port, const glance_clock& clock, std::uint32_t near)
      : line_(line), port_(port), clock_(clock), near_(near) {}
  leading sure(const need& n) const { return line_.sure(port_, n, near_); }
  bool any_said(const need& n) const { return line_.any_said(port_, n, clock_); }
  bool empty() const { return !line_.any_of(port_); }
  interval reach() const { return line_.reach(port_); }

 private:
  const timeline& line_;
  std::uint16_t port_;
  const glance_clock& clock_;
  std::uint32_t near_;
};

class indexed_candidates {
 public:
  indexed_candidates(const long_timeline& index, std::uint16_t port, std::size_t& looked)
      : index_(index), port_(port), looked_(looked) {}
  leading sure(const need& n) const { return index_.sure(port_, n, looked_); }
  bool any_said(const need& n) const { return index_.any_said(port_, n, looked_); }
  bool empty() const { return !index_.any_of(port_); }
  interval reach() const { return index_.reach(port_); }

 private:
  const long_timeline& index_;
  std::uint16_t port_;
  std::size_t& looked_;
};

}  // namespace

std::uint32_t timelines::find(address a) const {
  return directory_.find(address_directory::hash(a),
                         [&](std::uint32_t number) { return entries_[number].address == a; });
}

const timelines::address_entry& timelines::entry_of(address a) const {
  static const address_entry nobody;
  const std::uint32_t number = find(a);
  return number == address_directory::nobody ? nobody : entries_[number];
}

std::uint32_t timelines::add_address(address a) {
  const auto number = static_cast<std::uint32_t>(entries_.size());
  invariant(number != address_directory::nobody, "fewer than 2^32 addresses");
  entries_.push_back({a, {}});
  if (directory_.has_room())
    directory_.add(address_directory::hash(a), number);
  else
    rebuild_directory();
  return number;
}

void timelines::rebuild_directory() {
  // Places in the directory are far apart: each is asked for some steps before it is written.
  constexpr std::size_t ahead = 16;
  std::array<std::uint64_t, ahead> hashes{};
  directory_.clear(entries_.size());
  for (std::size_t i = 0; i < entries_.size() + ahead; ++i) {
    auto& hash = hashes[i % ahead];
    if (i >= ahead) directory_.add(hash, static_cast<std::uint32_t>(i - ahead));
    if (i >= entries_.size()) continue;
    hash = address_directory::hash(entries_[i].address);
    directory_.prefetch(hash);
  }
}

merged timelines::merge(const evidence& e) {
  return merge(e, find(e.endpoint.address), 0);
}

/// @param known its address's number; nobody when there is none
/// @param near the cells to look at first, of those that were there at some time; nothing depends on them
merged timelines::merge(const evidence& e, std::uint32_t known, std::uint32_t near) {
  invariant(e.from_error >= 0 && e.until_error >= 0, "an evidence's errors are never negative");
  if (e.said().empty()) return merged::unchanged;  // or it would leave an empty timeline behind
  if (e.until < forgotten_before_) return merged::too_old;
  if (tenancies_ == 0) clock_ = glance_clock(e.from);
  if (known != address_directory::nobody) {
    timeline& line = entries_[known].line;
    if (timeline_cell* const cell = line.find(e, near)) {
      const nanos known_until = cell->said.until;
      if (!line.extend(*cell, e, clock_)) return merged::unchanged;
      pace_.extended_by(saturating_sub(e.until, known_until), e.until);
      if (line.size() >= long_from) [[unlikely]]
        index_more(e.endpoint.address, line, *cell);
      return merged::changed;
    }
  }
  if (bytes() >= most_bytes_) return merged::no_room;
  const std::uint32_t number = known != address_directory::nobody ? known : add_address(e.endpoint.address);
  add(entries_[number].line, number, e);
  return merged::changed;
}

void timelines::add(timeline& line, std::uint32_t number, const evidence& e) {
  const interval core = e.core();
  const timeline_cell cell{.sure = core.empty() ? interval{time_max, time_min} : core,
                           .workload = e.workload,
                           .port = e.endpoint.port,
                           .tenancy = e.tenancy,
                           .said = e.said()};
  const std::uint32_t count = line.in_block();
  if (line.empty()) {
    line.begin(cell, clock_);
  } else if (const timeline_block old = line.block(); timeline_store::has_room(count)) {
    old.put(count, count + 1, line.displaced_by(cell), number);
    line.grown(old, clock_);
  } else {
    // Memory first: where there is none, nothing has changed.
    const timeline_block block = store_.take(count + 1);
    for (std::uint32_t i = 0; i < count; ++i) block.put(i, count + 1, old.cell(i, count), number);
    block.put(count, count + 1, line.displaced_by(cell), number);
    line.grown(block, clock_);
    if (count > 0) give_back(old, count);
  }
  ++tenancies_;
  block_bytes_ += timeline_store::bytes(line.in_block()) - timeline_store::bytes(count);
  if (line.size() >= long_from) [[unlikely]]
    index_more(e.endpoint.address, line, cell);
}

void timelines::index_more(address a, const timeline& line, const timeline_cell& cell) {
  const auto known = long_ones_.find(a);
  if (known == long_ones_.end()) {
    index_bytes_ += long_ones_.emplace(a, line).first->second.bytes();
    return;
  }
  index_bytes_ -= known->second.bytes();
  known->second.add(cell);
  index_bytes_ += known->second.bytes();
}

void timelines::give_back(timeline_block block, std::uint32_t count) {
  if (store_.give_back(block, count)) entries_[block.slots()->owner].line.moved(block);
}

void timelines::judge(const address_entry& s, std::uint16_t far_port, const flow_times& times,
                      std::uint32_t near, verdict& answer) const {
  if (s.line.size() >= long_from) [[unlikely]] {
    std::size_t looked = 0;
    tenure::resolve(indexed_candidates(long_ones_.at(s.address), far_port, looked), times, answer);
    return;
  }
  tenure::resolve(candidates(s.line, far_port, clock_, near), times, answer);
}

/// Whether the latest tenancy answers alone: the rule, having looked at all others, would say the same.
bool timelines::judge_by_latest(const address_entry& s, std::uint16_t far_port, const flow_times& times,
                                verdict& answer) const {
  invariant(times.error >= 0 && times.transit >= 0, "a flow's error and transit are never negative");
  if (times.error == unknown_error) return false;
  const need n = needed(times, times.error);
  const auto* const c = s.line.answers_alone(far_port, n, {n, clock_});
  if (c == nullptr || c->workload == workload_id::none) return false;
  answer = {c->workload, c->tenancy, basis::tenancy, reason::none};
  return true;
}

std::size_t timelines::looks(address far, std::uint16_t far_port, const flow_times& times) const {
  const auto& entry = entry_of(far);
  // What is sure, what was said, whether there is any, and how far it reaches.
  constexpr std::size_t rounds = 4;
  if (entry.line.size() < long_from) return rounds * entry.line.size();
  std::size_t looked = 0;
  verdict answer;
  tenure::resolve(indexed_candidates(long_ones_.at(far), far_port, looked), times, answer);
  return looked;
}

std::uint32_t timelines::near(const address_entry& s, const flow_times& times) const {
  return s.line.near({needed(times, times.error), clock_});
}

verdict timelines::resolve(address far, std::uint16_t far_port, const flow_times& times) const {
  verdict answer;
  const auto& entry = entry_of(far);
  judge(entry, far_port, times, near(entry, times), answer);
  return answer;
}

std::size_t timelines::forget_before(nanos cutoff) {
  if (cutoff <= forgotten_before_) return 0;
  forgotten_before_ = cutoff;
  std::size_t forgotten = 0;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) forgotten += forget_of(i, cutoff);
  if (forgotten == 0) return 0;
  tenancies_ -= forgotten;
  for (std::uint32_t i = 0; i < entries_.size();) {
    if (entries_[i].line.empty())
      remove(i);
    else
      ++i;
  }
  entries_.shrink();
  rebuild_directory();
  rebuild_indexes();
  return forgotten;
}

void timelines::rebuild_indexes() {
  long_ones_.clear();
  index_bytes_ = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& s = entries_[i];
    if (s.line.size() >= long_from)
      index_bytes_ += long_ones_.emplace(s.address, s.line).first->second.bytes();
  }
}

std::size_t timelines::forget_of(std::uint32_t number, nanos cutoff) {
  timeline& line = entries_[number].line;
  const auto count = static_cast<std::uint32_t>(line.size());
  const auto stays = [&](std::uint32_t i) { return line.cell(i).said.until >= cutoff; };
  std::uint32_t first_to_go = 0;
  while (first_to_go < count && stays(first_to_go)) ++first_to_go;
  if (first_to_go == count) return 0;
  std::vector<timeline_cell> kept;
  for (std::uint32_t i = 0; i < count; ++i)
    if (stays(i)) kept.push_back(line.cell(i));
  const timeline_block old = line.block();
  const std::uint32_t before = line.in_block();
  if (kept.empty())
    line.clear();
  else
    keep(line, number, kept);
  block_bytes_ -= timeline_store::bytes(before);
  if (before > 0) give_back(old, before);
  return count - kept.size();
}

/// @param kept all that are left of it, at least one
void timelines::keep(timeline& line, std::uint32_t number, std::vector<timeline_cell>& kept) {
  const auto latest = std::max_element(
      kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.said.until < b.said.until; });
  std::iter_swap(kept.begin(), latest);
  const auto others = static_cast<std::uint32_t>(kept.size() - 1);
  const timeline_block block = others == 0 ? timeline_block() : store_.take(others);
  for (std::uint32_t i = 0; i < others; ++i) block.put(i, others, kept[i + 1], number);
  line.replaced(kept.front(), block, others + 1, clock_);
  block_bytes_ += timeline_store::bytes(others);
}

// The last one takes its place.
void timelines::remove(std::uint32_t number) {
  entries_[number] = entries_.back();
  entries_.pop_back();
  if (number >= entries_.size()) return;
  const timeline& moved = entries_[number].line;
  const std::uint32_t count = moved.in_block();
  if (!timeline_block::in_slots(count)) return;
  for (std::uint32_t i = 0; i < count; ++i) moved.block().slots()[i].owner = number;
}

nanos timelines::cutoff_for(double share) const {
  std::vector<nanos> ends;
  ends.reserve(tenancies_);
  for (std::size_t n = 0; n < entries_.size(); ++n) {
    const timeline& line = entries_[n].line;
    for (std::size_t i = 0; i < line.size(); ++i) ends.push_back(line.at(i).said.until);
  }
  if (ends.empty()) return time_min;
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(ends.size() - 1));
  const auto at = ends.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, ends.size() - 1));
  std::nth_element(ends.begin(), at, ends.end());
  return *at;
}

std::vector<holding> timelines::holdings(address a) const {
  std::vector<holding> found;
  const timeline& line = entry_of(a).line;
  for (std::size_t i = 0; i < line.size(); ++i) found.push_back(line.at(i));
  return found;
}

std::vector<holding> timelines::holdings(const endpoint& e) const {
  std::vector<holding> found;
  const timeline& line = entry_of(e.address).line;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (const holding h = line.at(i); h.port == e.port) found.push_back(h);
  std::sort(found.begin(), found.end(), [](const holding& a, const holding& b) {
    return std::tie(a.tenancy, a.workload) < std::tie(b.tenancy, b.workload);
  });
  return found;
}

}  // namespace tenure
