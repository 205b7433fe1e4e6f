#include "sim/oracle_evidence.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sim/oracle.hpp"
#include "sim/oracle_judge.hpp"

// What a violation is shown with: the stamps that the rule judged by, and who said what of the far end.
namespace tenure::sim {
namespace {

// Of all that was said of one tenancy, no more than this is shown.
constexpr std::size_t most_shown = 4;

std::string stamp(nanos t) {
  return t == time_min ? "unknown" : std::to_string(t);
}

}  // namespace

std::string to_text(const evidence& e) {
  return fmt::format("{} held by {} from {}±{} until {}±{}", e.endpoint.to_string(), e.tenancy.to_string(),
                     e.from, e.from_error, e.until, e.until_error);
}

/// The statements that the hull of a tenancy reaches to, for each judge that has some.
std::string oracle::statements(tenancy_id t) const {
  std::string text;
  std::size_t shown = 0;
  for (const auto& j : judges_) {
    const evidence* first = nullptr;
    const evidence* last = nullptr;
    for (const auto& e : j->kept()) {
      if (e.tenancy != t || e.core().empty()) continue;
      if (first == nullptr || e.core().from < first->core().from) first = &e;
      if (last == nullptr || e.core().until > last->core().until) last = &e;
    }
    if (first == nullptr || shown == most_shown) continue;
    ++shown;
    text += "\n    said: " + to_text(*first);
    if (last != first) text += "\n    said: " + to_text(*last);
    if (const auto who = holder_of(t); who != no_instance) {
      const auto& i = truth_.of(who);
      text += fmt::format("\n    true: {} held it in [{}, {})", describe(who), j->clock().at(i.from),
                          i.alive() ? "now" : std::to_string(j->clock().at(i.until)));
    }
  }
  return text;
}

std::string oracle::shown_by(const sinks::flow_record& r) const {
  const auto& t = r.flow.times;
  std::string text = fmt::format(
      "\n    flow {} to {}: opened {}, established {}, last received {}, closed {}, error {}, transit {}",
      r.flow.id.to_string(), endpoint{r.flow.far_address, r.flow.far_port}.to_string(), stamp(t.opened),
      t.is_established ? stamp(t.established) : "never", stamp(t.last_received), stamp(t.closed), t.error,
      t.transit);
  if (r.far.attributed()) return text + statements(r.far.tenancy);
  std::set<tenancy_id> said;
  for (const auto& j : judges_)
    for (const auto& e : j->kept())
      if (e.endpoint.address == r.flow.far_address) said.insert(e.tenancy);
  for (const auto& tenancy : said) text += statements(tenancy);
  return text;
}

}  // namespace tenure::sim
