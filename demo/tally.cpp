#include "demo/tally.hpp"

#include <fmt/format.h>

namespace tenure::demo {

void tally::add(const flow_line& r, const judgement& j) {
  if (!ids_.insert(r.flow_id).second) {
    ++repeated;
    return;
  }
  ++flows;
  if (j.far_named) ++attributed;
  if (!j.far_named) ++unattributed[r.reason.empty() ? "unsaid" : r.reason];
  if (!j.near_named) ++near_unnamed;
  if (j.near_named && j.far_named) {
    ++both_named;
    ++dependencies[{*r.client.workload, *r.server.workload}];
  }
  if (!r.established) ++failed_connects;
  if (j.misattributed) ++misattributed;
  if (!j.explained) ++unexplained;
  if ((j.misattributed || !j.explained) && examples.size() < max_examples) {
    examples.push_back(fmt::format("{} {}:{} -> {}:{}: {}", r.flow_id, r.tuple.client.to_string(),
                                   r.tuple.client_port, r.tuple.server.to_string(), r.tuple.server_port,
                                   j.why));
  }
  if (j.current_owner_wrong) {
    ++current_owner_misattributed;
    ++current_owner_mistakes[j.far];
  }
  if (j.reset_by_next_owner) ++reset_by_next_owner;
  if (j.opened_before_owner) ++opened_before_owner;
  if (j.outlived_owner) ++outlived_owner;
}

void tally::add_unreadable(const std::string& why) {
  ++unreadable;
  if (examples.size() < max_examples) examples.push_back(why);
}

}  // namespace tenure::demo
