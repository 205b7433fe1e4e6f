#include "api/transport_metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace tenure::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

ClientMetric::Label label(const char* name, const std::string& value) {
  ClientMetric::Label l;
  l.name = name;
  l.value = value;
  return l;
}

}  // namespace

std::string transport_metrics(const transport::transport_counters& c, const std::string& links) {
  std::vector<MetricFamily> all;
  const auto family = [&](const char* name, const char* help, MetricType type) -> MetricFamily& {
    MetricFamily f;
    f.name = name;
    f.help = help;
    f.type = type;
    all.push_back(std::move(f));
    return all.back();
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    ClientMetric m;
    m.counter.value = static_cast<double>(value);
    m.label.push_back(label("links", links));
    family(name, help, MetricType::Counter).metric.push_back(std::move(m));
  };
  ClientMetric open;
  open.gauge.value = static_cast<double>(c.open);
  open.label.push_back(label("links", links));
  family("tenure_transport_links_open", "Links there are now", MetricType::Gauge)
      .metric.push_back(std::move(open));
  counter("tenure_transport_links_accepted_total", "Connections accepted", c.accepted);
  counter("tenure_transport_links_dialed_total", "Links asked for", c.dialed);
  counter("tenure_transport_links_turned_away_total", "Connections closed at once, there were too many",
          c.turned_away);
  counter("tenure_transport_received_bytes_total", "Bytes read from sockets", c.bytes_in);
  counter("tenure_transport_sent_bytes_total", "Bytes written to sockets", c.bytes_out);
  counter("tenure_transport_frames_unsent_total", "Frames whose link ended first", c.frames_unsent);
  auto& closed =
      family("tenure_transport_links_closed_total", "Links that ended, by reason", MetricType::Counter);
  for (std::size_t i = 0; i < transport::close_reason_count; ++i) {
    ClientMetric m;
    m.counter.value = static_cast<double>(c.closed[i]);
    m.label.push_back(label("links", links));
    m.label.push_back(label("reason", transport::to_string(static_cast<transport::close_reason>(i))));
    closed.metric.push_back(std::move(m));
  }
  return prometheus::TextSerializer{}.Serialize(all);
}

}  // namespace tenure::api
