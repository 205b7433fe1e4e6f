#include "cli/explanation_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tenure::cli {

namespace {

constexpr std::size_t most_listed = 8;

std::string stamp(nanos t) {
  if (t == time_min) return "unknown";
  return std::to_string(t);
}

std::string closed(const need& n) {
  return fmt::format("[{}, {}]", stamp(n.first), stamp(n.last));
}
std::string half_open(const interval& i) {
  return fmt::format("[{}, {})", stamp(i.from), stamp(i.until));
}

// How the instants follow from the stamps.
std::string asked_text(const explanation& x) {
  const auto& t = x.times;
  if (!x.asked) {
    if (t.error == unknown_error) return "The flow's clock has no bound, so no instant of it is sure.";
    return "The address is nobody's: no evidence about it is taken.";
  }
  const need& n = *x.asked;
  switch (n.span) {
    case need::span::window:
      return fmt::format(
          "The far end held the endpoint at every instant of {}: established {} + error {}, to last received "
          "{} - "
          "transit {} - error {}; who surely held it at one of them is the far end.",
          closed(n), stamp(t.established), t.error, stamp(t.last_received), t.transit, t.error);
    case need::span::opening:
      return fmt::format(
          "The flow is too short for a sure window; somewhere in {} the far end sent: opened {} - error {}, "
          "to "
          "established {} + error {}; only who surely held the endpoint in all of it is the far end.",
          closed(n), stamp(t.opened), t.error, stamp(t.established), t.error);
    case need::span::life:
      return fmt::format(
          "There was no handshake to go by; only who surely held the endpoint in all of {} is the far end: "
          "opened {} "
          "- error {}, to closed {} + error {}.",
          closed(n), stamp(t.opened), t.error, stamp(std::max(t.closed, t.last_received)), t.error);
  }
  return "";
}

std::string verdict_text(const explanation& x, const evidence_names& names) {
  if (x.answer.attributed())
    return fmt::format("Attributed to {}, by tenancy {}.", names.of(x.answer.workload),
                       names.of(x.answer.tenancy));
  switch (x.answer.reason) {
    case reason::conflict:
      return "Unattributed (conflict): tenancies of two workloads qualify, so an assumption is broken "
             "somewhere.";
    case reason::external:
      return "Unattributed (external): the address is outside the routable CIDRs.";
    case reason::local:
      return "Unattributed (local): the address repeats from host to host.";
    case reason::no_evidence:
      return "Unattributed (no_evidence): nothing was ever said about this endpoint.";
    case reason::clock:
      return "Unattributed (clock): with smaller clock errors a tenancy would qualify.";
    case reason::before_first:
      return "Unattributed (before_first): it begins before all that is known.";
    case reason::after_last:
      return "Unattributed (after_last): it ends after all that is known.";
    case reason::between:
      return "Unattributed (between): what is known leaves a gap there.";
    case reason::none:
      break;
  }
  return "Unattributed.";
}

std::string tenancy_text(const considered& c, const evidence_names& names) {
  const holding& h = c.holding;
  std::string text = fmt::format("Tenancy {} of {}: said to hold {} throughout {}, ", names.of(h.tenancy),
                                 names.of(h.workload), c.endpoint.to_string(), half_open(h.said));
  if (h.sure.empty()) return text + "of which its clock errors leave nothing sure.";
  text += fmt::format("surely throughout {}; ", half_open(h.sure));
  if (c.qualifies) return text + fmt::format("it qualifies, as at {}.", stamp(*c.instant));
  if (c.instant) return text + fmt::format("it holds {}, but not all that is asked.", stamp(*c.instant));
  return text + "it holds none of the instants asked.";
}

}  // namespace

std::string explanation_text(const explanation& x, const evidence_names& names, bool lines) {
  const char* const separator = lines ? "\n  " : " ";
  std::string text = verdict_text(x, names);
  text += separator + asked_text(x);
  std::size_t listed = 0;
  for (const auto& c : x.all) {
    if (listed == most_listed) break;
    text += separator + tenancy_text(c, names);
    ++listed;
  }
  if (listed < x.all.size())
    text += separator + fmt::format("And {} more, further away.", x.all.size() - listed);
  return text;
}

}  // namespace tenure::cli
