#include "agent/bpf_flow_source.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include "agent/event_file.hpp"
#include "agent/flow_builder.hpp"
#include "agent/kernel_programs.hpp"
#include "agent/netns.hpp"

namespace tenure::agent {

namespace {

/// Between two looks at all UDP flows, at the most: one that has ended says so that late.
constexpr nanos longest_sweep_pace = second;
/// Between two walks over all sockets; the longest because what is kept of a socket moves when it grows old.
constexpr nanos shortest_pace = 50 * millisecond;
constexpr nanos longest_pace = 15 * second;

class bpf_flow_source final : public flow_source {
 public:
  bpf_flow_source(const bpf_options& options, std::unique_ptr<kernel_programs> programs, jiffy_clock clock,
                  std::unique_ptr<event_writer> recorder)
      : options_(options),
        programs_(std::move(programs)),
        builder_(clock, options.transit_floor),
        recorder_(std::move(recorder)),
        active_timeout_(options.active_timeout),
        idle_timeout_(options.idle_timeout) {}

  ~bpf_flow_source() override { stop(); }

  outcome<void> start(std::function<void(std::vector<observed_flow>)> deliver) override {
    deliver_ = std::move(deliver);
    auto read = programs_->read_events([this](const tenure_socket_event& e) { take(e); });
    if (!read) return read;
    // Attached first: a socket that opens meanwhile is seen by one or the other, and the second leaves it
    // alone.
    if (auto attached = programs_->attach(options_.host_changed != nullptr); !attached) return attached;
    if (auto found = programs_->walk(netns_paths(), 0); !found) return found;
    if (options_.watch_datagrams)
      if (auto found = programs_->find_datagram_sockets(netns_paths()); !found) return found;
    reader_ = std::thread([this] { run(); });
    walker_ = std::thread([this] { walk(); });
    if (options_.watch_datagrams) sweeper_ = std::thread([this] { sweep(); });
    return {};
  }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    over_.notify_all();
    if (walker_.joinable()) walker_.join();
    if (sweeper_.joinable()) sweeper_.join();
    // While the reader still reads, for there may be more of them than the ring holds; and before the
    // programs go, so that one that closes meanwhile is not forgotten.
    if (reader_.joinable()) std::ignore = programs_->cut_off(netns_paths());
    programs_->detach();
    stopping_ = true;
    if (reader_.joinable()) reader_.join();
  }

  void set_timeouts(nanos active, nanos idle) override {
    {
      const std::scoped_lock lock(mutex_);
      active_timeout_ = active;
      idle_timeout_ = idle;
    }
    over_.notify_all();
  }

  source_counters counters() const override {
    const auto kernel = programs_->read_counters();
    source_counters c;
    c.events = kernel[TENURE_EVENTS];
    c.events_lost = kernel[TENURE_EVENTS_LOST];
    c.runs_missed = programs_->missed_runs();
    c.sockets_crowded_out = kernel[TENURE_CROWDED_OUT];
    c.sockets_untracked = kernel[TENURE_SOCKETS_UNTRACKED];
    c.loopback_left_out = kernel[TENURE_LOOPBACK_LEFT_OUT];
    c.taken_over = programs_->taken_over();
    c.seen_twice = programs_->seen_twice();
    c.events += c.taken_over;
    c.datagrams_untracked = kernel[TENURE_DATAGRAMS_UNTRACKED];
    c.datagrams_left_out = kernel[TENURE_DATAGRAMS_LEFT_OUT];
    return c;
  }

 private:
  void run() {
    while (!stopping_) {
      programs_->drain(options_.poll_interval);
      hand_over();
      if (recorder_) recorder_->flush();
      if (options_.host_changed && programs_->host_changes() != changes_seen_) {
        changes_seen_ = programs_->host_changes();
        options_.host_changed();
      }
    }
    programs_->drain(0);
    hand_over();
  }

  /// Beside the reader, so that a long walk does not let the ring fill up.
  void walk() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      const nanos timeout = active_timeout_;
      const auto changed = [&] { return ending_ || active_timeout_ != timeout; };
      const nanos wanted = timeout <= 0 ? longest_pace : timeout / 4;
      const std::chrono::nanoseconds pace{std::clamp(wanted, shortest_pace, longest_pace)};
      if (over_.wait_for(lock, pace, changed)) continue;
      lock.unlock();
      std::ignore = programs_->walk(netns_paths(), std::max<nanos>(timeout, 0));
      lock.lock();
    }
  }

  void sweep() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      const nanos idle = idle_timeout_;
      const std::chrono::nanoseconds pace{std::clamp(idle / 4, shortest_pace, longest_sweep_pace)};
      if (over_.wait_for(lock, pace, [&] { return ending_ || idle_timeout_ != idle; })) continue;
      const nanos active = std::max<nanos>(active_timeout_, 0);
      lock.unlock();
      programs_->end_datagram_flows(idle, active);
      lock.lock();
    }
  }

  void take(const tenure_socket_event& e) {
    if (recorder_) recorder_->write(e);
    waiting_.push_back(builder_.build(e));
    if (waiting_.size() >= options_.deliver_at_most) hand_over();
  }

  void hand_over() {
    if (!waiting_.empty()) deliver_(std::exchange(waiting_, {}));
  }

  const bpf_options options_;
  std::unique_ptr<kernel_programs> programs_;
  flow_builder builder_;
  std::unique_ptr<event_writer> recorder_;  // null: nothing is recorded
  std::function<void(std::vector<observed_flow>)> deliver_;
  std::vector<observed_flow> waiting_;  // the reader's thread only
  std::uint64_t changes_seen_ = 0;      // likewise
  std::atomic<bool> stopping_ = false;
  std::thread reader_;
  std::thread walker_;
  std::thread sweeper_;
  std::mutex mutex_;
  std::condition_variable over_;
  bool ending_ = false;   // under the mutex
  nanos active_timeout_;  // likewise
  nanos idle_timeout_;    // likewise
  bool stopped_ = false;
};

}  // namespace

outcome<std::unique_ptr<flow_source>> make_bpf_flow_source(const bpf_options& options) {
  auto programs = kernel_programs::load(options);
  if (!programs) return tl::unexpected(programs.error());
  auto clock = (*programs)->calibrate();
  if (!clock) return tl::unexpected(clock.error());
  std::unique_ptr<event_writer> recorder;
  if (!options.record.empty()) {
    auto created = event_writer::create(options.record, {clock->calibrated(), (*programs)->boot_time()});
    if (!created) return tl::unexpected(created.error());
    recorder = std::move(*created);
  }
  return std::make_unique<bpf_flow_source>(options, std::move(*programs), *clock, std::move(recorder));
}

}  // namespace tenure::agent
