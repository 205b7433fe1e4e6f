#include "agent/host_usage.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tenure::agent {
namespace {

constexpr std::size_t most_names = 16384;

/// The one workload of all; nothing when there are several, or somebody has no name.
class the_one {
 public:
  void add(const std::optional<wire::workload>& w) {
    if (!w || (name_ && name_->name != w->name)) several_ = true;
    if (!name_) name_ = w;
  }
  const wire::workload* get() const { return several_ || !name_ ? nullptr : &*name_; }

 private:
  std::optional<wire::workload> name_;
  bool several_ = false;
};

bool is_in(const std::vector<prefix>& all, address a) {
  return std::ranges::any_of(all, [&](const prefix& p) { return p.contains(a); });
}

}  // namespace

std::vector<usage> usages_of(const host_picture& picture, const usage_settings& settings,
                             const std::function<std::optional<wire::workload>(const std::string&)>& by_path,
                             const std::function<std::optional<wire::workload>(std::uint64_t)>& by_id) {
  std::vector<usage> result;
  for (const auto& there : picture.others) {
    if (there.passes_on) continue;
    the_one whose;
    std::vector<std::uint64_t> witnesses;
    for (const auto& path : there.cgroups) {
      whose.add(by_path(path));
      const auto id = picture.cgroup_ids.find(path);
      if (id != picture.cgroup_ids.end() && id->second != 0) witnesses.push_back(id->second);
    }
    if (whose.get() == nullptr || witnesses.empty()) continue;
    for (const auto& a : there.addresses)
      if (!a.is_host_local() && is_in(settings.unique, a))
        result.push_back({there.netns, {a, 0}, *whose.get(), witnesses});
  }
  if (!settings.ports) return result;
  std::map<endpoint, std::pair<the_one, std::vector<std::uint64_t>>> ports;
  for (const auto& l : picture.own_listeners) {
    auto whose = by_id(l.cgroup);
    if (!whose) whose = settings.host;
    for (const auto& a : picture.own_addresses) {
      if (a.is_host_local() || l.port == 0 || !l.listens_on(a)) continue;
      auto& [one, witnesses] = ports[{a, l.port}];
      one.add(whose);
      witnesses.push_back(l.cookie);
    }
  }
  for (auto& [where, who] : ports)
    if (who.first.get() != nullptr)
      result.push_back({picture.own, where, *who.first.get(), std::move(who.second)});
  return result;
}

host_usage::host_usage(options o, std::unique_ptr<container_names> containers,
                       std::shared_ptr<look_failures> failures)
    : options_(std::move(o)),
      containers_(std::move(containers)),
      failures_(failures ? std::move(failures) : std::make_shared<look_failures>()) {}

std::vector<usage> host_usage::look() {
  usage_settings settings;
  {
    const std::scoped_lock lock(mutex_);
    settings = options_.settings;
  }
  const bool others = options_.rules && !settings.unique.empty();
  if (!others && !settings.ports) return {};
  const auto picture = take_picture(options_.cgroup_mount, others);
  if (!picture) {
    failures_->failed(picture.error());
    return {};
  }
  if (picture->unseen)
    failures_->failed(*picture->unseen);
  else
    failures_->worked();
  return usages_of(
      *picture, settings, [this](const std::string& path) { return name(path).workload; },
      [this](std::uint64_t id) -> std::optional<wire::workload> {
        const auto* w = name_of(id);
        return w == nullptr ? std::nullopt : std::optional(*w);
      });
}

host_usage::named host_usage::name(const std::string& path) {
  if (!options_.rules) return {};
  const std::string id(container_id_in(path));
  const container* runs = id.empty() ? nullptr : containers_->find(id);
  return {path, options_.rules->workload_of(path, runs), id.empty() || runs != nullptr};
}

const wire::workload* host_usage::name_of(std::uint64_t id) {
  if (!options_.rules || id == 0) return nullptr;
  auto it = names_.find(id);
  if (it == names_.end()) {
    const auto path = cgroup_path_of(id, options_.cgroup_mount);
    if (path.empty()) return nullptr;
    if (names_.size() >= most_names) names_.clear();
    it = names_.emplace(id, name(path)).first;
  } else if (!it->second.settled) {
    it->second = name(std::string(it->second.path));
  }
  return it->second.workload ? &*it->second.workload : nullptr;
}

void host_usage::name_host(std::optional<wire::workload> host) {
  const std::scoped_lock lock(mutex_);
  options_.settings.host = std::move(host);
}

void host_usage::claim_ports(bool yes) {
  const std::scoped_lock lock(mutex_);
  options_.settings.ports = yes;
}

}  // namespace tenure::agent
