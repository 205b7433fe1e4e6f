#include "api/cluster_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace tenure::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily& add(std::vector<MetricFamily>& all, const char* name, const char* help, MetricType type) {
  MetricFamily f;
  f.name = name;
  f.help = help;
  f.type = type;
  all.push_back(std::move(f));
  return all.back();
}

void add(std::vector<MetricFamily>& all, const char* name, const char* help, std::uint64_t value) {
  ClientMetric m;
  m.counter.value = static_cast<double>(value);
  add(all, name, help, MetricType::Counter).metric.push_back(std::move(m));
}

void add(MetricFamily& f, const actors::node_entry& n, double value) {
  ClientMetric m;
  m.gauge.value = value;
  m.label.push_back(ClientMetric::Label{"node", n.name});
  f.metric.push_back(std::move(m));
}

}  // namespace

std::string cluster_json(const actors::node_counters& c, const actors::cluster_desk::reading& r) {
  auto nodes = nlohmann::ordered_json::array();
  for (const auto& n : r.nodes)
    nodes.push_back({{"name", n.name},
                     {"address", n.address},
                     {"member", n.member},
                     {"standing", cluster::to_string(n.standing)},
                     {"share", n.share}});
  nlohmann::ordered_json handed_over{{"times", c.hand_overs.load()},
                                     {"timelines", c.timelines_sent.load()},
                                     {"bytes", c.timelines_sent_bytes.load()},
                                     {"seconds", static_cast<double>(c.hand_over_nanos) / 1e9}};
  return nlohmann::ordered_json{{"node", r.self},
                                {"epoch", r.epoch},
                                {"movements", r.placements},
                                {"handed_over", std::move(handed_over)},
                                {"nodes", std::move(nodes)}}
             .dump(2) +
         "\n";
}

std::string cluster_metrics(const actors::node_counters& c, const actors::cluster_desk::reading& r) {
  std::vector<MetricFamily> all;
  add(all, "tenure_node_flows_from_nodes_total", "Flows in lots of other nodes", c.flows_from_nodes);
  add(all, "tenure_node_flows_rerouted_total", "Flows taken back from a node that went away",
      c.flows_rerouted);
  add(all, "tenure_node_evidence_from_nodes_total", "Evidence in lots of other nodes", c.evidence_from_nodes);
  add(all, "tenure_node_evidence_undelivered_total", "Evidence for a node that was away",
      c.evidence_undelivered);
  add(all, "tenure_node_lots_sent_again_total", "Lots sent again over a new link", c.lots_sent_again);
  add(all, "tenure_node_lots_repeated_total", "Lots that had come before", c.lots_repeated);
  add(all, "tenure_node_timelines_sent_total", "Tenancies handed over to nodes that hold them now",
      c.timelines_sent);
  add(all, "tenure_node_timelines_sent_bytes_total", "Bytes of frames with them", c.timelines_sent_bytes);
  add(all, "tenure_node_timelines_received_total", "Tenancies that other nodes handed over",
      c.timelines_received);
  add(all, "tenure_node_timelines_refused_total", "Tenancies handed over that our time has no bound for",
      c.timelines_refused);
  add(all, "tenure_node_hand_overs_total", "Hand-overs of timelines that were completed", c.hand_overs);
  add(all, "tenure_node_hand_overs_abandoned_total", "Hand-overs whose other node went away",
      c.hand_overs_abandoned);
  ClientMetric took;
  took.counter.value = static_cast<double>(c.hand_over_nanos) / 1e9;
  add(all, "tenure_node_hand_over_seconds_total", "Time that completed hand-overs took", MetricType::Counter)
      .metric.push_back(std::move(took));
  add(all, "tenure_node_ring_movements_total", "Times that prefixes went another way", r.placements);
  auto& share =
      add(all, "tenure_node_ring_share", "Share of the prefixes that each node owns", MetricType::Gauge);
  for (const auto& n : r.nodes) add(share, n, n.share);
  auto& up =
      add(all, "tenure_node_peer_standing", "0: away, 1: up for a short time, 2: up", MetricType::Gauge);
  for (const auto& n : r.nodes) add(up, n, static_cast<double>(n.standing));
  return prometheus::TextSerializer{}.Serialize(all);
}

}  // namespace tenure::api
