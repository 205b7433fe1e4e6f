#include "actors/flow_ledger.hpp"

#include <numeric>

namespace tenure::actors {

std::uint64_t flow_ledger::unattributed() const {
  return std::accumulate(answers.begin() + 1, answers.end(), std::uint64_t{0});
}

flow_ledger& flow_ledger::operator+=(const flow_ledger& other) {
  received += other.received;
  repeated += other.repeated;
  held += other.held;
  forwarded += other.forwarded;
  dropped += other.dropped;
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += other.answers[i];
  return *this;
}

void ledger_book::page::write(const flow_ledger& now) {
  const std::lock_guard lock{mutex_};
  now_ = now;
}

std::shared_ptr<ledger_book::page> ledger_book::open(const std::string& agent) {
  auto p = std::make_shared<page>();
  p->agent_ = agent;
  const std::lock_guard lock{mutex_};
  p->place_ = open_.insert(open_.end(), p);
  return p;
}

void ledger_book::close(const std::shared_ptr<page>& p) {
  const std::lock_guard lock{mutex_};
  const bool known = closed_.size() < max_names || closed_.contains(p->agent_);
  closed_[known ? p->agent_ : "(others)"] += p->now_;
  open_.erase(p->place_);
}

ledger_book::reading ledger_book::read() const {
  const std::lock_guard lock{mutex_};
  reading r;
  r.agents = closed_;
  for (const auto& p : open_) {
    const std::lock_guard page_lock{p->mutex_};
    r.agents[p->agent_] += p->now_;
  }
  for (const auto& [name, ledger] : r.agents) r.all += ledger;
  return r;
}

}  // namespace tenure::actors
