#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "load/fleet.hpp"
#include "load/judge.hpp"
#include "tests/process/child.hpp"

namespace tenure::testing {

/// The clock of this machine, as the fleet of a test has to have it.
class boot_clock final : public agent::boot_clock {
 public:
  nanos now() const override;
};

/// `tenure node` on a port of its own, which it keeps when it is started again.
class node_process {
 public:
  /// @param wrapper words to put before the command
  /// @param host the IPv4 address that it listens on
  /// @param binary the `tenure` that it is
  node_process(std::string output, std::vector<std::string> options, std::vector<std::string> wrapper = {},
               std::string host = "127.0.0.1", std::string binary = tenure_binary());

  /// Starts it, or starts it again. Fails the test when it does not come up.
  void start();
  /// The same, of another version.
  void start(const std::string& binary) {
    binary_ = binary;
    start();
  }
  void kill();
  /// SIGTERM, and the wait for its end.
  int end();
  /// What it takes of memory now, in bytes.
  std::size_t resident() const;
  std::string get(const std::string& path) const { return http_get(http_, path, host_); }
  std::string metrics() const { return get("/metrics"); }
  double metric_now(const std::string& name) const { return metric(metrics(), name); }
  std::string address() const { return host_ + ":" + std::to_string(port_); }
  std::uint16_t http() const { return http_; }
  const std::string& output() const { return output_; }
  child& process() { return *process_; }

 private:
  std::string output_;
  std::vector<std::string> options_;
  std::vector<std::string> wrapper_;
  std::string host_;
  std::string binary_;
  std::unique_ptr<child> process_;
  std::uint16_t port_ = 0;
  std::uint16_t http_ = 0;
};

/// A fleet that this test plays, step by step.
class played_fleet {
 public:
  played_fleet(const std::string& node, load::fleet_options who, load::pace_options pace,
               const transport::asio_options& net = {})
      : played_fleet(std::vector<std::string>{node}, who, std::move(pace), net) {}
  played_fleet(std::vector<std::string> nodes, load::fleet_options who, load::pace_options pace,
               const transport::asio_options& net = {});
  ~played_fleet();

  /// Goes on until done() holds. @returns whether it did within the bound
  template <class Done>
  bool play_until(Done done, std::chrono::milliseconds bound) {
    const nanos end = clock_->now() + std::chrono::nanoseconds{bound}.count();
    while (!done()) {
      if (clock_->now() > end) return false;
      fleet_->step();
      pause_between_looks();
    }
    return true;
  }
  void play(std::chrono::milliseconds span) {
    play_until([] { return false; }, span);
  }
  /// No more flows; plays on until all are acknowledged.
  bool settle(std::chrono::seconds bound = std::chrono::seconds{120});
  std::uint64_t unacknowledged() const {
    return fleet_->counters().flows_sealed - fleet_->counters().flows_acknowledged;
  }
  load::findings judge(const std::string& output) const { return judge(std::vector<std::string>{output}); }
  load::findings judge(const std::vector<std::string>& outputs) const;
  load::fleet& fleet() { return *fleet_; }
  transport::transport& net() { return *net_; }
  nanos now() const { return clock_->now(); }

 private:
  std::shared_ptr<boot_clock> clock_ = std::make_shared<boot_clock>();
  load::pace_options pace_;
  std::unique_ptr<transport::asio_transport> net_;
  std::unique_ptr<load::fleet> fleet_;
};

/// Twenty agents on 400 addresses that change hands every few seconds, and 10,000 flows a second of them.
load::fleet_options churning_fleet();
load::pace_options brisk();

/// Nothing is lost, nobody is named wrongly.
void expect_all_there_and_right(const load::findings& f);

/// What must not be, as one text for a failure's message.
std::string told(const load::findings& f);

}  // namespace tenure::testing
