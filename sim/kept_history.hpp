#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "ownership/verdict.hpp"

namespace tenure::sim {

/// What happened in one run, for those who want to judge a system of their own by it: what was said, what was
/// asked, what was true, and what the simulated node answered. All of one node's time.
struct kept_history {
  struct statement {
    tenure::evidence said;  ///< its workload by number in that node; `workload` is the name
    std::string workload;
  };
  struct answered {
    flow_id id;
    transport_protocol transport = transport_protocol::tcp;
    address far;
    std::uint16_t far_port = 0;
    flow_times times;
    std::string workload;  ///< that it was given to; empty when unattributed
    tenancy_id tenancy;
    tenure::reason reason = reason::none;
  };
  /// What is true of a flow. Where nothing of the far end was ever accepted, that is who held the address
  /// throughout the flow's life.
  struct fact {
    flow_id id;
    std::string workload;  ///< empty: nobody's, so that every answer is wrong
    std::int64_t instance = -1;
  };
  struct holding {
    std::uint32_t instance = 0;
    tenure::endpoint endpoint;
    std::string workload;
    nanos from = 0;
    nanos until = time_max;  ///< time_max: still held at the end
  };

  std::vector<statement> evidence;
  std::map<std::uint64_t, answered> flows;  ///< by record number
  std::vector<fact> facts;                  ///< one for each of `flows`
  std::vector<holding> holdings;
};

}  // namespace tenure::sim
