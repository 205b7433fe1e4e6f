#include "cluster/etcd_membership.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "cluster/etcd_client.hpp"
#include "ownership/invariant.hpp"

namespace tenure::cluster {

namespace {

using nlohmann::json;

std::string value_of(const member& m) {
  return json{{"address", m.address}, {"weight", m.weight}, {"incarnation", std::to_string(m.incarnation)}}
      .dump();
}

std::optional<member> member_of(const std::string& name, const std::string& value) {
  const auto parsed = json::parse(value, nullptr, false);
  if (name.empty() || !parsed.is_object()) return std::nullopt;
  try {
    const auto& weight = parsed.at("weight");
    if (!weight.is_number_unsigned() || weight < 1U || weight > ring::max_weight) return std::nullopt;
    return member{name, parsed.at("address"), weight,
                  std::stoull(parsed.at("incarnation").get<std::string>())};
  } catch (const std::exception&) {  // a key is missing, or of another type
    return std::nullopt;
  }
}

class etcd_registered final : public etcd_membership {
 public:
  etcd_registered(const etcd_options& options, member self, std::vector<std::unique_ptr<etcd_client>> clients)
      : options_(options),
        self_(std::move(self)),
        prefix_("/" + options.cluster + "/nodes/"),
        clients_(std::move(clients)) {}
  ~etcd_registered() override { stop(); }

  void start(membership_events events) override {
    invariant(!thread_.joinable(), "a membership is started once");
    events_ = std::move(events);
    thread_ = std::thread([this] { run(); });
  }

  outcome<void> leave() override {
    std::unique_lock lock(mutex_);
    leaving_ = true;
    interrupt();
    // A round under way, then the one that revokes.
    const auto bound = 2 * (options_.request_bound + options_.pace);
    if (changed_.wait_for(lock, bound, [this] { return left_ || stopping_; }) && left_) return {};
    return fail(trouble::refused,
                "etcd was not told that this node leaves; the others notice when its lease is over");
  }

  void stop() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      interrupt();
    }
    if (thread_.joinable()) thread_.join();
  }

  const etcd_counters& counters() const override { return counters_; }

 private:
  /// @pre mutex_ is held
  void interrupt() {
    changed_.notify_all();
    clients_[at_]->stop();
  }

  bool stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  void run() {
    while (!stopping()) {
      auto done = round();
      if (done && !*done) return;
      counters_.reached = done.has_value();
      if (done) continue;
      ++counters_.failures;
      std::unique_lock lock(mutex_);
      at_ = (at_ + 1) % clients_.size();
      changed_.wait_for(lock, options_.pace / 4, [this] { return stopping_; });
    }
  }

  /// One look at etcd, and the wait for the next. @returns whether to go on
  outcome<bool> round() {
    bool leaving = false;
    {
      std::lock_guard lock(mutex_);
      leaving = leaving_;
    }
    if (auto known = leaving ? withdraw() : registered(); !known) return tl::unexpected(known.error());
    auto& etcd = *clients_[at_];
    const auto found = etcd.range(prefix_);
    if (!found) return tl::unexpected(found.error());
    if (!publish(*found)) return false;
    std::unique_lock lock(mutex_);
    if (stopping_ || (leaving_ && !left_)) return true;
    lock.unlock();
    etcd.wait_for_change(prefix_, found->revision + 1, options_.pace);
    return true;
  }

  outcome<void> registered() {
    auto& etcd = *clients_[at_];
    if (lease_ != 0) {
      const auto alive = etcd.keep_alive(lease_);
      if (!alive) return tl::unexpected(alive.error());
      if (*alive) return {};
    }
    const auto lease = etcd.grant(options_.lease);
    if (!lease) return tl::unexpected(lease.error());
    const auto put = etcd.put(prefix_ + self_.name, value_of(self_), *lease);
    if (!put) return tl::unexpected(put.error());
    lease_ = *lease;
    written_at_ = *put;
    ++counters_.registrations;
    return {};
  }

  outcome<void> withdraw() {
    if (lease_ != 0) {
      if (const auto gone = clients_[at_]->revoke(lease_); !gone) return gone;
      lease_ = 0;
    }
    std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
    return {};
  }

  /// @returns false when it cannot go on, which has been said.
  bool publish(const etcd_client::entries& found) {
    std::vector<member> members;
    for (const auto& e : found.items) {
      auto m = member_of(e.key.substr(prefix_.size()), e.value);
      if (!m) {
        ++counters_.entries_refused;
        continue;
      }
      if (m->name == self_.name && m->incarnation != self_.incarnation && lease_ != 0 &&
          e.revision > written_at_) {
        if (events_.failed)
          events_.failed({trouble::refused, "another process is in the cluster as '" + self_.name + "', at " +
                                                m->address + ": give each node a name of its own"});
        return false;
      }
      members.push_back(std::move(*m));
    }
    std::sort(members.begin(), members.end());
    if (view_.epoch != 0 && members == view_.members) return true;
    // An etcd that was set up anew counts from 1 again.
    view_ = {std::max(view_.epoch + 1, static_cast<std::uint64_t>(found.revision)), std::move(members)};
    ++counters_.views;
    if (events_.changed) events_.changed(view_);
    return true;
  }

  const etcd_options options_;
  const member self_;
  const std::string prefix_;
  const std::vector<std::unique_ptr<etcd_client>> clients_;
  membership_events events_;
  etcd_counters counters_;

  // The thread's only.
  std::int64_t lease_ = 0;
  std::int64_t written_at_ = 0;
  membership_view view_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_, except that the thread reads at_ without, as only it writes.
  std::size_t at_ = 0;
  bool leaving_ = false;
  bool left_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace

outcome<std::unique_ptr<etcd_membership>> etcd_membership::make(const etcd_options& options,
                                                                const member& self) {
  invariant(self.incarnation != 0, "a node draws its incarnation before it joins");
  if (options.endpoints.empty())
    return fail(trouble::usage, "no address of etcd is given (http://host:2379)");
  if (options.cluster.empty() || options.cluster.find('/') != std::string::npos)
    return fail(trouble::usage, "the name of a cluster is not empty and has no slash");
  if (auto alone = ring::make({{self.name, self.weight}}); !alone) return tl::unexpected(alone.error());
  std::vector<std::unique_ptr<etcd_client>> clients;
  for (const auto& endpoint : options.endpoints) {
    auto client = etcd_client::make(endpoint, options.request_bound, options.tls);
    if (!client) return tl::unexpected(client.error());
    clients.push_back(std::move(*client));
  }
  return std::make_unique<etcd_registered>(options, self, std::move(clients));
}

}  // namespace tenure::cluster
