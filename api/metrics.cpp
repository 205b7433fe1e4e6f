#include "api/metrics.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "api/metric_families.hpp"

namespace tenure::api {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

/// One metric for each agent.
class by_agent {
 public:
  by_agent(families& out, const actors::ledger_book::reading& read) : out_(out), read_(read) {}
  template <class Value>
  void add(const char* name, const char* help, MetricType type, Value value) {
    auto& f = out_.family(name, help, type);
    for (const auto& [agent, ledger] : read_.agents) {
      auto m = families::metric(type, value(ledger));
      m.label.push_back(ClientMetric::Label{"agent", agent});
      f.metric.push_back(std::move(m));
    }
  }

 private:
  families& out_;
  const actors::ledger_book::reading& read_;
};

// The ledger of each agent, and of all in the metrics without a label: of one reading, so that it balances.
void ledger(families& out, const actors::ledger_book::reading& read, std::uint64_t joined) {
  const auto& all = read.all;
  out.counter("tenure_node_flows_received_total", "Flows from agents and from other nodes, repeats included",
              all.received);
  out.counter("tenure_node_connections_joined_total",
              "Connections that share the record of another one, since their agent was short of room",
              joined);
  out.counter("tenure_node_flows_repeated_total", "Flows of batches that were taken before", all.repeated);
  out.counter("tenure_node_flows_attributed_total", "Durable flows whose far end is known", all.attributed());
  out.counter("tenure_node_flows_forwarded_total", "Flows that other nodes answered for", all.forwarded);
  out.counter("tenure_node_flows_dropped_total", "Flows that were given up; their agent sends them again",
              all.dropped);
  out.gauge("tenure_node_flows_held", "Flows between their arrival and their durability", all.held);
  using actors::flow_ledger;
  by_agent agents(out, read);
  constexpr auto counter = MetricType::Counter;
  agents.add("tenure_node_agent_flows_received_total", "Flows from this agent, repeats included", counter,
             [](const flow_ledger& l) { return l.received; });
  agents.add("tenure_node_agent_flows_repeated_total", "Its flows of batches that were taken before", counter,
             [](const flow_ledger& l) { return l.repeated; });
  agents.add("tenure_node_agent_flows_attributed_total", "Its durable flows whose far end is known", counter,
             [](const flow_ledger& l) { return l.attributed(); });
  agents.add("tenure_node_agent_flows_unattributed_total", "Its durable flows whose far end is not known",
             counter, [](const flow_ledger& l) { return l.unattributed(); });
  agents.add("tenure_node_agent_flows_forwarded_total", "Its flows that other nodes answered for", counter,
             [](const flow_ledger& l) { return l.forwarded; });
  agents.add("tenure_node_agent_flows_dropped_total", "Its flows that were given up; it sends them again",
             counter, [](const flow_ledger& l) { return l.dropped; });
  agents.add("tenure_node_agent_flows_held", "Its flows between their arrival and their durability",
             MetricType::Gauge, [](const flow_ledger& l) { return l.held; });
}

void unattributed(families& out, const actors::flow_ledger& all) {
  auto& f = out.family("tenure_node_flows_unattributed_total",
                       "Durable flows whose far end is not known, by reason", MetricType::Counter);
  for (std::size_t i = 1; i < all.answers.size(); ++i) {
    auto m = families::metric(MetricType::Counter, all.answers[i]);
    ClientMetric::Label label;
    label.name = "reason";
    label.value = to_string(static_cast<reason>(i));
    m.label.push_back(std::move(label));
    f.metric.push_back(std::move(m));
  }
}

/// Adds the next step of a histogram of times; the last one has no limit.
void add_step(ClientMetric::Histogram& h, std::uint64_t count, std::optional<nanos> limit) {
  h.sample_count += count;
  h.bucket.push_back({h.sample_count, limit ? static_cast<double>(*limit) / second
                                            : std::numeric_limits<double>::infinity()});
}

void close_to_output(families& out, const actors::output_delays& delays) {
  using actors::output_delays;
  ClientMetric m;
  for (std::size_t i = 0; i + 1 < output_delays::steps; ++i)
    add_step(m.histogram, delays.flows(i), output_delays::limit(i));
  add_step(m.histogram, delays.flows(output_delays::steps - 1), {});
  m.histogram.sample_sum = static_cast<double>(delays.sum()) / second;
  out.family("tenure_node_close_to_output_seconds",
             "Flows by the time from their close to when they were answered for good and given to the "
             "output, both in this node's time; only where their agent's clock was known",
             MetricType::Histogram)
      .metric.push_back(std::move(m));
}

void output_syncs(families& out, const actors::sync_times& times) {
  using actors::sync_times;
  ClientMetric m;
  for (std::size_t i = 0; i < sync_times::limits.size(); ++i)
    add_step(m.histogram, times.syncs(i), sync_times::limits[i]);
  add_step(m.histogram, times.syncs(sync_times::steps - 1), {});
  m.histogram.sample_sum = static_cast<double>(times.sum()) / second;
  out.family("tenure_node_sink_sync_seconds",
             "Syncs of the output by what they took, with what had to be written first",
             MetricType::Histogram)
      .metric.push_back(std::move(m));
}

}  // namespace

std::string node_metrics(const actors::node_counters& c, const actors::ledger_book::reading& read,
                         const actors::shared_budget& held, const actors::shared_budget& seen) {
  families out;
  out.counter("tenure_node_sessions_opened_total", "Connections that agents made", c.sessions_opened);
  out.counter("tenure_node_sessions_closed_total", "Connections that ended", c.sessions_closed);
  out.counter("tenure_node_sessions_refused_total", "Agents that were sent away", c.sessions_refused);
  out.counter("tenure_node_frames_refused_total",
              "Frames too long, cut off, no valid message, or out of order", c.frames_refused);
  out.counter("tenure_node_batches_received_total", "Batches", c.batches_received);
  out.counter("tenure_node_batches_repeated_total", "Batches that were taken before", c.batches_repeated);
  out.counter("tenure_node_batches_refused_total", "Batches that broke the protocol", c.batches_refused);
  out.counter("tenure_node_batch_gaps_total",
              "Gaps in the numbers of an agent's batches: it gave them up, or another node had them",
              c.batch_gaps);
  out.counter("tenure_node_sessions_flooding_total",
              "Connections cut off for sending far beyond their credit", c.sessions_flooding);
  out.counter("tenure_node_batches_acknowledged_total", "Batches of which every flow is durable",
              c.batches_acknowledged);
  out.counter("tenure_node_batches_abandoned_total",
              "Batches whose session ended before they were placed in time", c.batches_abandoned);
  out.counter("tenure_node_brackets_total", "Clock brackets", c.brackets);
  out.counter("tenure_node_brackets_refused_total",
              "Clock brackets that prove nothing: of pongs, or shown by an agent", c.brackets_refused);
  out.counter("tenure_node_evidence_received_total", "Evidence", c.evidence_received);
  out.gauge("tenure_node_evidence_waiting", "Evidence on its way to where it is merged", c.evidence_waiting);
  out.counter("tenure_node_evidence_merged_total", "Evidence that changed a timeline", c.evidence_merged);
  out.counter("tenure_node_evidence_refused_total",
              "Evidence outside the routable CIDRs, or without a workload or clock", c.evidence_refused);
  out.counter("tenure_node_evidence_too_old_total", "Evidence that ended before what was forgotten",
              c.evidence_too_old);
  out.counter("tenure_node_evidence_no_room_total",
              "Evidence of new tenancies that memory for timelines had no room for", c.evidence_no_room);
  out.counter("tenure_node_tenancies_forgotten_total", "Tenancies that ended before the horizon",
              c.tenancies_forgotten);
  out.gauge("tenure_node_addresses", "Addresses with a timeline", c.addresses);
  out.gauge("tenure_node_tenancies", "Tenancies in timelines", c.tenancies);
  out.gauge("tenure_node_timelines_bytes", "Memory that timelines take", c.timeline_bytes);
  ledger(out, read, c.connections_joined);
  unattributed(out, read.all);
  out.gauge("tenure_node_hold_flows", "Flows that wait in the hold", c.hold_flows);
  out.gauge("tenure_node_hold_bytes", "Memory that they take there", c.hold_bytes);
  out.gauge("tenure_node_held_bytes",
            "Memory promised to agents, or taken by their flows and by evidence on its way",
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, held.used())));
  out.gauge("tenure_node_held_limit_bytes", "Memory for held flows", held.bytes());
  out.gauge("tenure_node_seen_bytes",
            "Memory for what was seen of agents' batches, so that repeats are known",
            static_cast<std::uint64_t>(std::max<std::int64_t>(0, seen.used())));
  out.gauge("tenure_node_seen_limit_bytes", "As much as it may be, beyond a little for each agent",
            seen.bytes());
  out.counter("tenure_node_batch_runs_forgotten_total",
              "Runs of numbers of batches, or of lots of other nodes, that there was no room to remember: "
              "repeats count as new",
              c.batch_runs_forgotten);
  out.counter("tenure_node_agents_forgotten_total",
              "Agents that were forgotten before their ten minutes, since too many were away: repeats of "
              "theirs count as new",
              c.agents_forgotten);
  out.counter("tenure_node_flows_near_unproved_total", "Flows without a near tenancy", c.near_unproved);
  out.counter("tenure_node_workloads_refused_total", "Names that the table of workloads had no room for",
              c.workloads_refused);
  out.counter("tenure_node_workloads_over_share_total",
              "New names beyond what one agent may bring (--agent-workloads)", c.workloads_over_share);
  out.counter("tenure_node_tenancies_over_share_total",
              "Evidence of more tenancies than one agent may report (--agent-tenancies)",
              c.tenancies_over_share);
  out.counter("tenure_node_claims_refused_total",
              "Evidence and near ends that the agent's certificate may not claim (--allow)",
              c.claims_refused);
  out.gauge("tenure_node_agents", "Agents whose batches come here", c.agents_here);
  out.counter("tenure_node_takeovers_refused_total",
              "Connections that said an incarnation of another certificate's", c.takeovers_refused);
  out.counter("tenure_node_flows_asked_total",
              "Questions about far ends; of one flow several with early release", c.flows_asked);
  out.gauge("tenure_node_flows_released", "Flows on their way from the hold to the output", c.flows_released);
  out.gauge("tenure_node_sink_full", "1 while the output has no room, as on a full disk", c.sink_full);
  out.gauge("tenure_node_sink_unwritten_bytes",
            "Bytes that the output had not written yet after its last lot or sync", c.sink_unwritten);
  out.counter("tenure_node_sink_fillings_total", "Times that the output had no room", c.sink_fillings);
  out.counter("tenure_node_sink_failures_total", "Failures of the sink, each of them final", c.sink_failures);
  output_syncs(out, c.output_syncs);
  auto& stages = out.family("tenure_node_stage_cpu_seconds_total",
                            "CPU time of the actors and the output by stage, reckoned from every 32nd "
                            "message, without what measuring takes",
                            MetricType::Counter);
  for (std::size_t i = 0; i < actors::stage_count; ++i) {
    ClientMetric m;
    m.counter.value = static_cast<double>(c.stages.nanoseconds(static_cast<actors::stage>(i))) / second;
    m.label.push_back(ClientMetric::Label{"stage", actors::stage_names[i]});
    stages.metric.push_back(std::move(m));
  }
  close_to_output(out, c.close_to_output);
  return out.text();
}

std::string agent_metrics(const actors::agent_counters& c, const agent::source_counters& source) {
  families out;
  out.counter("tenure_agent_events_total", "Connections that ended, as the kernel reported them",
              source.events);
  out.counter("tenure_agent_events_taken_over_total",
              "Of these, what the programs of a killed agent saw until this one began", source.taken_over);
  out.counter("tenure_agent_events_seen_twice_total",
              "Of these, the second one of an end that the programs of a killed agent saw, too",
              source.seen_twice);
  out.counter("tenure_agent_events_lost_total", "Events that the ring buffer had no room for",
              source.events_lost);
  out.counter("tenure_agent_runs_missed_total",
              "Changes of a socket's state at which the kernel left our program out", source.runs_missed);
  out.counter("tenure_agent_sockets_untracked_total", "Sockets that the kernel had no memory to follow",
              source.sockets_untracked);
  out.counter("tenure_agent_sockets_crowded_out_total",
              "Short-lived sockets beyond those that the kernel programs have cheap room for",
              source.sockets_crowded_out);
  out.counter("tenure_agent_tenancies_refused_total", "Tenancies that the kernel's map had no room for",
              c.tenancies_refused);
  out.counter("tenure_agent_dials_failed_total", "Attempts at a node that ended without a welcome",
              c.dials_failed);
  out.counter("tenure_agent_loopback_left_out_total", "Connections within one network namespace",
              source.loopback_left_out);
  out.counter("tenure_agent_datagrams_left_out_total", "UDP datagrams within one network namespace",
              source.datagrams_left_out);
  out.counter("tenure_agent_datagrams_untracked_total",
              "UDP datagrams for whose flow there was no room, or that could not be read",
              source.datagrams_untracked);
  out.counter(
      "tenure_agent_looks_failed_total",
      "Looks at this host (its addresses, who uses them, what it forwards) that failed, so that nothing was "
      "proved",
      source.looks_failed);
  out.counter("tenure_agent_assignments_unkept_total",
              "Changes of assignments that could not be written: the next agent would begin with none",
              source.assignments_unkept);
  out.counter("tenure_agent_flows_translated_total",
              "Flows of which connection tracking told another endpoint (--dialled)", source.translated);
  out.counter("tenure_agent_flows_translated_late_total",
              "Flows that came too late to ask connection tracking about (--dialled)",
              source.translated_late);
  out.counter("tenure_agent_flows_observed_total", "Connections that ended, and parts of long ones",
              c.flows_observed);
  out.counter("tenure_agent_flows_joined_total",
              "Connections that share the record of another one, since the agent was short of room",
              c.flows_joined);
  out.counter("tenure_agent_flows_left_out_total", "Flows that `leave-out` or `sample` left out",
              c.flows_left_out);
  out.counter("tenure_agent_bytes_saved_total",
              "Bytes of batches that were not sent, since they were compressed", c.bytes_saved);
  out.gauge("tenure_agent_settings_version", "Version of the settings that a node gave; 0: none",
            c.settings_version);
  out.counter("tenure_agent_settings_refused_total", "Settings of a node that could not be used",
              c.settings_refused);
  out.gauge("tenure_agent_flows_waiting", "Flows that the kernel told of and that were not looked at yet",
            c.flows_waiting);
  out.counter("tenure_agent_flows_overrun_total", "Flows that were not taken, since too many waited",
              c.flows_overrun);
  out.counter("tenure_agent_flows_near_by_cgroup_total",
              "Flows whose near end is named by the socket's cgroup, without a tenancy",
              c.flows_near_by_cgroup);
  out.counter("tenure_agent_flows_near_unproved_total", "Flows whose near end nobody is proved to be",
              c.flows_near_unproved);
  out.counter("tenure_agent_flows_acknowledged_total", "Flows that a node made durable",
              c.flows_acknowledged);
  out.gauge("tenure_agent_flows_retained", "Flows that are sealed and not acknowledged", c.flows_retained);
  out.counter("tenure_agent_flows_dropped_total", "Flows beyond the bound on retention", c.flows_dropped);
  out.counter("tenure_agent_batches_sealed_total", "Batches", c.batches_sealed);
  out.counter("tenure_agent_batches_acknowledged_total", "Batches that a node made durable",
              c.batches_acknowledged);
  out.gauge("tenure_agent_batches_retained", "Batches that are not acknowledged", c.batches_retained);
  out.counter("tenure_agent_batches_dropped_total", "Batches beyond the bound on retention",
              c.batches_dropped);
  out.gauge("tenure_agent_retained_bytes", "Bytes of batches that are not acknowledged", c.bytes_retained);
  out.gauge("tenure_agent_spooled_bytes", "Bytes of batches in the spool", c.bytes_spooled);
  out.counter("tenure_agent_spool_failures_total", "Batches that could not be written to the spool",
              c.spool_failures);
  out.gauge("tenure_agent_tenancies_live", "Tenancies that this host holds", c.tenancies_live);
  out.counter("tenure_agent_connects_total", "Times a node welcomed this agent", c.connects);
  out.counter("tenure_agent_takeovers_total", "Times the spare link took the place of one that was lost",
              c.takeovers);
  out.counter("tenure_agent_moves_total", "Times this agent went to a node that had clearly fewer agents",
              c.moves);
  out.counter("tenure_agent_disconnects_total", "Times the link to a node was lost", c.disconnects);
  out.counter("tenure_agent_frames_refused_total", "Frames from a node that were no valid message",
              c.frames_refused);
  out.counter("tenure_agent_ipman_requests_total", "Requests over the ipman socket", c.ipman_requests);
  return out.text();
}

}  // namespace tenure::api
