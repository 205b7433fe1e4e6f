#include "agent/replayed_flow_source.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <linux/types.h>
#include <mutex>
#include <thread>
#include <utility>

#include "agent/event_file.hpp"
#include "agent/flow_builder.hpp"
#include "bpf/socket_event.h"

namespace tenure::agent {
namespace {

constexpr std::size_t deliver_at_most = 1024;
constexpr nanos longest_wait = 100 * millisecond;

class replayed_flow_source final : public flow_source {
 public:
  replayed_flow_source(std::unique_ptr<event_reader> events, nanos transit_floor, const boot_clock& clock)
      : events_(std::move(events)),
        builder_(jiffy_clock::from(events_->about().jiffies), transit_floor),
        clock_(clock) {}
  ~replayed_flow_source() override { stop(); }

  outcome<void> start(std::function<void(std::vector<observed_flow>)> deliver) override {
    deliver_ = std::move(deliver);
    reader_ = std::thread([this] { run(); });
    return {};
  }

  void stop() override {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    over_.notify_all();
    if (reader_.joinable()) reader_.join();
  }

  source_counters counters() const override {
    source_counters c;
    c.events = count_;
    return c;
  }

 private:
  void run() {
    const nanos shift = clock_.now() - events_->about().begun;
    tenure_socket_event e{};
    while (events_->next(e)) {
      move(e, shift);
      if (!wait_until(static_cast<nanos>(e.closed_ns))) break;
      ++count_;
      waiting_.push_back(builder_.build(e));
      if (waiting_.size() >= deliver_at_most) hand_over();
    }
    hand_over();
  }

  /// Times wrap around as the kernel's numbers do; a hostile file gets hostile times, not undefined ones.
  static void move(tenure_socket_event& e, nanos shift) {
    const auto by = static_cast<__u64>(shift);
    for (auto* t : {&e.opened_ns, &e.established_ns, &e.closed_ns})
      if (*t != 0) *t += by;
    e.boot_offset_ns = static_cast<__s64>(static_cast<__u64>(e.boot_offset_ns) + by);
    e.near_incarnation = 0;
    e.near_sequence = 0;
  }

  /// @returns false when the source is to stop.
  bool wait_until(nanos due) {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      const nanos left = due - clock_.now();
      if (left <= 0) return true;
      if (!waiting_.empty()) {
        lock.unlock();
        hand_over();
        lock.lock();
      }
      over_.wait_for(lock, std::chrono::nanoseconds{std::min(left, longest_wait)});
    }
    return false;
  }

  void hand_over() {
    if (!waiting_.empty()) deliver_(std::exchange(waiting_, {}));
  }

  std::unique_ptr<event_reader> events_;
  flow_builder builder_;
  const boot_clock& clock_;
  std::function<void(std::vector<observed_flow>)> deliver_;
  std::vector<observed_flow> waiting_;  // the reader's thread only
  std::atomic<std::uint64_t> count_ = 0;
  std::mutex mutex_;
  std::condition_variable over_;
  bool stopping_ = false;  // under the mutex
  std::thread reader_;
};

}  // namespace

outcome<std::unique_ptr<flow_source>> make_replayed_flow_source(const std::string& path, nanos transit_floor,
                                                                const boot_clock& clock) {
  auto events = event_reader::open(path);
  if (!events) return tl::unexpected(events.error());
  return std::make_unique<replayed_flow_source>(std::move(*events), transit_floor, clock);
}

}  // namespace tenure::agent
