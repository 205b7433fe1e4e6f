#include "cli/node_service.hpp"

#include <algorithm>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <utility>

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <spdlog/spdlog.h>

#include "agent/file_watch.hpp"
#include "cli/console.hpp"
#include "cli/incarnation.hpp"
#include "cli/live_settings.hpp"
#include "sinks/sinks.hpp"

namespace tenure::cli {
namespace {

// Kubernetes gives 30 s; an end takes at most 20.
constexpr auto drain_limit = std::chrono::seconds{15};
// While others are too young to take over, a node that was told to leave serves on for so long.
constexpr nanos await_limit = 9 * second;
constexpr nanos leave_limit = 18 * second;
// More than any machine could use: a mistyped number is not to take all of its memory for stacks.
constexpr std::uint32_t most_threads = 1'024;
constexpr std::uint32_t most_shards = 1'024;

struct node_config : caf::actor_system_config {
  explicit node_config(std::size_t threads) {
    add_message_types<caf::id_block::tenure>();
    set("scheduler.max-threads", threads);
    // A thread without work naps, and looks into the others' queues after each nap. CAF's own 50 us are
    // 20,000 system calls a second and thread, a tenth of a core; a millisecond is nothing to what waits for
    // evidence anyway, and what comes meanwhile is then done in one go.
    set("work-stealing.aggressive-poll-attempts", std::size_t{10});
    set("work-stealing.moderate-steal-interval", std::size_t{1});
    set("work-stealing.moderate-sleep-duration", caf::timespan{std::chrono::milliseconds{1}});
  }
};

/// For the actors that share threads. None of them waits for a disk or a network: with more than there are
/// processors left, they and what they work on would go from one processor to another for nothing.
std::size_t threads_of(const node_options& o) {
  if (o.threads > 0) return o.threads;
  const std::size_t shards = std::max(1U, o.shards);
  const std::size_t taken = shards + 1;  // the transport's too
  const std::size_t processors = std::max<std::size_t>(std::thread::hardware_concurrency(), taken + 1);
  return std::min(processors - taken, shards + 1);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "node";
}

/// Names the clock that this node stands on: this start of the machine, as seen from this time namespace. The
/// node's name is in it too, since machines that were restored from one image of memory share the rest.
std::uint64_t clock_of(const std::string& node) {
  std::string all;
  std::getline(std::ifstream{"/proc/sys/kernel/random/boot_id"}, all);
  if (all.empty()) return 0;
  std::ifstream offsets("/proc/self/timens_offsets");  // none where there are no time namespaces
  for (std::string line; std::getline(offsets, line);) all += '\n' + line;
  all += '\n' + node;
  return std::max<std::uint64_t>(1, XXH3_64bits(all.data(), all.size()));
}

/// What this process may have: the machine's, or less where its control group says so.
std::size_t memory_of_machine() {
  auto bytes =
      static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::ifstream group("/sys/fs/cgroup/memory.max");  // "max" where there is no bound
  if (std::size_t most = 0; group >> most) bytes = std::min(bytes, most);
  return bytes;
}

outcome<std::shared_ptr<sinks::record_sink>> open_sink(const std::string& output) {
  const bool blocks = output.ends_with(".tnr");
  auto file = sinks::open_file(output, blocks ? sinks::file_of::blocks : sinks::file_of::lines);
  if (!file) return tl::unexpected(file.error());
  if (blocks) return std::shared_ptr{sinks::make_block_sink(std::move(*file))};
  if (output == "-" && ::isatty(STDOUT_FILENO) == 1)
    return std::shared_ptr{sinks::make_readable_sink(std::move(*file), may_colour(STDOUT_FILENO))};
  return std::shared_ptr{sinks::make_ndjson_sink(std::move(*file))};
}

class running_node final : public node_service {
 public:
  explicit running_node(std::size_t threads) : config_(threads), system_(config_) {}

  outcome<void> begin(const node_options& o, std::shared_ptr<real_clocks> clock, transport::transport& net,
                      const std::optional<cluster_part>& cluster, std::function<void()> failed) {
    if (!wire::valid_text(o.node_name))
      return fail(trouble::usage,
                  "--node-name: expected at most 256 bytes of UTF-8 without control characters");
    const auto longest_hold = std::max(o.hold, o.hold_max);
    if (o.horizon < 2 * longest_hold)
      return fail(trouble::usage, "--horizon: expected at least twice the hold, " +
                                      duration_text(2 * longest_hold) + ", not " + duration_text(o.horizon));
    if (o.release != "full" && o.release != "early")
      return fail(trouble::usage, "--release: expected full or early, not '" + o.release + "'");
    auto out = open_sink(o.output);
    if (!out) return tl::unexpected(out.error());
    actors::node_settings settings;
    settings.name = o.node_name.empty() ? host_name() : o.node_name;
    settings.clock = clock_of(settings.name);
    settings.region = o.region;
    if (!o.routable.empty()) settings.routable = prefix_set{o.routable};
    if (!o.allow.empty()) settings.allowed = std::make_shared<const actors::allow_rules>(o.allow);
    settings.shares.tenancies = o.agent_tenancies;
    settings.shares.workloads = o.agent_workloads;
    const auto secret = draw_incarnation();
    if (!secret) return tl::unexpected(secret.error());
    settings.shares.secret = *secret;
    settings.hold.hold = o.hold.count();
    settings.hold.longest = o.hold_max.count();
    settings.hold.when = o.release == "early" ? actors::release::early : actors::release::full;
    settings.touched_bytes = o.hold_ready.bytes;
    settings.retention.horizon = o.horizon.count();
    settings.retention.most_bytes = o.timeline_memory.bytes;
    settings.drift_ppm = o.drift_ppm;
    settings.held_bytes = o.held_memory.bytes > 0 ? o.held_memory.bytes : memory_of_machine() / 4;
    settings.shards = std::max(1U, o.shards);
    settings.shards_have_threads = true;
    clock_ = clock;
    settings.agent_settings = agent_settings_;
    if (auto read = follow_agent_settings(o.agent_settings); !read) return read;
    actors::node_world world{std::move(clock), std::move(*out), std::move(failed)};
    if (cluster) {
      const auto incarnation = draw_incarnation();
      if (!incarnation) return tl::unexpected(incarnation.error());
      settings.cluster.emplace();
      settings.cluster->incarnation = *incarnation;
      settings.cluster->replicas = cluster->options.replicas;
      world.nodes = cluster->net;
    }
    node_ = actors::start_node(system_, settings, std::move(world));
    if (cluster)
      if (auto joined = join(*cluster, settings.name, settings.cluster->incarnation); !joined) {
        stop();
        return joined;
      }
    auto port = net.listen(o.listen, node_.accept);
    if (!port) {
      stop();
      return tl::unexpected(port.error());
    }
    port_ = *port;
    for (const auto& address : o.listen_also)
      if (auto more = net.listen(address, node_.accept); !more) {
        stop();
        return tl::unexpected(more.error());
      }
    return {};
  }

  void read_agent_settings() override {
    if (const auto read = try_agent_settings(); !read)
      spdlog::warn("settings: for agents: {}; the old ones stay", read.error().text);
  }

  std::uint16_t port() const override { return port_; }
  const actors::node_counters& counters() const override { return *node_.counters; }
  actors::ledger_book::reading ledger() const override { return node_.ledger->read(); }
  const actors::shared_budget& budget() const override { return *node_.budget; }
  const actors::shared_budget& seen() const override { return *node_.seen; }

  bool drain() override {
    caf::scoped_actor asker{system_};
    bool done = false;
    asker->request(node_.root, drain_limit, actors::drain_atom_v)
        .receive([&](bool ok) { done = ok; }, [](caf::error&) {});
    return done;
  }

  bool leave() override {
    if (!members_) return false;
    const nanos end = clock_->now() + leave_limit;
    const bool others = ask(actors::await_atom_v, await_limit);
    if (auto left = members_->leave(); !left) spdlog::info("cluster: {}", left.error().text);
    return others && ask(actors::leave_atom_v, std::max(end - clock_->now(), second));
  }

  std::optional<actors::cluster_desk::reading> cluster() const override {
    if (!node_.desk) return std::nullopt;
    return node_.desk->read();
  }

  void stop() override {
    settings_watch_.reset();
    if (members_) members_->stop();
    caf::anon_send(node_.root, actors::stop_atom_v);
    node_.root = nullptr;
    node_.accept = nullptr;
    node_.accept_node = nullptr;
    node_.desk = nullptr;
  }

 private:
  /// Asks the root for something that takes at most so many nanoseconds. @returns false when it does not
  /// answer
  template <class Atom>
  bool ask(Atom what, nanos most) {
    caf::scoped_actor asker{system_};
    bool answer = false;
    asker->request(node_.root, std::chrono::nanoseconds{most + second}, what, most)
        .receive([&](bool a) { answer = a; }, [](caf::error&) {});
    return answer;
  }

  outcome<void> follow_agent_settings(const std::string& file) {
    if (file.empty()) return {};
    settings_file_ = file;
    if (auto read = try_agent_settings(); !read) return read;
    auto watch = agent::watch_file(file, [this] { read_agent_settings(); });
    if (!watch) return tl::unexpected(watch.error());
    settings_watch_ = std::move(*watch);
    return {};
  }

  /// The version is of the text, so that all nodes that have the same say the same.
  outcome<void> try_agent_settings() {
    if (settings_file_.empty()) return {};
    std::ifstream in(settings_file_, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in) return fail(trouble::usage, "cannot read " + settings_file_);
    if (text.size() > wire::max_settings_bytes)
      return fail(trouble::usage, settings_file_ + " has more than 64 KiB");
    if (const auto fine = pushed_settings::parse(text); !fine)
      return fail(trouble::usage, settings_file_ + ": " + fine.error().text);
    const std::uint64_t version = 1 + XXH3_64bits(text.data(), text.size()) % 999'999'999;
    const auto before = agent_settings_->get();
    if (before && before->version == version) return {};
    spdlog::info("settings: for agents: version {}", version);
    agent_settings_->put({version, std::move(text)});
    return {};
  }

  outcome<void> join(const cluster_part& part, const std::string& self, std::uint64_t incarnation) {
    auto port = part.net->listen(part.options.listen, node_.accept_node);
    if (!port) return tl::unexpected(port.error());
    auto members = make_membership(part.options, self, incarnation, *port);
    if (!members) return tl::unexpected(members.error());
    members_ = std::move(*members);
    spdlog::info("node {}: other nodes {}:{}", self,
                 part.options.listen.substr(0, part.options.listen.rfind(':')), *port);
    members_->start({[desk = node_.desk](const cluster::membership_view& v) { desk->view(v); },
                     [](const failure& why) { spdlog::error("cluster: {}", why.text); }});
    return {};
  }

  std::shared_ptr<const real_clocks> clock_;
  node_config config_;
  caf::actor_system system_;
  actors::node node_;
  std::unique_ptr<cluster::membership> members_;  // null when alone
  std::uint16_t port_ = 0;
  std::shared_ptr<actors::settings_board> agent_settings_ = std::make_shared<actors::settings_board>();
  std::string settings_file_;
  std::unique_ptr<agent::file_watch> settings_watch_;
};

}  // namespace

void add_node_options(command& c, node_options& o) {
  c.option("listen", o.listen, "where agents connect; also unix:PATH and udp:ADDR:PORT")
      .shown_as("ADDR:PORT");
  c.option("listen-also", o.listen_also, "where they connect besides; repeatable").shown_as("ADDR");
  c.flag("udp-in-the-clear", o.udp_in_the_clear,
         "listen on udp:ADDR:PORT beyond this host: neither encrypted nor authenticated");
  c.option("agent-settings", o.agent_settings,
           "TOML that agents are given: log-level, heartbeat, linger, active-timeout, idle-timeout, sample, "
           "leave-out; read "
           "again when it changes; empty: none")
      .shown_as("FILE");
  c.option("local-user", o.local_users,
           "whose processes may connect to a Unix socket, besides root's and our own user's; repeatable")
      .shown_as("UID");
  c.option("local-group", o.local_groups, "the same, by the group of the process").shown_as("GID");
  c.option("output", o.output,
           "append NDJSON to this file, or compressed blocks if it ends in .tnr; - is readable lines on a "
           "terminal, NDJSON in a pipe")
      .shown_as("FILE");
  c.option("hold", o.hold, "how long a flow waits for evidence before it is resolved");
  c.option("hold-max", o.hold_max, "what lacks nothing but evidence may wait so long in all; 0s: no longer");
  c.option("release", o.release, "full: when the hold is over; early: as soon as a flow is attributed")
      .shown_as("WHEN");
  c.option("hold-ready", o.hold_ready,
           "memory for held flows to have ready from the start; more comes as needed");
  c.option("horizon", o.horizon, "how long the end of a tenancy is remembered; longer than any hold");
  c.option("held-memory", o.held_memory,
           "bound on the memory of held flows; beyond it agents wait; 0: a quarter of the machine's");
  c.option("timeline-memory", o.timeline_memory,
           "bound on the memory of timelines: the oldest are forgotten first, new ones are refused beyond");
  c.option("routable", o.routable,
           "addresses that belong to one holder fleet-wide; repeatable; all count when none is given");
  c.option("allow", o.allow,
           "what agents may claim, by their certificate (docs/tls.md); without any rule, everything");
  c.option("agent-tenancies", o.agent_tenancies,
           "different tenancies that one agent may report within the horizon");
  c.option("agent-workloads", o.agent_workloads, "new workload names that one agent may bring");
  c.option("region", o.region, "written into every record");
  c.option("node-name", o.node_name, "told to agents; the host's name when not given");
  c.option("shards", o.shards, "that the address prefixes are spread over, a thread each");
  c.option("threads", o.threads,
           "that all but the shards run on; 0: what processors those and the network leave, one at least and "
           "at most one more than shards");
  c.option("drift-ppm", o.drift_ppm, "bound on the drift between two hosts' clocks, in millionths");
}

outcome<std::unique_ptr<node_service>> node_service::start(const node_options& o,
                                                           std::shared_ptr<real_clocks> clock,
                                                           std::shared_ptr<transport::transport> net,
                                                           const std::optional<cluster_part>& cluster,
                                                           std::function<void()> failed) {
  if (o.threads > most_threads)
    return fail(trouble::usage,
                fmt::format("--threads: expected at most {}, not {}", most_threads, o.threads));
  if (o.shards > most_shards)
    return fail(trouble::usage, fmt::format("--shards: expected at most {}, not {}", most_shards, o.shards));
  auto service = std::make_unique<running_node>(threads_of(o));
  if (auto begun = service->begin(o, std::move(clock), *net, cluster, std::move(failed)); !begun) {
    // What listens holds the node's actors, and a thread of an actor's own ends when nobody does any more.
    net->stop();
    if (cluster) cluster->net->stop();
    return tl::unexpected(begun.error());
  }
  return service;
}

std::string reached_at(const std::string& listen, std::uint16_t port) {
  if (transport::unix_path(listen)) return listen;
  return fmt::format("{}:{}", listen.substr(0, listen.rfind(':')), port);
}

std::string summary(const actors::node_counters& c) {
  const std::uint64_t resolved = c.flows_resolved();
  const std::uint64_t attributed = c.flows_attributed;
  std::string line = fmt::format("{} flows, {} attributed", resolved, attributed);
  for (std::size_t i = 1; i < c.flows_unattributed.size(); ++i)
    if (const std::uint64_t n = c.flows_unattributed[i]; n > 0)
      line += fmt::format(", {} {}", n, to_string(static_cast<reason>(i)));
  if (const std::uint64_t held = c.flows_held(); held > 0) line += fmt::format(", {} not resolved", held);
  return line;
}

}  // namespace tenure::cli
