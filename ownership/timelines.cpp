#include "ownership/timelines.hpp"

#include <algorithm>
#include <tuple>

#include "ownership/invariant.hpp"
#include "ownership/rule.hpp"

namespace tenure {

namespace {

// From here on a timeline is long: looking at it one by one takes longer than an index.
constexpr std::size_t long_from = 128;
// An index costs about as much as looking at its timeline this often.
constexpr std::size_t index_pays_after = 16;

class candidates {
 public:
  candidates(const timeline& line, std::uint16_t port, const glance_clock& clock, std::uint32_t near)
      : line_(line), port_(port), clock_(clock), near_(near) {}
  template <class Visit>
  void each_sure(const need& n, Visit&& visit) const {
    line_.each_sure(port_, n, near_, std::forward<Visit>(visit));
  }
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
  indexed_candidates(const timeline& line, const long_timeline& index, std::uint16_t port)
      : line_(line), index_(index), port_(port) {}
  template <class Visit>
  void each_sure(const need& n, Visit&& visit) const {
    // Two workloads are a conflict, however many more there are.
    workload_id first = workload_id::none;
    index_.each_sure(port_, n, [&](std::uint32_t i) {
      const holding h = line_.at(i);
      visit(h.tenancy, h.workload);
      if (first == workload_id::none) first = h.workload;
      return h.workload == first;
    });
  }
  bool any_said(const need& n) const { return index_.any_said(port_, n); }
  bool empty() const { return !index_.any_of(port_); }
  interval reach() const { return index_.reach(port_); }

 private:
  const timeline& line_;
  const long_timeline& index_;
  std::uint16_t port_;
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

std::uint32_t timelines::find_or_add(address a) {
  if (const auto known = find(a); known != address_directory::nobody) return known;
  const auto number = static_cast<std::uint32_t>(entries_.size());
  invariant(number != address_directory::nobody, "fewer than 2^32 addresses");
  // By halves: nothing is copied often, and not much stands empty.
  if (entries_.size() == entries_.capacity())
    entries_.reserve(entries_.size() + std::max<std::size_t>(entries_.size() / 2, 16));
  entries_.push_back({a, {}});
  if (directory_.has_room())
    directory_.add(address_directory::hash(a), number);
  else
    rebuild_directory();
  return number;
}

void timelines::rebuild_directory() {
  directory_.clear(entries_.size());
  for (std::uint32_t i = 0; i < entries_.size(); ++i)
    directory_.add(address_directory::hash(entries_[i].address), i);
}

merged timelines::merge(const evidence& e) {
  invariant(e.from_error >= 0 && e.until_error >= 0, "an evidence's errors are never negative");
  if (e.said().empty()) return merged::unchanged;  // or it would leave an empty timeline behind
  if (e.until < forgotten_before_) return merged::too_old;
  if (tenancies_ == 0) clock_ = glance_clock(e.from);
  const std::uint32_t known = find(e.endpoint.address);
  if (known != address_directory::nobody) {
    timeline& line = entries_[known].line;
    if (timeline_cell* const cell = line.find(e, clock_)) {
      if (!line.extend(*cell, e, clock_)) return merged::unchanged;
      if (line.size() >= long_from) long_ones_.erase(e.endpoint.address);
      return merged::changed;
    }
  }
  if (bytes() >= most_bytes_) return merged::no_room;
  const std::uint32_t number = known != address_directory::nobody ? known : find_or_add(e.endpoint.address);
  add(entries_[number].line, number, e);
  return merged::changed;
}

void timelines::add(timeline& line, std::uint32_t number, const evidence& e) {
  timeline_block* const old = line.block();
  const auto count = static_cast<std::uint32_t>(line.size());
  const interval core = e.core();
  const timeline_cell cell{.sure = core.empty() ? interval{time_max, time_min} : core,
                           .workload = e.workload,
                           .port = e.endpoint.port,
                           .tenancy = e.tenancy,
                           .said = e.said()};
  if (timeline_store::has_room(count)) {
    ++old->count;
    old->cells()[count] = cell;
    line.grown(old, clock_);
  } else {
    timeline_block* const block = store_.take(count + 1, number);
    if (old != nullptr) std::copy_n(old->cells(), count, block->cells());
    block->cells()[count] = cell;
    line.grown(block, clock_);
    if (old != nullptr) give_back(old, count);
  }
  ++tenancies_;
  block_bytes_ += timeline_store::bytes(count + 1) - timeline_store::bytes(count);
  if (count >= long_from) long_ones_.erase(e.endpoint.address);
}

void timelines::give_back(timeline_block* block, std::uint32_t count) {
  if (auto* const other = store_.give_back(block, count)) entries_[other->owner].line.moved(other);
}

const long_timeline* timelines::index_of(const address_entry& s) const {
  auto& known = long_ones_[s.address];
  if (known.index == nullptr) {
    known.looked_at += s.line.size();
    if (known.looked_at < index_pays_after * s.line.size()) return nullptr;
    known.index = std::make_unique<long_timeline>(s.line);
  }
  return known.index.get();
}

void timelines::judge(const address_entry& s, std::uint16_t far_port, const flow_times& times,
                      std::uint32_t near, verdict& answer) const {
  if (s.line.is_long() && s.line.size() >= long_from) [[unlikely]] {
    if (const auto* const index = index_of(s)) {
      tenure::resolve(indexed_candidates(s.line, *index, far_port), times, answer);
      return;
    }
  }
  tenure::resolve(candidates(s.line, far_port, clock_, near), times, answer);
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
  long_ones_.clear();
  for (std::uint32_t i = 0; i < entries_.size();) {
    if (entries_[i].line.empty())
      remove(i);
    else
      ++i;
  }
  if (entries_.capacity() > 2 * entries_.size()) entries_ = entries(entries_);
  rebuild_directory();
  return forgotten;
}

std::size_t timelines::forget_of(std::uint32_t number, nanos cutoff) {
  timeline& line = entries_[number].line;
  timeline_block* const old = line.block();
  const std::uint32_t count = old->count;
  timeline_cell* const cells = old->cells();
  timeline_cell* const kept_end =
      std::remove_if(cells, cells + count, [cutoff](const auto& c) { return c.said.until < cutoff; });
  const auto kept = static_cast<std::uint32_t>(kept_end - cells);
  if (kept == count) return 0;
  timeline_block* const block = kept == 0 ? nullptr : store_.take(kept, number);
  if (block != nullptr) std::copy(cells, kept_end, block->cells());
  line.replaced(block, clock_);
  give_back(old, count);
  block_bytes_ -= timeline_store::bytes(count) - timeline_store::bytes(kept);
  return count - kept;
}

// The last one takes its place.
void timelines::remove(std::uint32_t number) {
  entries_[number] = entries_.back();
  entries_.pop_back();
  if (number < entries_.size())
    if (timeline_block* const block = entries_[number].line.block()) block->owner = number;
}

nanos timelines::cutoff_for(double share) const {
  std::vector<nanos> ends;
  ends.reserve(tenancies_);
  for (const auto& s : entries_)
    for (std::size_t i = 0; i < s.line.size(); ++i) ends.push_back(s.line.at(i).said.until);
  if (ends.empty()) return time_min;
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(ends.size() - 1));
  const auto at = ends.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, ends.size() - 1));
  std::nth_element(ends.begin(), at, ends.end());
  return *at;
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
