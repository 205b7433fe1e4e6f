#include "ownership/timelines.hpp"

#include <algorithm>

#include "ownership/invariant.hpp"
#include "ownership/rule.hpp"

namespace tenure {

namespace {

constexpr std::size_t first_size = 16;
// So many questions are under way to memory at once.
constexpr std::size_t group = 16;
// From here on a timeline is long: looking at it one by one takes longer than an index.
constexpr std::size_t long_from = 128;
// An index costs about as much as looking at its timeline this often.
constexpr std::size_t index_pays_after = 16;

class candidates {
 public:
  candidates(const timeline& line, std::uint16_t port) : line_(line), port_(port) {}
  template <class Visit>
  void each_sure(const need& n, Visit&& visit) const {
    line_.each_sure(port_, n, std::forward<Visit>(visit));
  }
  bool any_said(const need& n) const { return line_.any_said(port_, n); }
  bool empty() const { return !line_.any_of(port_); }
  interval reach() const { return line_.reach(port_); }

 private:
  const timeline& line_;
  std::uint16_t port_;
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

std::size_t timelines::find(address a) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = std::hash<address>{}(a)&mask;
  while (!slots_[at].line.empty() && slots_[at].address != a) at = (at + 1) & mask;
  return at;
}

const timeline* timelines::line_of(address a) const {
  if (slots_.empty()) return nullptr;
  const slot& s = slots_[find(a)];
  return s.line.empty() ? nullptr : &s.line;
}

void timelines::rehash(std::size_t size) {
  std::vector<slot> old(size);
  old.swap(slots_);
  for (auto& s : old) {
    if (s.line.empty()) continue;
    slot& to = slots_[find(s.address)];
    to.address = s.address;
    to.line = std::move(s.line);
  }
}

merged timelines::merge(const evidence& e) {
  invariant(e.from_error >= 0 && e.until_error >= 0, "an evidence's errors are never negative");
  if (e.said().empty()) return merged::unchanged;  // or it would leave an empty timeline behind
  if (e.until < forgotten_before_) return merged::too_old;
  if (slots_.size() * 3 <= addresses_ * 4) rehash(std::max(first_size, slots_.size() * 2));
  slot& s = slots_[find(e.endpoint.address)];
  const bool full = bytes() >= most_bytes_;
  if (full && !s.line.knows(e)) return merged::no_room;
  const std::size_t size = s.line.size();
  const std::size_t bytes = s.line.bytes();
  if (size == 0) {
    s.address = e.endpoint.address;
    ++addresses_;
  }
  const bool changed = s.line.merge(e);
  tenancies_ += s.line.size() - size;
  block_bytes_ += s.line.bytes() - bytes;
  if (changed && size >= long_from) long_ones_.erase(s.address);
  return changed ? merged::changed : merged::unchanged;
}

void timelines::merge(std::span<const evidence> all, std::span<merged> results) {
  invariant(all.size() == results.size(), "a result for each piece of evidence");
  for (std::size_t start = 0; start < all.size(); start += group) {
    const auto part = all.subspan(start, std::min(group, all.size() - start));
    if (!slots_.empty()) {
      const std::size_t mask = slots_.size() - 1;
      for (const auto& e : part) __builtin_prefetch(&slots_[std::hash<address>{}(e.endpoint.address) & mask]);
      for (const auto& e : part) slots_[find(e.endpoint.address)].line.prefetch_all();
    }
    for (std::size_t i = 0; i < part.size(); ++i) results[start + i] = merge(part[i]);
  }
}

const long_timeline* timelines::index_of(const slot& s) const {
  auto& known = long_ones_[s.address];
  if (known.index == nullptr) {
    known.looked_at += s.line.size();
    if (known.looked_at < index_pays_after * s.line.size()) return nullptr;
    known.index = std::make_unique<long_timeline>(s.line);
  }
  return known.index.get();
}

verdict timelines::judge(const slot& s, std::uint16_t far_port, const flow_times& times) const {
  if (s.line.size() >= long_from) [[unlikely]] {
    if (const auto* const index = index_of(s))
      return tenure::resolve(indexed_candidates(s.line, *index, far_port), times);
  }
  return tenure::resolve(candidates(s.line, far_port), times);
}

verdict timelines::resolve(address far, std::uint16_t far_port, const flow_times& times) const {
  static const slot nobody;
  return judge(slots_.empty() ? nobody : slots_[find(far)], far_port, times);
}

void timelines::resolve(std::span<const question> questions, std::span<verdict> verdicts) const {
  invariant(questions.size() == verdicts.size(), "a verdict for each question");
  if (slots_.empty()) {
    for (std::size_t i = 0; i < questions.size(); ++i)
      verdicts[i] = resolve(questions[i].far, questions[i].far_port, questions[i].times);
    return;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t start = 0; start < questions.size(); start += group) {
    const std::size_t count = std::min(group, questions.size() - start);
    const question* const q = &questions[start];
    const slot* at[group];
    for (std::size_t i = 0; i < count; ++i)
      __builtin_prefetch(&slots_[std::hash<address>{}(q[i].far) & mask]);
    for (std::size_t i = 0; i < count; ++i) {
      at[i] = &slots_[find(q[i].far)];
      at[i]->line.prefetch();
    }
    for (std::size_t i = 0; i < count; ++i) verdicts[start + i] = judge(*at[i], q[i].far_port, q[i].times);
  }
}

std::size_t timelines::forget_before(nanos cutoff) {
  if (cutoff <= forgotten_before_) return 0;
  forgotten_before_ = cutoff;
  std::size_t forgotten = 0;
  std::size_t left = 0;
  block_bytes_ = 0;
  for (auto& s : slots_) {
    if (s.line.empty()) continue;
    forgotten += s.line.forget_before(cutoff);
    left += s.line.empty() ? 0 : 1;
    block_bytes_ += s.line.bytes();
  }
  tenancies_ -= forgotten;
  if (forgotten == 0) return 0;
  long_ones_.clear();
  // Always: a slot that became empty would end the search for those behind it.
  addresses_ = left;
  std::size_t size = first_size;
  while (size * 3 <= left * 4) size *= 2;
  rehash(size);
  return forgotten;
}

nanos timelines::cutoff_for(double share) const {
  std::vector<nanos> ends;
  ends.reserve(tenancies_);
  for (const auto& s : slots_)
    for (std::size_t i = 0; i < s.line.size(); ++i) ends.push_back(s.line.at(i).said.until);
  if (ends.empty()) return time_min;
  const auto wanted = static_cast<std::size_t>(share * static_cast<double>(ends.size() - 1));
  const auto at = ends.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, ends.size() - 1));
  std::nth_element(ends.begin(), at, ends.end());
  return *at;
}

std::vector<holding> timelines::holdings(const endpoint& e) const {
  std::vector<holding> found;
  const timeline* const line = line_of(e.address);
  for (std::size_t i = 0; line != nullptr && i < line->size(); ++i)
    if (const holding h = line->at(i); h.port == e.port) found.push_back(h);
  return found;
}

}  // namespace tenure
