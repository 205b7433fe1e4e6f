#pragma once

#include <string>

#include "actors/flow_ledger.hpp"

namespace tenure::api {

/// A reading of the ledger as JSON, as `/v1/ledger` gives it: `{"all": {...}, "agents": [{"agent": "...",
/// ...}]}`, each with received, repeated, attributed, unattributed (by reason), held, dropped and balances.
std::string ledger_json(const actors::ledger_book::reading& read);

}  // namespace tenure::api
