#include "demo/truth_book.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

/// How late a process may be in telling of a connection that the kernel has had for a while, or in closing
/// it.
constexpr nanos late_opening = 3 * second;
constexpr nanos late_ending = 200 * millisecond;

constexpr std::size_t max_examples = 20;
// What a process closed this shortly before it died may still have waited for the other side's answer.
constexpr nanos last_closing = 2 * second;

}  // namespace

void truth_book::born(instance_id i, workload_index w, slot_index s, interval when) {
  instances_[i] = {w, s};
  holdings_[s].push_back({i, when, {time_max, time_max}});
}

void truth_book::gone(instance_id i, interval when) {
  for (auto& h : holdings_[instances_.at(i).slot]) {
    if (h.instance == i) h.until = when;
  }
}

void truth_book::died(instance_id i, nanos when, std::string_view how) {
  instances_.at(i).died = when;
  instances_.at(i).how = how;
}

void truth_book::heard(instance_id i, const truth_message& m) {
  if (m.kind == truth_message::what::drained) return;
  const connection_tuple t{address::from_bytes(m.client), address::from_bytes(m.server), m.client_port,
                           m.server_port};
  auto& told = ends_[{t, m.side}];
  if (m.kind == truth_message::what::opened) {
    told.push_back({i, m.connection, 0, m.at, time_max, 0, 0});
    ++ends_told_;
    return;
  }
  for (auto& e : told) {
    if (e.instance != i || e.number != m.connection) continue;
    if (m.peer != 0) e.peer = m.peer;
    if (m.kind == truth_message::what::ended) {
      e.ended = m.at;
      e.error = m.error;
    }
  }
}

void truth_book::names(const std::string& tenancy, instance_id i, address a) {
  tenancies_[tenancy] = {i, a};
}

const slot_holding* truth_book::holding_of(instance_id i) const {
  const auto fact = instances_.find(i);
  if (fact == instances_.end()) return nullptr;
  const auto slot = holdings_.find(fact->second.slot);
  if (slot == holdings_.end()) return nullptr;
  for (const auto& h : slot->second) {
    if (h.instance == i) return &h;
  }
  return nullptr;
}

std::vector<instance_id> truth_book::holders(slot_index s, nanos from, nanos until) const {
  std::vector<instance_id> found;
  const auto slot = holdings_.find(s);
  if (slot == holdings_.end()) return found;
  for (const auto& h : slot->second) {
    if (h.from.from <= until && from <= h.until.until) found.push_back(h.instance);
  }
  return found;
}

bool truth_book::held_throughout(instance_id i, nanos from, nanos until) const {
  const auto* h = holding_of(i);
  return h != nullptr && h->from.from <= from && until <= h->until.until;
}

instance_id truth_book::holder_now(slot_index s) const {
  const auto slot = holdings_.find(s);
  if (slot == holdings_.end() || slot->second.empty()) return 0;
  const auto& last = slot->second.back();
  return last.until.until == time_max ? last.instance : 0;
}

const truth_book::tenancy_fact* truth_book::tenancy(const std::string& id) const {
  const auto found = tenancies_.find(id);
  return found == tenancies_.end() ? nullptr : &found->second;
}

nanos truth_book::ended(const connection_end& e) const {
  return std::min(e.ended, instances_.at(e.instance).died);
}

connection_end* truth_book::find(side s, const connection_tuple& t, nanos at) {
  const auto told = ends_.find({t, s});
  if (told == ends_.end()) return nullptr;
  connection_end* best = nullptr;
  for (auto& e : told->second) {
    if (at < e.opened - late_opening || at - late_ending > ended(e)) continue;
    if (best == nullptr || std::abs(e.opened - at) < std::abs(best->opened - at)) best = &e;
  }
  return best;
}

bool truth_book::is_orphan(const connection_end& e) const {
  const nanos died = instances_.at(e.instance).died;
  return died != time_max && ended(e) > died - last_closing;
}

std::uint64_t truth_book::count_without_record(bool orphans) const {
  std::uint64_t count = forgotten_without_record_[orphans ? 1 : 0];
  for (const auto& [key, told] : ends_) {
    count += static_cast<std::uint64_t>(std::count_if(
        told.begin(), told.end(), [&](const auto& e) { return e.records == 0 && is_orphan(e) == orphans; }));
  }
  return count;
}

std::string truth_book::describe(const connection_tuple& t, side s, const connection_end& e) const {
  return fmt::format(
      "lost: {} end of {}:{} -> {}:{}, instance {} ({}), peer {}, opened {}, open for {} us, error {}",
      s == side::client ? "client" : "server", t.client.to_string(), t.client_port, t.server.to_string(),
      t.server_port, e.instance, instances_.at(e.instance).how, e.peer, e.opened,
      (ended(e) - e.opened) / microsecond, e.error);
}

std::vector<std::string> truth_book::examples_without_record(std::size_t most) const {
  std::vector<std::string> found = forgotten_examples_;
  for (const auto& [key, told] : ends_) {
    for (const auto& e : told) {
      if (e.records == 0 && found.size() < most) found.push_back(describe(key.first, key.second, e));
    }
  }
  found.resize(std::min(found.size(), most));
  return found;
}

std::uint64_t truth_book::still_open() const {
  std::uint64_t count = 0;
  for (const auto& [key, told] : ends_) {
    count += static_cast<std::uint64_t>(
        std::count_if(told.begin(), told.end(), [&](const auto& e) { return ended(e) == time_max; }));
  }
  return count;
}

void truth_book::forget(nanos before) {
  for (auto& [key, told] : ends_) {
    std::erase_if(told, [&](const connection_end& e) {
      const bool old = ended(e) < before;
      if (old && e.records == 0) {
        ++forgotten_without_record_[is_orphan(e) ? 1 : 0];
        if (forgotten_examples_.size() < max_examples)
          forgotten_examples_.push_back(describe(key.first, key.second, e));
      }
      return old;
    });
  }
  std::erase_if(ends_, [](const auto& entry) { return entry.second.empty(); });
  for (auto& [slot, told] : holdings_) {
    std::erase_if(told, [&](const slot_holding& h) { return h.until.until < before; });
  }
  std::erase_if(tenancies_, [&](const auto& entry) { return holding_of(entry.second.instance) == nullptr; });
  // Instances stay: a few bytes each, and some late record may still name one.
}

}  // namespace tenure::demo
