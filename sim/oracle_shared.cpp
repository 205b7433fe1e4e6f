#include <algorithm>
#include <unordered_set>

#include "sim/oracle.hpp"

// Which connections a record stands for, when an agent that is short of room lets several share one. The
// record does not say it; but agents keep the order in which they were handed them.
namespace tenure::sim {
namespace {

bool of_one_kind(const socket_record& a, const socket_record& b) {
  return a.near == b.near && a.far_address == b.far_address && a.reporter == b.reporter && a.udp == b.udp &&
         (a.far == no_instance) == (b.far == no_instance) &&
         (a.reporter == reporter::destination || a.far_port == b.far_port);
}

}  // namespace

/// @returns the records that a batch tells of, in the order of its flows
std::vector<std::uint64_t> oracle::find_shared(std::uint64_t incarnation, const wire::batch& b) {
  for (; handed_out_ < records_.size(); ++handed_out_)
    if (const auto to = records_[handed_out_].incarnation; to != 0) handed_[to].push_back(handed_out_ + 1);
  auto& waiting = handed_[incarnation];
  std::unordered_set<std::uint64_t> told;
  std::vector<std::uint64_t> all;
  for (const auto& f : b.flows) told.insert(f.connection);
  for (const auto& f : b.flows) {
    all.push_back(f.connection);
    if (f.connections < 2 || f.connection == 0 || f.connection > records_.size()) continue;
    auto& with = shared_[f.connection] = {f.connection};
    for (const auto number : waiting) {
      if (with.size() == f.connections) break;
      if (number <= f.connection || told.contains(number)) continue;
      if (!of_one_kind(records_[f.connection - 1], records_[number - 1])) continue;
      with.push_back(number);
      told.insert(number);
      all.push_back(number);
    }
    seen_.add(fault::record_shared);
    if (with.size() != f.connections)
      complain("I5", "record " + std::to_string(f.connection) + " stands for " +
                         std::to_string(f.connections) + " connections, of which the agent was handed " +
                         std::to_string(with.size()));
  }
  std::erase_if(waiting, [&](std::uint64_t n) { return told.contains(n); });
  return all;
}

std::vector<std::uint64_t> oracle::stands_for(const flow& f) const {
  const auto known = shared_.find(f.connection);
  return f.connections < 2 || known == shared_.end() ? std::vector{f.connection} : known->second;
}

}  // namespace tenure::sim
