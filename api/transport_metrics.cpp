#include "api/transport_metrics.hpp"

#include <utility>

#include "api/metric_families.hpp"

namespace tenure::api {
namespace {

using prometheus::MetricType;

// A metric of these links.
prometheus::ClientMetric of_links(const std::string& links, MetricType type, std::uint64_t value) {
  auto m = families::metric(type, value);
  m.label.push_back({"links", links});
  return m;
}

}  // namespace

std::string transport_metrics(const transport::transport_counters& c, const std::string& links) {
  families out;
  const auto add = [&](const char* name, const char* help, MetricType type, std::uint64_t value) {
    out.family(name, help, type).metric.push_back(of_links(links, type, value));
  };
  const auto counter = [&](const char* name, const char* help, std::uint64_t value) {
    add(name, help, MetricType::Counter, value);
  };
  add("tenure_transport_links_open", "Links there are now", MetricType::Gauge, c.open);
  counter("tenure_transport_links_accepted_total", "Connections accepted", c.accepted);
  counter("tenure_transport_links_dialed_total", "Links asked for", c.dialed);
  counter("tenure_transport_links_turned_away_total", "Connections closed at once, there were too many",
          c.turned_away);
  counter("tenure_transport_reads_total", "Reads from sockets that brought something", c.reads);
  counter("tenure_transport_received_bytes_total", "Bytes read from sockets", c.bytes_in);
  counter("tenure_transport_sent_bytes_total", "Bytes written to sockets", c.bytes_out);
  counter("tenure_transport_frames_unsent_total", "Frames whose link ended first", c.frames_unsent);
  counter("tenure_transport_datagrams_unreadable_total", "Datagrams that are none of ours",
          c.datagrams_unreadable);
  counter("tenure_transport_datagrams_unsent_total",
          "Datagrams that the system did not take; they are sent again", c.datagrams_unsent);
  auto& closed =
      out.family("tenure_transport_links_closed_total", "Links that ended, by reason", MetricType::Counter);
  for (std::size_t i = 0; i < transport::close_reason_count; ++i) {
    auto m = of_links(links, MetricType::Counter, c.closed[i]);
    m.label.push_back({"reason", transport::to_string(static_cast<transport::close_reason>(i))});
    closed.metric.push_back(std::move(m));
  }
  return out.text();
}

}  // namespace tenure::api
