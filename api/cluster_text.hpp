#pragma once

#include <string>

#include "actors/cluster_desk.hpp"
#include "actors/node_counters.hpp"

namespace tenure::api {

/// What a node thinks of its cluster, as /v1/cluster shows it. The keys stay.
std::string cluster_json(const actors::node_counters& c, const actors::cluster_desk::reading& r);

/// The same, and what passed between nodes, in Prometheus' text format.
std::string cluster_metrics(const actors::node_counters& c, const actors::cluster_desk::reading& r);

}  // namespace tenure::api
