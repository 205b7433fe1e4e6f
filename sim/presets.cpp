#include "sim/presets.hpp"

namespace tenure::sim {

std::span<const preset> presets() {
  static const std::vector<preset> all = {
      {"containers",
       "container lives as Sysdig counted them in 2019: 22 % up to 10 s, 54 % up to 5 min, 86 % up to a day",
       {{"fleet.lifetimes", "containers"}}},
      {"serverless",
       "functions that live for about a minute (30 to 90 s)",
       {{"fleet.lifetimes", "serverless"}}},
      {"instances",
       "virtual machines that live from half an hour to three days",
       {{"fleet.lifetimes", "instances"}}},
      {"rolling-deploys",
       "a quarter of a workload is swapped at once, twelve times an hour",
       {{"fleet.lifetimes", "instances"}, {"fleet.deploys_per_hour", "12"}}},
      {"gap-0", "addresses are given out again at once", {{"fleet.reuse_gap", "0s"}}},
      {"gap-1", "addresses rest for a second", {{"fleet.reuse_gap", "1s"}}},
      {"gap-30", "addresses rest for 30 s, as in some clouds", {{"fleet.reuse_gap", "30s"}}},
      {"gap-120", "addresses rest for two minutes", {{"fleet.reuse_gap", "120s"}}},
      {"full-pool",
       "15 instances on the 16 addresses of a /28: 94 % of the pool is in use",
       {{"fleet.addresses", "16"},
        {"fleet.instances", "15"},
        {"fleet.workloads", "3"},
        {"fleet.hosts", "4"}}},
      {"allocator-restart",
       "addresses rest for 30 s, but six times an hour the allocator restarts and forgets that for a minute",
       {{"fleet.reuse_gap", "30s"}, {"fleet.allocator_restarts_per_hour", "6"}}},
      {"same-again",
       "half of the instances come back at once: same name, same address, a new incarnation",
       {{"fleet.same_again_share", "0.5"}}},
  };
  return all;
}

}  // namespace tenure::sim
