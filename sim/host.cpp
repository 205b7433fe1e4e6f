#include "sim/host.hpp"

#include <charconv>
#include <sstream>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "actors/protocol.hpp"

namespace tenure::sim {
namespace {

// How long the kernel gathers events before it wakes the agent.
constexpr nanos ring_wait = 20 * millisecond;
constexpr std::string_view netns_root = "/sim/";

// The ring of a guest's card.
constexpr std::size_t most_kept = 256;

/// Whose namespace a path names, and who said so.
struct netns_name {
  instance_id owner = no_instance;
  instance_id who = no_instance;
};

netns_name read_netns(const std::string& path) {
  netns_name name;
  if (!path.starts_with(netns_root)) return name;
  const char* const end = path.data() + path.size();
  const auto owner = std::from_chars(path.data() + netns_root.size(), end, name.owner);
  if (owner.ptr != end) std::from_chars(owner.ptr + 1, end, name.who);
  return name;
}

/// What a node wants of an agent: two numbers, taken both or not at all.
outcome<void> take(const std::string& text, actors::exporter_pace& pace) {
  std::istringstream in(text);
  nanos heartbeat = 0;
  nanos linger = 0;
  if (!(in >> heartbeat >> linger) || heartbeat < millisecond || linger < millisecond)
    return fail(trouble::usage, "not a heartbeat and a linger: " + text);
  pace.heartbeat = heartbeat;
  pace.linger = linger;
  return {};
}

}  // namespace

std::string netns_path(const instance& who) {
  return std::string{netns_root} + std::to_string(who.netns) + "/" + std::to_string(who.id);
}

/// What the agent asks and tells the kernel, until the agent is gone.
class host::kernel final : public agent::address_check, public agent::identity_map {
 public:
  explicit kernel(host& owner) : host_(&owner) {}
  void detach() { host_ = nullptr; }

  outcome<agent::netns_ref> open(const std::string& path) override {
    const auto name = read_netns(path);
    const auto id = holder_in(name.owner, name.who);
    if (!lives_here(id)) return fail(trouble::usage, "no network namespace at " + path);
    asked_ = name.who;
    return agent::netns_ref{path, truth().of(id).cookie};
  }

  outcome<agent::netns_ref> find(address a) override {
    const auto id = host_ == nullptr ? no_instance : truth().holder(a, now());
    if (!lives_here(id))
      return fail(trouble::usage, "no network namespace of this host has " + a.to_string());
    asked_ = id;
    return agent::netns_ref{netns_path(truth().of(id)), truth().of(id).cookie};
  }

  std::vector<bool> held(const agent::netns_ref& ns, const std::vector<address>& addresses) override {
    const auto name = read_netns(ns.path);
    const auto id = holder_in(name.owner, name.who);
    const bool there = lives_here(id) && truth().of(id).cookie == ns.cookie;
    std::vector<bool> out;
    out.reserve(addresses.size());
    for (const auto& a : addresses) out.push_back(there && truth().of(id).address == a);
    return out;
  }

  outcome<void> put(const agent::identity_key& key, tenancy_id tenancy) override {
    if (host_ == nullptr) return {};
    host_->pinned_[key] = tenancy;
    // Two may name one namespace, when the one takes the other's place: it is the one who asked.
    const bool of_asked = asked_ < truth().size() && truth().of(asked_).cookie == key.netns_cookie;
    host_->listener_.stamped(of_asked ? asked_ : static_cast<instance_id>(key.netns_cookie - 1), tenancy);
    return {};
  }

  outcome<void> erase(const agent::identity_key& key) override {
    if (host_ == nullptr) return {};
    const auto id = holder_of(key);
    if (host_->pinned_.erase(key) > 0 && id != no_instance) host_->listener_.unstamped(id);
    return {};
  }

 private:
  const sim::truth& truth() const { return host_->around_.truth; }
  nanos now() const { return host_->around_.time.now(); }
  bool lives_here(instance_id id) const {
    if (host_ == nullptr || id >= truth().size()) return false;
    const auto& i = truth().of(id);
    return i.host == host_->id_ && i.held(now());
  }

  /// Who has the address of the namespace's owner now, in this namespace: the owner or who took its place.
  instance_id holder_in(instance_id owner, instance_id otherwise) const {
    if (host_ == nullptr || owner >= truth().size()) return otherwise;
    const auto id = truth().holder(truth().of(owner).address, now());
    return id != no_instance && truth().of(id).netns == owner ? id : owner;
  }
  instance_id holder_of(const agent::identity_key& key) const {
    const auto owner = static_cast<instance_id>(key.netns_cookie - 1);
    return holder_in(owner, owner);
  }

  host* host_;
  instance_id asked_ = no_instance;  ///< by whose name a namespace was opened last
};

struct host::running_agent {
  running_agent(host& h, const agent_options& options, std::uint64_t incarnation_drawn)
      : incarnation(incarnation_drawn),
        run(h.around_.time, h.clock_, h.around_.draw.fork(), h.around_.trace, options.slow),
        port(h.around_.net.connect(h.id_, run)),
        view(std::make_shared<kernel>(h)) {
    actors::exporter_settings settings = options.settings;
    settings.name = "host-" + std::to_string(h.id_);
    settings.incarnation = incarnation;
    actors::exporter_world world{h.clock_, view, view, port};
    const auto pace = std::make_shared<actors::exporter_pace>();
    pace->heartbeat = settings.heartbeat;
    pace->linger = settings.linger;
    world.pace = pace;
    world.take_settings = [pace, &faults = h.around_.faults](const std::string& text) {
      auto taken = take(text, *pace);
      faults.add(taken ? fault::settings_taken : fault::settings_refused);
      return taken;
    };
    handle = run.system().spawn(actors::exporter, std::move(settings), std::move(world), counters);
    run.run();
  }
  ~running_agent() {
    port->stop();
    view->detach();
    run.pause();
    caf::anon_send_exit(handle, caf::exit_reason::kill);
    run.drain();
    handle = nullptr;
  }

  std::uint64_t incarnation;
  std::shared_ptr<actors::agent_counters> counters = std::make_shared<actors::agent_counters>();
  process run;
  std::shared_ptr<network::port> port;
  std::shared_ptr<kernel> view;
  actors::exporter_actor handle;
};

host::host(surroundings& around, host_id id, nanos clock_reading, std::int64_t clock_ppm,
           kernel_listener& listener)
    : around_(around),
      id_(id),
      clock_(std::make_shared<machine_clock>(around.time, clock_reading, clock_ppm)),
      listener_(listener) {}

host::~host() = default;

void host::start_agent(const agent_options& options) {
  const std::uint64_t drawn = options.incarnation != 0 ? options.incarnation : around_.draw.next() | 1U;
  agent_ = std::make_unique<running_agent>(*this, options, drawn);
}

void host::crash_agent() {
  if (!agent_) return;
  messages_ += agent_->run.messages();
  agent_.reset();
}

const actors::agent_counters& host::counters() const {
  return *agent_->counters;
}

std::uint64_t host::incarnation() const {
  return agent_->incarnation;
}

void host::pause_agent(bool on) {
  if (!agent_) return;
  if (on)
    agent_->run.pause();
  else if (!guest_paused_)
    agent_->run.resume();
}

void host::calm() {
  if (agent_) agent_->run.calm();
}

void host::stop_agent_after(std::uint64_t messages, std::function<void()> then) {
  agent_->run.stop_after(messages, std::move(then));
}

void host::drain_agent() {
  if (!agent_) return;
  caf::anon_send(agent_->handle, actors::drain_atom_v);
  agent_->run.run();
}

bool host::keep(std::function<void()> arrival) {
  if (kept_.size() == most_kept) return false;
  kept_.push_back(std::move(arrival));
  return true;
}

void host::pause_guest(bool on) {
  if (on == guest_paused_) return;
  guest_paused_ = on;
  if (on)
    clock_->pause();
  else
    clock_->resume();
  // The card hands over what it kept before anything else happens, pings to the agent among it.
  if (!on)
    for (const auto& arrival : std::exchange(kept_, {})) arrival();
  pause_agent(on);
}

void host::ask(agent::ipman_request request) {
  if (!agent_) return;
  caf::anon_send(agent_->handle, actors::ipman_atom_v,
                 std::make_shared<const agent::ipman_request>(std::move(request)));
  agent_->run.run();
}

void host::withdrawn(const instance& who) {
  if (!agent_) return;
  caf::anon_send(agent_->handle, actors::withdrawn_atom_v, who.cookie, who.address.high(), who.address.low());
  agent_->run.run();
}

bool host::observed(agent::observed_flow flow) {
  if (!agent_) return false;
  ring_.push_back(std::move(flow));
  ++agent_->counters->flows_waiting;
  if (flush_set_) return true;
  flush_set_ = true;
  around_.time.after(ring_wait, [this] { flush(); });
  return true;
}

void host::flush() {
  flush_set_ = false;
  auto flows = std::exchange(ring_, {});
  if (!agent_ || flows.empty()) return;
  caf::anon_send(agent_->handle, actors::observed_atom_v,
                 std::make_shared<const std::vector<agent::observed_flow>>(std::move(flows)));
  agent_->run.run();
}

tenancy_id host::stamp(const instance& who, std::uint16_t port) const {
  for (const std::uint16_t p : {port, std::uint16_t{0}}) {
    const auto found = pinned_.find({who.cookie, {who.address, p}});
    if (found != pinned_.end()) return found->second;
  }
  return {};
}

std::uint64_t host::messages() const {
  return messages_ + (agent_ ? agent_->run.messages() : 0);
}

}  // namespace tenure::sim
