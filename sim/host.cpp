#include "sim/host.hpp"

#include <charconv>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "actors/protocol.hpp"

namespace tenure::sim {
namespace {

// How long the kernel gathers events before it wakes the agent.
constexpr nanos ring_wait = 20 * millisecond;
constexpr std::string_view netns_root = "/sim/";

instance_id instance_of(const std::string& path) {
  instance_id id = no_instance;
  if (path.starts_with(netns_root))
    std::from_chars(path.data() + netns_root.size(), path.data() + path.size(), id);
  return id;
}

}  // namespace

std::string netns_path(instance_id id) {
  return std::string{netns_root} + std::to_string(id);
}

/// What the agent asks and tells the kernel, until the agent is gone.
class host::kernel final : public agent::address_check, public agent::identity_map {
 public:
  explicit kernel(host& owner) : host_(&owner) {}
  void detach() { host_ = nullptr; }

  outcome<agent::netns_ref> open(const std::string& path) override {
    const auto id = instance_of(path);
    if (!lives_here(id)) return fail(trouble::usage, "no network namespace at " + path);
    return agent::netns_ref{path, truth().of(id).cookie};
  }

  outcome<agent::netns_ref> find(address a) override {
    const auto id = host_ == nullptr ? no_instance : truth().holder(a, now());
    if (!lives_here(id))
      return fail(trouble::usage, "no network namespace of this host has " + a.to_string());
    return agent::netns_ref{netns_path(id), truth().of(id).cookie};
  }

  std::vector<bool> held(const agent::netns_ref& ns, const std::vector<address>& addresses) override {
    const auto id = instance_of(ns.path);
    const bool there = lives_here(id) && truth().of(id).cookie == ns.cookie;
    std::vector<bool> out;
    out.reserve(addresses.size());
    for (const auto& a : addresses) out.push_back(there && truth().of(id).address == a);
    return out;
  }

  outcome<void> put(const agent::identity_key& key, tenancy_id tenancy) override {
    if (host_ == nullptr) return {};
    host_->pinned_[key] = tenancy;
    host_->listener_.stamped(static_cast<instance_id>(key.netns_cookie - 1), tenancy);
    return {};
  }

  outcome<void> erase(const agent::identity_key& key) override {
    if (host_ == nullptr) return {};
    if (host_->pinned_.erase(key) > 0)
      host_->listener_.unstamped(static_cast<instance_id>(key.netns_cookie - 1));
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

  host* host_;
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
    handle = run.system().spawn(actors::exporter, std::move(settings),
                                actors::exporter_world{h.clock_, view, view, port}, counters);
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

void host::start_agent(const agent_options& options, const std::function<void(std::uint64_t)>& named) {
  const std::uint64_t drawn = options.incarnation != 0 ? options.incarnation : around_.draw.next() | 1U;
  named(drawn);
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

void host::end_stalls() {
  if (agent_) agent_->run.set_stalls({});
}

void host::pause_guest(bool on) {
  if (on == guest_paused_) return;
  guest_paused_ = on;
  if (on)
    clock_->pause();
  else
    clock_->resume();
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
