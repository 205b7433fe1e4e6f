#pragma once

#include <string>

#include "actors/agent_counters.hpp"
#include "actors/agent_credit.hpp"
#include "actors/flow_ledger.hpp"
#include "actors/node_counters.hpp"
#include "agent/flow_source.hpp"

namespace tenure::api {

/// The counters of one node in Prometheus' text format: names tenure_node_*.
/// @param read one reading of the ledger; flows are told from it, so that each scrape balances
/// @param held memory for held flows @param seen for what was seen of batches
std::string node_metrics(const actors::node_counters& c, const actors::ledger_book::reading& read,
                         const actors::shared_budget& held, const actors::shared_budget& seen);

/// The counters of one agent in Prometheus' text format: names tenure_agent_*.
std::string agent_metrics(const actors::agent_counters& c, const agent::source_counters& source);

}  // namespace tenure::api
