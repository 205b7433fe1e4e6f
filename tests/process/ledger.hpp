#pragma once

#include <map>
#include <string>

namespace tenure::testing {

/// A metric's value; 0 where it is not there.
double value_of(const std::string& metrics, const std::string& name);

/// Flows that were answered without a far end, of whatever reason.
double unattributed_in(const std::string& metrics);

/// Of a node's /metrics: received - repeated - attributed - unattributed - forwarded - held - dropped, by
/// agent; "" is all. What other nodes sent is among what was received. Each should be 0.
std::map<std::string, double> imbalances(const std::string& metrics);

}  // namespace tenure::testing
