#pragma once

#include <string>

#include "transport/asio_transport.hpp"

namespace tenure::api {

/// What a transport counted, in Prometheus' text format: names tenure_transport_*.
/// @param links whose links these are: "agents" on a node, "nodes" on an agent
std::string transport_metrics(const transport::transport_counters& c, const std::string& links);

}  // namespace tenure::api
