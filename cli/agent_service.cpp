#include "cli/agent_service.hpp"

#include <algorithm>
#include <sys/random.h>
#include <unistd.h>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/exporter.hpp"
#include "agent/bpf_flow_source.hpp"
#include "agent/host_addresses.hpp"
#include "agent/identity_file.hpp"
#include "agent/identity_maps.hpp"
#include "agent/ipman.hpp"
#include "agent/ipman_answer.hpp"

namespace tenure::cli {
namespace {

constexpr auto answer_limit = std::chrono::seconds{10};

struct agent_config : caf::actor_system_config {
  agent_config() {
    add_message_types<caf::id_block::tenure>();
    // Sharing idles at next to nothing, which an agent mostly does.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};

outcome<std::uint64_t> draw_incarnation() {
  std::uint64_t value = 0;
  while (value == 0)
    if (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value))
      return fail(trouble::refused, "the system gives no random number for this agent's incarnation");
  return value;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "agent";
}

class running_agent final : public agent_service {
 public:
  running_agent() : system_(config_) {}
  ~running_agent() override { stop(); }

  outcome<void> begin(const agent_options& o, std::shared_ptr<real_clocks> clock,
                      std::shared_ptr<transport::transport> net) {
    if (!wire::valid_text(o.agent_name))
      return fail(trouble::usage,
                  "--agent-name: expected at most 256 bytes of UTF-8 without control characters");
    stop_timeout_ = o.stop_timeout;
    const auto incarnation = draw_incarnation();
    if (!incarnation) return tl::unexpected(incarnation.error());
    auto maps = agent::make_identity_maps(o.pin, *incarnation);
    if (!maps) return tl::unexpected(maps.error());
    agent::bpf_options kernel;
    kernel.pin = o.pin;
    kernel.transit_floor = o.transit.count();
    kernel.active_timeout = o.active_timeout.count();
    auto source = agent::make_bpf_flow_source(kernel);
    if (!source) return tl::unexpected(source.error());
    source_ = std::move(*source);

    actors::exporter_settings settings;
    settings.name = o.agent_name.empty() ? host_name() : o.agent_name;
    settings.incarnation = *incarnation;
    settings.nodes = o.nodes;
    settings.heartbeat = o.heartbeat.count();
    settings.linger = o.linger.count();
    settings.repeat = o.repeat.count();
    actors::exporter_world world{std::move(clock), std::shared_ptr{std::move(*maps)},
                                 std::shared_ptr{agent::make_address_check()}, std::move(net)};
    auto addresses = world.addresses;
    exporter_ = system_.spawn(actors::exporter, std::move(settings), std::move(world), counters_);
    if (auto listened = listen_to_platforms(o.ipman_socket); !listened) return listened;
    if (auto named = name_host(o.identity); !named) return named;
    return follow_kernel(o.netns, *addresses);
  }

  const actors::agent_counters& counters() const override { return *counters_; }
  agent::source_counters source() const override { return source_->counters(); }

  bool tell() override {
    ipman_.reset();
    source_->stop();
    return ask_bounded(actors::told_atom_v);
  }

  bool drain() override { return ask_bounded(actors::drain_atom_v); }

  void stop() override {
    watch_.reset();
    ipman_.reset();
    if (source_) source_->stop();
    if (exporter_) caf::anon_send_exit(exporter_, caf::exit_reason::user_shutdown);
    exporter_ = nullptr;
  }

 private:
  template <class Atom>
  bool ask_bounded(Atom what) {
    caf::scoped_actor asker{system_};
    bool done = false;
    asker->request(exporter_, stop_timeout_, what).receive([&](bool ok) { done = ok; }, [](caf::error&) {});
    return done;
  }

  /// Asks the exporter; @returns its reply line, or a refusal when it takes too long.
  std::string ask(const agent::ipman_request& request) {
    caf::scoped_actor asker{system_};
    std::string reply;
    asker
        ->request(exporter_, answer_limit, actors::ipman_atom_v,
                  std::make_shared<const agent::ipman_request>(request))
        .receive([&](std::string& line) { reply = std::move(line); },
                 [&](caf::error&) {
                   reply = agent::ipman_refusal({trouble::refused, "the agent did not answer within 10 s"});
                 });
    return reply;
  }

  outcome<void> listen_to_platforms(const std::string& path) {
    if (path.empty()) return {};
    auto server = agent::ipman_server::start(path, [this](const agent::ipman_request& r) { return ask(r); });
    if (!server) return tl::unexpected(server.error());
    ipman_ = std::move(*server);
    return {};
  }

  outcome<void> name_host(const std::string& file) {
    if (file.empty()) return {};
    const auto identity = agent::load_identity_file(file);
    if (!identity) return tl::unexpected(identity.error());
    for (const auto& a : identity->addresses) {
      agent::ipman_request r;
      r.verb = agent::ipman_request::action::set;
      r.endpoint = a.to_string();
      r.workload = identity->workload.name;
      r.labels = identity->workload.labels;
      r.netns = agent::own_netns;
      spdlog::info("agent: host identity: {}", ask(r));
    }
    auto watch = agent::watch_host_addresses([exporter = exporter_](std::uint64_t cookie, address a) {
      caf::anon_send(exporter, actors::withdrawn_atom_v, cookie, a.high(), a.low());
    });
    if (!watch) return tl::unexpected(watch.error());
    watch_ = std::move(*watch);
    return {};
  }

  outcome<void> follow_kernel(const std::vector<std::string>& netns, agent::address_check& addresses) {
    std::vector<std::uint64_t> cookies;
    for (const auto& path : netns) {
      const auto ns = addresses.open(path);
      if (!ns) return tl::unexpected(ns.error());
      cookies.push_back(ns->cookie);
    }
    return source_->start([exporter = exporter_, cookies](std::vector<agent::observed_flow> flows) {
      if (!cookies.empty())
        std::erase_if(flows, [&](const agent::observed_flow& f) {
          return std::find(cookies.begin(), cookies.end(), f.netns_cookie) == cookies.end();
        });
      if (flows.empty()) return;
      caf::anon_send(exporter, actors::observed_atom_v,
                     std::make_shared<const std::vector<agent::observed_flow>>(std::move(flows)));
    });
  }

  agent_config config_;
  caf::actor_system system_;
  std::shared_ptr<actors::agent_counters> counters_ = std::make_shared<actors::agent_counters>();
  std::chrono::nanoseconds stop_timeout_{0};
  actors::exporter_actor exporter_;
  std::unique_ptr<agent::flow_source> source_;
  std::unique_ptr<agent::ipman_server> ipman_;
  std::unique_ptr<agent::address_watch> watch_;
};

}  // namespace

void add_agent_options(command& c, agent_options& o) {
  c.option("ipman-socket", o.ipman_socket, "where platforms assign addresses to workloads").shown_as("PATH");
  c.option("pin", o.pin, "where the identity maps are pinned, on a bpf file system").shown_as("PATH");
  c.option("identity", o.identity, "who this host is (TOML: workload, addresses, labels)").shown_as("FILE");
  c.option("netns", o.netns, "report only sockets of this network namespace; repeatable").shown_as("PATH");
  c.option("agent-name", o.agent_name, "written into every record; the host's name when not given");
  c.option("heartbeat", o.heartbeat, "how often every tenancy is verified and reported");
  c.option("linger", o.linger, "how long flows gather before they are sent");
  c.option("repeat", o.repeat,
           "for how long an ended tenancy is still reported: the longest hold and five minutes");
  c.option("transit", o.transit,
           "a segment that TCP accepted was sent at most this long before (or four round trips)");
  c.option(
      "active-timeout", o.active_timeout,
      "a connection open for so long is reported in parts, one for each such time; 0s: only when it ends");
  c.option("stop-timeout", o.stop_timeout, "how long the end waits for acknowledgements");
}

outcome<std::unique_ptr<agent_service>> agent_service::start(const agent_options& o,
                                                             std::shared_ptr<real_clocks> clock,
                                                             std::shared_ptr<transport::transport> net) {
  auto service = std::make_unique<running_agent>();
  if (auto begun = service->begin(o, std::move(clock), std::move(net)); !begun)
    return tl::unexpected(begun.error());
  return service;
}

std::string summary(const actors::agent_counters& c, const agent::source_counters& source) {
  return fmt::format(
      "{} flows observed, {} acknowledged, {} retained, {} dropped, {} kernel events lost, {} runs missed, "
      "{} left out as within one namespace",
      c.flows_observed.load(), c.flows_acknowledged.load(), c.flows_retained.load(), c.flows_dropped.load(),
      source.events_lost, source.runs_missed, source.loopback_left_out);
}

}  // namespace tenure::cli
