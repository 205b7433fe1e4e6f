#include "cli/up.hpp"

#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "agent/file_watch.hpp"
#include "api/cluster_text.hpp"
#include "api/http_server.hpp"
#include "api/ledger_json.hpp"
#include "api/metrics.hpp"
#include "api/transport_metrics.hpp"
#include "cli/agent_service.hpp"
#include "cli/drain.hpp"
#include "cli/ending.hpp"
#include "cli/huge_memory.hpp"
#include "cli/least_privilege.hpp"
#include "cli/node_service.hpp"
#include "cli/openness.hpp"
#include "cli/small_memory.hpp"
#include "cli/tls_options.hpp"
#include "transport/chosen_transport.hpp"

namespace tenure::cli {
namespace {

/// What all three have besides the two halves.
struct process_options {
  std::string http = "127.0.0.1:4741";
  std::string log_level = "info";
  std::string json;    ///< only `up` has an option for it
  bool drain = false;  ///< only `node` has
};

void add_process_options(command& c, process_options& o) {
  c.option("http", o.http, "where /metrics and /healthz are served; empty: nowhere").shown_as("ADDR:PORT");
  c.option("log-level", o.log_level, "debug, info, warn, error or off").shown_as("LEVEL");
}

outcome<spdlog::level::level_enum> log_level_of(const std::string& text) {
  const auto level = spdlog::level::from_str(text);
  if (level == spdlog::level::off && text != "off")
    return fail(trouble::usage, "--log-level: expected debug, info, warn, error or off, not '" + text + "'");
  return level;
}

outcome<void> set_log_level(const std::string& text) {
  return log_level_of(text).map([](auto level) { spdlog::set_level(level); });
}

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What happened from begin to end, as --json writes it. The keys stay.
std::string summary_json(const actors::node_counters& node, const actors::agent_counters& agent,
                         const agent::source_counters& source) {
  nlohmann::ordered_json unattributed = nlohmann::ordered_json::object();
  for (std::size_t i = 1; i < node.flows_unattributed.size(); ++i)
    if (const std::uint64_t n = node.flows_unattributed[i]; n > 0)
      unattributed[std::string{to_string(static_cast<reason>(i))}] = n;
  return nlohmann::ordered_json{{"flows", node.flows_resolved()},
                                {"attributed", node.flows_attributed.load()},
                                {"unattributed", std::move(unattributed)},
                                {"not_resolved", node.flows_held()},
                                {"near_unproved", node.near_unproved.load()},
                                {"flows_observed", agent.flows_observed.load()},
                                {"flows_acknowledged", agent.flows_acknowledged.load()},
                                {"flows_dropped", agent.flows_dropped.load()},
                                {"kernel_events_lost", source.events_lost}}
             .dump(2) +
         "\n";
}

/// The halves that a process runs. They end in the order: the agent tells all it knows, the node stops
/// holding, the agent's flows are acknowledged, the node drains.
class halves {
 public:
  /// @param nodes how other nodes are reached; unused when this one is alone
  outcome<void> begin_node(const node_options& o, transport::asio_options net,
                           const cluster_options& cluster = {}, transport::asio_options nodes = {}) {
    // An agent that leaves so much unread is as good as gone.
    net.queue_bytes = 4U << 20;
    net.local_users = o.local_users;
    net.local_groups = o.local_groups;
    node_net_ = std::make_shared<transport::chosen_transport>(net);
    std::optional<cluster_part> several;
    if (cluster.several()) {
      // All that may be unsettled goes out at once over a new link.
      nodes.queue_bytes = std::size_t{1} << 30;
      nodes.silence_bound = std::chrono::seconds{5};
      peer_net_ = transport::make_asio_transport(nodes);
      several = cluster_part{cluster, peer_net_};
    }
    auto node = node_service::start(o, clock_, node_net_, several, [this] { end_.part_failed(); });
    if (!node) return tl::unexpected(node.error());
    node_ = std::move(*node);
    return {};
  }

  outcome<void> begin_agent(const agent_options& o, const transport::asio_options& net) {
    agent_net_ = std::make_shared<transport::chosen_transport>(net);
    auto agent = agent_service::start(o, clock_, agent_net_);
    if (!agent) return tl::unexpected(agent.error());
    agent_ = std::move(*agent);
    return {};
  }

  outcome<void> begin_http(const std::string& address) {
    if (address.empty()) return {};
    std::vector<api::http_page> pages{
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", [this] { return metrics(); }}};
    if (node_)
      pages.push_back(
          {"/v1/ledger", "application/json", [this] { return api::ledger_json(node_->ledger()); }});
    if (node_ && node_->cluster())
      pages.push_back({"/v1/cluster", "application/json",
                       [this] { return api::cluster_json(node_->counters(), *node_->cluster()); }});
    std::vector<api::http_action> actions;
    if (node_ && !agent_) {
      pages.push_back({drain_path, "text/plain", [this] { return drain_word(asked_to_end_); }});
      actions.push_back({drain_path, [this] {
                           asked_to_end_ = true;
                           end_.ask_to_end();
                         }});
    }
    auto server = api::serve(address, std::move(pages), std::move(actions));
    if (!server) return tl::unexpected(server.error());
    http_ = std::move(*server);
    return {};
  }

  const node_service& node() const { return *node_; }
  std::string http_address(const std::string& asked) const {
    if (!http_) return "nowhere";
    return fmt::format("{}:{}", asked.substr(0, asked.rfind(':')), http_->port());
  }

  /// From now on SIGHUP, and a change of the file that the options came from, has them read again.
  /// @param read gives them, or why they are refused: then the old ones stay
  outcome<void> follow_settings(const std::string& file,
                                std::function<outcome<std::pair<agent_options, process_options>>()> read) {
    if (file.empty()) return {};
    read_settings_ = std::move(read);
    // The watch speaks of the whole folder, in which something may be written all the time.
    auto watch = agent::watch_file(file, [this, file, last = content_of(file)]() mutable {
      auto now = content_of(file);
      if (now == last) return;
      last = std::move(now);
      end_.settings_changed();
    });
    if (!watch) return tl::unexpected(watch.error());
    settings_watch_ = std::move(*watch);
    return {};
  }

  /// Waits for the end, then drains. A failure when something was left behind.
  /// @param json where the summary goes; empty: nowhere. @pre both halves run, when it is not empty
  outcome<void> run(const std::string& json = {}) {
    const bool healthy = end_.wait(read_settings_ ? [this] { read_settings(); } : std::function<void()>{});
    settings_watch_.reset();
    spdlog::info("ending: resolving what is held");
    bool complete = healthy;
    // First the evidence up to now, so that what is resolved early is not resolved blindly.
    if (agent_) agent_->tell();
    if (node_ && healthy && !node_->leave()) complete = node_->drain() && complete;
    if (agent_) complete = agent_->drain() && complete;
    if (agent_ && node_ && healthy) complete = node_->drain() && complete;
    if (agent_) spdlog::info("agent: {}", summary(agent_->counters(), agent_->source()));
    if (node_) spdlog::info("node: {}", summary(node_->counters()));
    if (!json.empty()) {
      std::ofstream file(json, std::ios::trunc);
      file << summary_json(node_->counters(), agent_->counters(), agent_->source());
      if (!file.flush()) return fail(trouble::refused, "cannot write the summary to " + json);
    }
    if (!healthy) return fail(trouble::refused, "a part of this process could not go on; see the log above");
    // A lone agent may have to leave batches behind: the log line above counts them, and they are no failure
    // of the check kind.
    if (node_ && !complete)
      return fail(trouble::refused, "not everything that was held became durable in time; see the log above");
    return {};
  }

  /// Failures on the way up leave parts behind as well.
  ~halves() {
    http_.reset();
    if (agent_net_) agent_net_->stop();
    if (node_net_) node_net_->stop();
    if (peer_net_) peer_net_->stop();
    if (agent_) agent_->stop();
    if (node_) node_->stop();
  }

 private:
  void read_settings() {
    if (node_) node_->read_agent_settings();
    const auto done = read_settings_().and_then([this](const auto& read) -> outcome<void> {
      const auto level = log_level_of(read.second.log_level);
      if (!level) return tl::unexpected(level.error());
      const auto before = spdlog::get_level();
      spdlog::set_level(*level);  // before the agent, whose node may want another one
      if (agent_)
        if (auto taken = agent_->reconfigure(read.first); !taken) {
          spdlog::set_level(before);
          return taken;
        }
      return {};
    });
    if (done)
      spdlog::info("settings: read again");
    else
      spdlog::warn("settings: {}; the old ones stay", done.error().text);
  }

  std::string metrics() const {
    std::string text;
    if (node_) text += api::node_metrics(node_->counters(), node_->ledger(), node_->budget(), node_->seen());
    if (node_)
      if (const auto several = node_->cluster()) text += api::cluster_metrics(node_->counters(), *several);
    if (peer_net_) text += api::transport_metrics(peer_net_->counters(), "peers");
    if (agent_) text += api::agent_metrics(agent_->counters(), agent_->source());
    if (node_net_) text += api::transport_metrics(node_net_->counters(), "agents");
    if (node_net_) text += api::transport_metrics(node_net_->udp_counters(), "agents over UDP");
    // Of the one link within `up` there is nothing to say that its other end does not.
    if (agent_net_ && !node_net_) {
      text += api::transport_metrics(agent_net_->counters(), "nodes");
      text += api::transport_metrics(agent_net_->udp_counters(), "nodes over UDP");
    }
    return text;
  }

  ending end_;
  std::atomic<bool> asked_to_end_ = false;
  std::function<outcome<std::pair<agent_options, process_options>>()> read_settings_;
  std::unique_ptr<agent::file_watch> settings_watch_;
  std::shared_ptr<real_clocks> clock_ = std::make_shared<real_clocks>();
  std::shared_ptr<transport::chosen_transport> node_net_;
  std::shared_ptr<transport::chosen_transport> agent_net_;
  std::shared_ptr<transport::asio_transport> peer_net_;
  std::unique_ptr<node_service> node_;
  std::unique_ptr<agent_service> agent_;
  std::unique_ptr<api::http_server> http_;
};

struct options {
  process_options process;
  node_options node;
  cluster_options cluster;
  agent_options agent;
  tls_options tls;
};

/// Rules without certificates would refuse every claim.
outcome<void> check_allow(const node_options& o, bool tls) {
  if (o.allow.empty() || tls) return {};
  return fail(trouble::usage,
              "--allow goes by certificates; give --tls-certificate, --tls-key and --tls-authority too");
}

/// Has a command's options read again when they change.
outcome<void> follow(halves& h, command& c, const std::shared_ptr<options>& o, const options& defaults) {
  return h.follow_settings(c.file(),
                           [&c, o, defaults]() -> outcome<std::pair<agent_options, process_options>> {
                             const options before = *o;
                             *o = defaults;
                             auto read = c.read_again();
                             if (!read) {
                               *o = before;
                               return tl::unexpected(read.error());
                             }
                             return std::pair{o->agent, o->process};
                           });
}

outcome<void> run_up(command& c, const std::shared_ptr<options>& all, const options& defaults) {
  const auto& o = *all;
  if (auto level = set_log_level(o.process.log_level); !level) return level;
  auto tls = o.tls;
  auto credentials = load_credentials(tls);
  if (!credentials) return tl::unexpected(credentials.error());
  if (auto fine = check_allow(o.node, *credentials != nullptr); !fine) return fine;
  if (auto fine = check_openness(o.node, *credentials != nullptr); !fine) return fine;
  if (*credentials) {
    // One certificate is both halves'.
    const auto own = transport::spiffe_pattern::parse((*credentials)->identity());
    tls.agents.push_back(*own);
    tls.nodes = {*own};
  }
  halves h;
  if (auto begun = h.begin_node(o.node, secured(*credentials, tls.agents, "agent")); !begun) return begun;
  if (auto begun = h.begin_http(o.process.http); !begun) return begun;
  agent_options agent = o.agent;
  agent.nodes = {reached_at(o.node.listen, h.node().port())};
  if (auto begun = h.begin_agent(agent, secured(*credentials, tls.nodes, "node")); !begun) return begun;
  spdlog::info("up: agents {}, HTTP {}, platforms {}", agent.nodes[0], h.http_address(o.process.http),
               agent.ipman_socket);
  if (auto followed = follow(h, c, all, defaults); !followed) return followed;
  return h.run(o.process.json);
}

outcome<void> run_agent(command& c, const std::shared_ptr<options>& all, const options& defaults) {
  const auto& o = *all;
  if (auto kept = keep_agent_capabilities(); !kept) return kept;
  if (auto level = set_log_level(o.process.log_level); !level) return level;
  auto credentials = load_credentials(o.tls);
  if (!credentials) return tl::unexpected(credentials.error());
  if (auto fine = check_openness(o.agent.nodes, o.agent.udp_in_the_clear, *credentials != nullptr); !fine)
    return fine;
  halves h;
  if (auto begun = h.begin_http(o.process.http); !begun) return begun;
  if (auto begun = h.begin_agent(o.agent, secured(*credentials, o.tls.nodes, "node")); !begun) return begun;
  keep_memory_small();
  if (auto followed = follow(h, c, all, defaults); !followed) return followed;
  spdlog::info("agent: nodes {}, HTTP {}, platforms {}", fmt::join(o.agent.nodes, " "),
               h.http_address(o.process.http), o.agent.ipman_socket);
  return h.run();
}

outcome<void> run_node(command& c, const std::shared_ptr<options>& all, const options& defaults) {
  const auto& o = *all;
  if (o.process.drain) return drain_node(o.process.http);
  take_huge_pages();
  if (auto level = set_log_level(o.process.log_level); !level) return level;
  auto credentials = load_credentials(o.tls);
  if (!credentials) return tl::unexpected(credentials.error());
  if (auto fine = check_allow(o.node, *credentials != nullptr); !fine) return fine;
  if (auto fine = check_openness(o.node, *credentials != nullptr); !fine) return fine;
  halves h;
  if (auto good = check_cluster_options(o.cluster, *credentials != nullptr); !good) return good;
  if (auto begun = h.begin_node(o.node, secured(*credentials, o.tls.agents, "agent"), o.cluster,
                                secured(*credentials, o.tls.nodes, "node"));
      !begun)
    return begun;
  if (auto begun = h.begin_http(o.process.http); !begun) return begun;
  spdlog::info("node: agents {}, HTTP {}", reached_at(o.node.listen, h.node().port()),
               h.http_address(o.process.http));
  if (auto followed = follow(h, c, all, defaults); !followed) return followed;
  return h.run();
}

}  // namespace

void add_up(command_line& line) {
  auto o = std::make_shared<options>();
  auto& c = line.add("up", "run an agent and one node on this host");
  add_node_options(c, o->node);
  add_agent_options(c, o->agent);
  add_certificate_options(c, o->tls);
  add_agent_id_option(c, o->tls);
  add_process_options(c, o->process);
  c.option("json", o->process.json, "write a summary to this file at the end").shown_as("FILE");
  c.run([o, &c, defaults = *o](console&) { return run_up(c, o, defaults); });
}

void add_agent(command_line& line) {
  auto o = std::make_shared<options>();
  auto& c = line.add("agent", "report this host's flows and tenancies to a node");
  c.option("node", o->agent.nodes,
           "a node to connect to; also unix:PATH and udp:ADDR:PORT; repeatable. A name may stand for several "
           "addresses; each is tried")
      .must_be_given()
      .shown_as("ADDR:PORT");
  c.flag("udp-in-the-clear", o->agent.udp_in_the_clear,
         "speak to udp:ADDR:PORT beyond this host: neither encrypted nor authenticated");
  add_agent_options(c, o->agent);
  add_certificate_options(c, o->tls);
  add_node_id_option(c, o->tls);
  o->process.http = "127.0.0.1:4742";
  add_process_options(c, o->process);
  c.run([o, &c, defaults = *o](console&) { return run_agent(c, o, defaults); });
}

void add_node(command_line& line) {
  auto o = std::make_shared<options>();
  auto& c = line.add("node", "attribute the flows that agents report");
  add_node_options(c, o->node);
  add_cluster_options(c, o->cluster);
  add_certificate_options(c, o->tls);
  add_agent_id_option(c, o->tls);
  add_node_id_option(c, o->tls);
  add_process_options(c, o->process);
  c.flag("drain", o->process.drain,
         "start nothing: have the node that serves --http on this host hand over what it has and end, and "
         "wait for "
         "that");
  c.run([o, &c, defaults = *o](console&) { return run_node(c, o, defaults); });
}

}  // namespace tenure::cli
