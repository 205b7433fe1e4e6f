#include "cli/agent_service.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <unistd.h>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/exporter.hpp"
#include "agent/bpf_flow_source.hpp"
#include "agent/conntrack.hpp"
#include "agent/file_watch.hpp"
#include "agent/forwarding_watch.hpp"
#include "agent/host_addresses.hpp"
#include "agent/host_naming.hpp"
#include "agent/host_usage.hpp"
#include "agent/identity_file.hpp"
#include "agent/identity_maps.hpp"
#include "agent/ipman_answer.hpp"
#include "agent/platform_socket.hpp"
#include "agent/replayed_flow_source.hpp"
#include "agent/spool_folder.hpp"
#include "cli/incarnation.hpp"
#include "cli/live_settings.hpp"
#include "transport/udp_transport.hpp"

namespace tenure::cli {
namespace {

constexpr auto answer_limit = std::chrono::seconds{10};

// Between the kernel's ring and the exporter a flow takes some 250 bytes.
constexpr std::size_t shed_at_waiting = 16'384;
constexpr std::size_t most_waiting = 65'536;
constexpr std::size_t shed_at_percent = 50;

struct agent_config : caf::actor_system_config {
  agent_config() {
    add_message_types<caf::id_block::tenure>();
    // Sharing idles at next to nothing, which an agent mostly does.
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};

/// Within a host bytes cost nothing, and compressing them does.
bool leaves_this_host(const std::string& node) {
  if (const auto udp = transport::udp_address(node)) return leaves_this_host(*udp);
  return !node.starts_with("127.") && !node.starts_with("localhost:") && !node.starts_with("[::1]:") &&
         !transport::unix_path(node);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "agent";
}

/// Another one after each start of this host.
std::string host_start() {
  std::string boot;
  std::ifstream boot_id("/proc/sys/kernel/random/boot_id");
  std::getline(boot_id, boot);
  return boot;
}

std::shared_ptr<agent::look_failures> count_and_say() {
  return std::make_shared<agent::look_failures>([](const std::string& why) {
    spdlog::warn("agent: a look at this host failed, so nothing is proved until one works: {}", why);
  });
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
    if (auto taken = settings_.own(o); !taken) return taken;
    stop_timeout_ = o.stop_timeout;
    clock_ = clock;
    const auto incarnation = draw_incarnation();
    if (!incarnation) return tl::unexpected(incarnation.error());
    if (auto prepared = prepare_naming(o, *clock); !prepared) return prepared;
    auto watched = o.replay.empty() ? open_kernel(o, *incarnation) : open_recording(o, *clock);
    if (!watched) return watched;

    actors::exporter_settings settings;
    settings.name = o.agent_name.empty() ? host_name() : o.agent_name;
    settings.incarnation = *incarnation;
    settings.nodes = o.nodes;
    settings.spare = true;
    settings.heartbeat = o.heartbeat.count();
    settings.linger = o.linger.count();
    settings.repeat = o.repeat.count();
    settings.compress = std::ranges::any_of(o.nodes, leaves_this_host);
    settings.shed_at_percent = shed_at_percent;
    settings.shed_at_waiting = shed_at_waiting;
    actors::exporter_world world{std::move(clock), identities_,
                                 std::shared_ptr{agent::make_address_check(address_failures_)},
                                 std::move(net)};
    world.usages = usage_;
    if (o.cgroups) world.cgroups = usage_;
    world.pace = settings_.pace();
    world.take_settings = [this](const std::string& toml) { return settings_.push(toml); };
    if (auto opened = take_over(o, settings, world); !opened) return opened;
    exporter_ = system_.spawn(actors::exporter, std::move(settings), std::move(world), counters_);
    if (auto listened = listen_to_platforms(o.ipman_socket); !listened) return listened;
    if (usage_) caf::anon_send(exporter_, actors::look_atom_v, true);
    if (auto named = name_host(o.identity); !named) return named;
    return follow_kernel();
  }

  outcome<void> reconfigure(const agent_options& o) override { return settings_.own(o); }

  const actors::agent_counters& counters() const override { return *counters_; }
  agent::source_counters source() const override {
    auto c = source_->counters();
    if (conntrack_) {
      c.translated = conntrack_->counters().translated;
      c.translated_late = conntrack_->counters().too_late;
    }
    c.assignments_unkept = assignments_unkept_;
    c.looks_failed = usage_failures_->count() + address_failures_->count();
    return c;
  }

  bool tell() override {
    ipman_.reset();
    source_->stop();
    return ask_bounded(actors::told_atom_v);
  }

  bool drain() override { return ask_bounded(actors::drain_atom_v); }

  void stop() override {
    identity_watch_.reset();
    watch_.reset();
    ipman_.reset();
    if (source_) source_->stop();
    if (exporter_) caf::anon_send_exit(exporter_, caf::exit_reason::user_shutdown);
    exporter_ = nullptr;
    for (const auto& heir : heirs_) caf::anon_send_exit(heir, caf::exit_reason::user_shutdown);
    heirs_.clear();
  }

 private:
  outcome<void> open_kernel(const agent_options& o, std::uint64_t incarnation) {
    auto maps = agent::make_identity_maps(o.pin, incarnation, &held_before_);
    if (!maps) return tl::unexpected(maps.error());
    identities_ = std::move(*maps);
    auto kernel = kernel_options(o);
    if (o.dialled) conntrack_ = std::make_shared<agent::conntrack>(clock_, usage_failures_);
    // The source starts after the exporter, and stops before it.
    if (usage_) kernel.host_changed = [this] { caf::anon_send(exporter_, actors::look_atom_v, false); };
    auto source = agent::make_bpf_flow_source(kernel);
    if (!source) return tl::unexpected(source.error());
    source_ = std::move(*source);
    return {};
  }

  /// Without the kernel nothing stamps sockets, so nobody has to be told who holds what.
  outcome<void> open_recording(const agent_options& o, const real_clocks& clock) {
    struct nobody final : agent::identity_map {
      outcome<void> put(const agent::identity_key&, tenancy_id) override { return {}; }
      outcome<void> erase(const agent::identity_key&) override { return {}; }
    };
    identities_ = std::make_shared<nobody>();
    auto source = agent::make_replayed_flow_source(o.replay, o.transit.count(), clock);
    if (!source) return tl::unexpected(source.error());
    source_ = std::move(*source);
    return {};
  }

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
    auto server = agent::platform_socket::start(
        path, host_start(), held_before_, [this](const agent::ipman_request& r) { return ask(r); },
        [this](const failure& why) {
          ++assignments_unkept_;
          spdlog::warn("agent: {}; it holds until this agent ends", why.text);
        });
    if (!server) return tl::unexpected(server.error());
    ipman_ = std::move(*server);
    if (ipman_->said_before() > 0)
      spdlog::info("agent: {} of {} assignments from before begin anew", ipman_->said_again(),
                   ipman_->said_before());
    return {};
  }

  /// Reads the host's identity, and prepares to look at who uses its endpoints where it may not claim them
  /// all for itself.
  outcome<void> prepare_naming(const agent_options& o, const real_clocks& clock) {
    if (o.identity.empty() && !o.cgroups) return {};
    agent::host_usage::options usage;
    usage.settings.unique = o.container_cidrs;
    usage.settings.ports = cgroups_ = o.cgroups;
    if (!o.identity.empty()) {
      auto identity = agent::load_identity_file(o.identity);
      if (!identity) return tl::unexpected(identity.error());
      usage.settings.host = identity->workload;
      forwards_ = agent::dump_forwarding().value_or(true);
      if (forwards_) usage.settings.ports = true;
      if (identity->addresses.empty() && usage.settings.ports)
        spdlog::info("agent: others may use this host's addresses: it claims the ports that are listened on");
      naming_ = std::make_unique<agent::host_naming>(
          std::move(*identity), !usage.settings.ports,
          [this](address a, const wire::workload& w, bool listed) { claim_for_host(a, w, listed); });
    }
    if (o.cgroups) {
      auto rules = agent::cgroup_rules::make(o.cgroup_rules);
      if (!rules) return tl::unexpected(rules.error());
      auto mount = agent::find_cgroup_mount();
      if (!mount) return tl::unexpected(mount.error());
      usage.rules = std::move(*rules);
      usage.cgroup_mount = std::move(*mount);
    }
    auto sockets =
        o.container_runtimes.empty() ? agent::container_names::usual_sockets() : o.container_runtimes;
    usage_ = std::make_shared<agent::host_usage>(
        std::move(usage),
        std::make_unique<agent::container_names>(clock, agent::container_names::usual_bundle_folders(),
                                                 std::move(sockets)),
        usage_failures_);
    return {};
  }

  outcome<void> name_host(const std::string& file) {
    if (file.empty()) return {};
    auto addresses = agent::watch_host_addresses(
        [this](std::uint64_t cookie, address a) {
          const std::scoped_lock lock(naming_mutex_);
          naming_->gone(a);
          caf::anon_send(exporter_, actors::withdrawn_atom_v, cookie, a.high(), a.low());
        },
        [this](address a) {
          const std::scoped_lock lock(naming_mutex_);
          naming_->came(a);
        },
        [this](bool on) { forwarding_changed(on); });
    if (!addresses) return tl::unexpected(addresses.error());
    watch_ = std::move(*addresses);
    auto changes = agent::watch_file(file, [this, file] { read_identity_again(file); });
    if (!changes) return tl::unexpected(changes.error());
    identity_watch_ = std::move(*changes);
    return {};
  }

  /// The tracker ends by itself what may not be claimed any more; this only makes it look at once.
  void forwarding_changed(bool on) {
    const std::scoped_lock lock(naming_mutex_);
    if (cgroups_ || std::exchange(forwards_, on) == on) return;
    spdlog::info(on ? "agent: this host forwards packets now: it claims the ports that are listened on"
                    : "agent: this host forwards no packets any more: it claims its addresses whole");
    usage_->claim_ports(on);
    naming_->exclusive(!on);
    caf::anon_send(exporter_, actors::look_atom_v, true);
  }

  void claim_for_host(address a, const wire::workload& w, bool listed) {
    agent::ipman_request r;
    r.verb = agent::ipman_request::action::set;
    r.endpoint = a.to_string();
    r.workload = w.name;
    r.labels = w.labels;
    r.netns = agent::own_netns;
    r.unless_forwarding = !listed;
    spdlog::info("agent: host identity: {}", ask(r));
  }

  void read_identity_again(const std::string& file) {
    const auto who = agent::load_identity_file(file);
    if (!who) spdlog::warn("agent: {}; the identity before stays", who.error().text);
    const std::scoped_lock lock(naming_mutex_);
    naming_->renewed(who);
    if (usage_) usage_->name_host(naming_->who().workload);
  }

  /// Delivers what agents before this one left in the spool, each under its own incarnation, and opens our
  /// own part of it.
  outcome<void> take_over(const agent_options& o, const actors::exporter_settings& settings,
                          actors::exporter_world& world) {
    if (o.spool.empty()) return {};
    const auto boot = host_start();
    const std::size_t bound = std::size_t{o.spool_mib} << 20;
    const auto left = agent::look_for_left_behind(o.spool, boot);
    if (left.lost_batches > 0)
      spdlog::warn("agent: {} batches in {} are from before this host's start: lost", left.lost_batches,
                   o.spool);
    for (const auto incarnation : left.incarnations) {
      auto batches = agent::open_spool(o.spool, boot, incarnation);
      if (!batches) return tl::unexpected(batches.error());
      auto before = settings;
      before.incarnation = incarnation;
      auto heir = world;
      heir.take_settings = {};
      heir.spool = {std::move(*batches), bound, true};
      spdlog::info("agent: delivering what incarnation {:016x} left behind", incarnation);
      heirs_.push_back(system_.spawn(actors::exporter, std::move(before), std::move(heir),
                                     std::make_shared<actors::agent_counters>()));
    }
    auto own = agent::open_spool(o.spool, boot, settings.incarnation);
    if (!own) return tl::unexpected(own.error());
    world.spool = {std::move(*own), bound, false};
    return {};
  }

  outcome<void> follow_kernel() {
    settings_.follow(*source_);
    return source_->start([exporter = exporter_, filter = settings_.filter(), counters = counters_,
                           conntrack = conntrack_](std::vector<agent::observed_flow> flows) {
      counters->flows_left_out += filter->apply(flows);
      if (flows.empty()) return;
      if (counters->flows_waiting > most_waiting) {
        counters->flows_overrun += flows.size();
        return;
      }
      counters->flows_waiting += flows.size();
      if (conntrack) conntrack->translate(flows);
      caf::anon_send(exporter, actors::observed_atom_v,
                     std::make_shared<const std::vector<agent::observed_flow>>(std::move(flows)));
    });
  }

  agent_config config_;
  caf::actor_system system_;
  std::shared_ptr<actors::agent_counters> counters_ = std::make_shared<actors::agent_counters>();
  live_settings settings_;
  std::chrono::nanoseconds stop_timeout_{0};
  actors::exporter_actor exporter_;
  std::vector<actors::exporter_actor> heirs_;
  std::shared_ptr<real_clocks> clock_;
  std::shared_ptr<agent::identity_map> identities_;
  std::shared_ptr<agent::host_usage> usage_;  // null: neither host nor cgroups have names
  std::shared_ptr<agent::look_failures> usage_failures_ = count_and_say();
  std::shared_ptr<agent::look_failures> address_failures_ = count_and_say();
  std::shared_ptr<agent::conntrack> conntrack_;  // null: nobody asks what was dialled
  std::unique_ptr<agent::flow_source> source_;
  std::set<agent::identity_key> held_before_;  // when the agent before this one ended
  std::atomic<std::uint64_t> assignments_unkept_{0};
  std::unique_ptr<agent::platform_socket> ipman_;
  std::mutex naming_mutex_;
  std::unique_ptr<agent::host_naming> naming_;  // under the mutex, as is the next
  bool forwards_ = false;
  bool cgroups_ = false;
  std::unique_ptr<agent::address_watch> watch_;
  std::unique_ptr<agent::file_watch> identity_watch_;
};

}  // namespace

outcome<std::unique_ptr<agent_service>> agent_service::start(const agent_options& o,
                                                             std::shared_ptr<real_clocks> clock,
                                                             std::shared_ptr<transport::transport> net) {
  auto service = std::make_unique<running_agent>();
  if (auto begun = service->begin(o, std::move(clock), std::move(net)); !begun)
    return tl::unexpected(begun.error());
  return service;
}

}  // namespace tenure::cli
