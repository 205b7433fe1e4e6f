#include "sim/oracle_judge.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "sim/naive_rule.hpp"

namespace tenure::sim {
namespace {

constexpr std::size_t least_bound = 4096;

}  // namespace

oracle::watched_judge::watched_judge(oracle& o, const prefix_set& routable, std::shared_ptr<attributor> inner,
                                     std::size_t most_bytes, std::shared_ptr<const machine_clock> clock,
                                     names_slot names, random draw)
    : attributor(routable),
      oracle_(o),
      inner_(std::move(inner)),
      most_bytes_(most_bytes),
      clock_(std::move(clock)),
      names_(names),
      draw_(draw) {}

attributor::merged oracle::watched_judge::merge(const evidence& e) {
  const auto result = inner_->merge(e);
  if (oracle_.keep_ != nullptr)
    oracle_.keep_->evidence.push_back({e, std::string{(*names_)->name(e.workload)}});
  oracle_.check_hull(e, *inner_, *clock_, **names_);
  // A table of addresses doubles at once, so the bound is met by half or by double.
  if (inner_->timelines().bytes() / 2 > std::max(most_bytes_, least_bound))
    oracle_.complain("I7", "timelines take " + std::to_string(inner_->timelines().bytes()) + " bytes");
  if (result == merged::too_old || result == merged::no_room) return result;
  if (std::hash<address>{}(e.endpoint.address) % oracle_.evidence_kept_ == 0) kept_.push_back(e);
  return result;
}

verdict oracle::watched_judge::attribute(address far, std::uint16_t far_port, const flow_times& times) const {
  const verdict v = inner_->attribute(far, far_port, times);
  if (std::hash<address>{}(far) % oracle_.evidence_kept_ == 0) asked_.push_back({far, far_port, times, v});
  return v;
}

void oracle::watched_judge::merge_all(std::span<const evidence> all, std::span<merged> results) {
  for (std::size_t i = 0; i < all.size(); ++i) results[i] = merge(all[i]);
}

void oracle::watched_judge::attribute_all(std::span<const tenure::question> questions,
                                          std::span<verdict> verdicts) const {
  inner_->attribute_all(questions, verdicts);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& q = questions[i];
    count_prolonged(q, verdicts[i]);
    if (std::hash<address>{}(q.far) % oracle_.evidence_kept_ == 0)
      asked_.push_back({q.far, q.far_port, q.times, verdicts[i]});
  }
}

/// A flow that is asked about a second time had its hold.
void oracle::watched_judge::count_prolonged(const tenure::question& q, const verdict& v) const {
  const auto& c = oracle_.cluster_;
  if (c.release_early || c.hold_longest <= c.hold) return;
  trace_hash digest;
  for (const auto word :
       {q.far.high(), q.far.low(), std::uint64_t{q.far_port}, static_cast<std::uint64_t>(q.times.opened),
        static_cast<std::uint64_t>(q.times.closed)})
    digest.add(word);
  if (unanswered_.erase(digest.value()) > 0)
    oracle_.seen_.add(fault::hold_prolonged);
  else if (!v.attributed())
    unanswered_.insert(digest.value());
}

std::size_t oracle::watched_judge::forget_before(nanos cutoff) {
  finish();  // what was answered until now, while it is all remembered
  asked_.clear();
  const auto forgotten = inner_->forget_before(cutoff);
  std::erase_if(kept_, [this](const evidence& e) {
    return std::ranges::none_of(inner_->timelines().holdings(e.endpoint), [&e](const holding& h) {
      return h.tenancy == e.tenancy && h.workload == e.workload;
    });
  });
  return forgotten;
}

void oracle::watched_judge::finish() {
  ask_again();
  ask_naively();
  merge_again();
  measure();
}

void oracle::watched_judge::measure() {
  auto& errors = oracle_.errors_;
  for (const auto& e : kept_) {
    if (e.until_error == unknown_error) continue;
    ++errors.evidence;
    errors.evidence_seconds += static_cast<double>(e.until_error) / static_cast<double>(second);
  }
  for (const auto& q : asked_) {
    if (q.times.error == unknown_error) continue;
    ++errors.flows;
    errors.flow_seconds += static_cast<double>(q.times.error) / static_cast<double>(second);
  }
  std::set<endpoint> seen;
  for (const auto& e : kept_) {
    if (!seen.insert(e.endpoint).second) continue;
    for (const auto& h : inner_->timelines().holdings(e.endpoint)) {
      if (h.sure.empty()) continue;
      auto& span = oracle_.proved_spans_[oracle_.holder_of(h.tenancy)];
      span = std::max(span, h.sure.until - h.sure.from);
    }
  }
}

void oracle::watched_judge::ask_again() {
  for (const auto& q : asked_) {
    if (!q.answer.attributed()) continue;
    const verdict now = inner_->attribute(q.far, q.far_port, q.times);
    if (now.workload != q.answer.workload ||
        oracle_.holder_of(now.tenancy) != oracle_.holder_of(q.answer.tenancy))
      oracle_.complain(
          "I3", "an answer about " + q.far.to_string() + " changed from " +
                    std::string{(*names_)->name(q.answer.workload)} + " to " +
                    std::string{now.attributed() ? (*names_)->name(now.workload) : to_string(now.reason)});
  }
}

void oracle::watched_judge::ask_naively() {
  std::unordered_map<address, std::vector<evidence>> by_address;
  // Of each tenancy only the hull: weeks of heartbeats would be looked at for every question.
  std::map<std::tuple<endpoint, tenancy_id, workload_id>, interval> hulls;
  for (const auto& e : kept_) {
    const auto core = e.core();
    if (core.empty()) continue;
    auto& h = hulls.try_emplace({e.endpoint, e.tenancy, e.workload}, core).first->second;
    h = {std::min(h.from, core.from), std::max(h.until, core.until)};
  }
  for (const auto& [key, h] : hulls) {
    const auto& [where, tenancy, workload] = key;
    by_address[where.address].push_back({where, tenancy, workload, h.from, h.until, 0, 0});
  }
  for (const auto& q : asked_) {
    const auto expected = naive_answer(by_address[q.far], q.far_port, q.times);
    const auto now = inner_->attribute(q.far, q.far_port, q.times);
    if (now.workload != expected)
      oracle_.complain("I1", "about " + q.far.to_string() + " the rule says '" +
                                 std::string{(*names_)->name(now.workload)} + "', and done naively '" +
                                 std::string{(*names_)->name(expected)} + "'");
  }
}

void oracle::watched_judge::merge_again() {
  auto shuffled = kept_;
  for (std::size_t i = shuffled.size(); i > 1; --i) std::swap(shuffled[i - 1], shuffled[draw_.below(i)]);
  tenure::timelines again;
  for (const auto& e : shuffled) {
    again.merge(e);
    if (draw_.chance(0.1)) again.merge(shuffled[draw_.below(shuffled.size())]);
  }
  for (const auto& e : kept_) {
    if (inner_->timelines().holdings(e.endpoint) != again.holdings(e.endpoint)) {
      oracle_.complain(
          "I4", "the evidence of " + e.endpoint.to_string() + " gives another timeline in another order");
      return;
    }
  }
}

}  // namespace tenure::sim
