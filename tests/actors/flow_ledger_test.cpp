#include "actors/flow_ledger.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

flow_ledger any_ledger() {
  const auto some = [] { return *rc::gen::inRange<std::uint64_t>(0, 1000); };
  flow_ledger l;
  l.repeated = some();
  l.held = some();
  l.forwarded = some();
  l.dropped = some();
  for (auto& n : l.answers) n = some();
  l.received = l.repeated + l.held + l.forwarded + l.dropped + l.attributed() + l.unattributed();
  return l;
}

std::vector<std::uint64_t> figures(const flow_ledger& l) {
  std::vector<std::uint64_t> all{l.received, l.repeated, l.held, l.forwarded, l.dropped};
  all.insert(all.end(), l.answers.begin(), l.answers.end());
  return all;
}

std::vector<std::uint64_t> sum(const std::vector<flow_ledger>& ledgers) {
  auto all = figures({});
  for (const auto& l : ledgers)
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += figures(l)[i];
  return all;
}

// Whichever sessions have ended by now: an agent's sums are those of all its sessions, figure by figure.
RC_GTEST_PROP(ledger_book, keeps_every_figure_of_every_session, ()) {
  ledger_book book;
  std::map<std::string, std::vector<flow_ledger>> expected;
  std::vector<flow_ledger> all;
  const int sessions = *rc::gen::inRange(0, 8);
  for (int i = 0; i < sessions; ++i) {
    const std::string agent{static_cast<char>('a' + *rc::gen::inRange(0, 3))};
    const auto page = book.open(agent);
    page->write(any_ledger());
    const auto last = any_ledger();
    page->write(last);
    expected[agent].push_back(last);
    all.push_back(last);
    if (*rc::gen::arbitrary<bool>()) book.close(page);
  }
  const auto read = book.read();
  RC_ASSERT(figures(read.all) == sum(all));
  RC_ASSERT(read.all.balances());
  RC_ASSERT(read.agents.size() == expected.size());
  for (const auto& [agent, ledgers] : expected) RC_ASSERT(figures(read.agents.at(agent)) == sum(ledgers));
}

}  // namespace
}  // namespace tenure::actors
