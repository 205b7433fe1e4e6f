#include "demo/demo.hpp"

#include <deque>
#include <filesystem>
#include <memory>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "demo/clock.hpp"
#include "demo/embedded_tenure.hpp"
#include "demo/flow_line.hpp"
#include "demo/ipman_platform.hpp"
#include "demo/judge.hpp"
#include "demo/line_tail.hpp"
#include "demo/run_folder.hpp"

namespace tenure::demo {
namespace {

constexpr nanos slice = 50 * millisecond;
constexpr nanos between_views = 500 * millisecond;
constexpr nanos between_forgetting = 10 * second;
constexpr nanos rate_window = 5 * second;
/// For sockets whose other end vanished, until the kernel gives them up; the hold comes on top.
constexpr nanos settle_bound = 20 * second;

/// One run, from the first process to the last record.
class run {
 public:
  run(const demo_options& o, run_folder folder)
      : options_(o),
        folder_(std::move(folder)),
        subnet_(static_cast<std::uint8_t>(::getpid() % 256)),
        pool_(subnet_, o.instances),
        truth_(pool_),
        platform_(folder_.path() + "/ipman.sock"),
        records_path_(o.records.empty() ? folder_.path() + "/records.ndjson" : o.records),
        records_(records_path_) {}

  outcome<run_report> go(const std::function<bool()>& stop,
                         const std::function<void(const view_state&)>& show) {
    if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
    const nanos start = boot_time();
    const nanos end = start + options_.duration.count();
    run_report report;
    while (boot_time() < end && !report.interrupted) {
      if (auto moved = fleet_->advance(slice); !moved) return tl::unexpected(moved.error());
      if (auto fine = tenure_->check(); !fine) return tl::unexpected(fine.error());
      read_records();
      report.interrupted = stop();
      keep_up(start, show);
    }
    report.seconds = static_cast<double>(boot_time() - start) / second;
    if (auto drained = fleet_->drain(); !drained) return tl::unexpected(drained.error());
    settle(start, show);
    tenure_->end([&] { read_records(); });
    read_records();
    return finish(std::move(report));
  }

 private:
  outcome<void> begin() {
    embedded_tenure::options t;
    t.program = options_.program;
    t.folder = folder_.path();
    t.pin = folder_.pin_path();
    t.output = records_path_;
    t.hold = options_.hold;
    t.heartbeat = options_.heartbeat;
    t.routable = {pool_.v4_network(), pool_.v6_network()};
    auto up = embedded_tenure::start(t);
    if (!up) return tl::unexpected(up.error());
    tenure_ = std::move(*up);
    fleet_options f;
    f.seed = options_.seed;
    f.subnet = subnet_;
    f.slots = options_.instances;
    f.connections_per_second = options_.connections_per_second;
    f.churn.between = options_.churn.count();
    auto made =
        fleet::create(folder_.name(), f, {{options_.program, instance_command_name}}, platform_, truth_);
    if (!made) return tl::unexpected(made.error());
    fleet_ = std::move(*made);
    return fleet_->populate();
  }

  void read_records() {
    const nanos to_boot = -boot_to_utc();
    records_.read([&](std::string_view line) {
      auto record = parse_flow_line(line);
      if (!record) return counts_.add_unreadable(record.error().text);
      // The agent sees every connection of this machine; the fleet's are those among the pool's addresses.
      if (!pool_.slot_of(record->tuple.client) || !pool_.slot_of(record->tuple.server)) return;
      counts_.add(*record, judge(*record, to_boot, truth_));
    });
  }

  void keep_up(nanos start, const std::function<void(const view_state&)>& show) {
    const nanos now = boot_time();
    if (now >= next_forgetting_) {
      next_forgetting_ = now + between_forgetting;
      truth_.forget(now - settle_bound - 2 * options_.hold.count() - between_forgetting);
    }
    if (now < next_view_) return;
    next_view_ = now + between_views;
    rate_.emplace_back(now, counts_.flows);
    while (rate_.front().first < now - rate_window) rate_.pop_front();
    const auto& [since, before] = rate_.front();
    const double span = static_cast<double>(now - since) / second;
    view_state v{counts_, fleet_->counters(), fleet_->recent(), pool_};
    v.elapsed = static_cast<double>(now - start) / second;
    v.of = static_cast<double>(options_.duration.count()) / second;
    v.flows_per_second = span > 0 ? static_cast<double>(counts_.flows - before) / span : 0;
    v.now = now;
    v.seed = options_.seed;
    show(v);
  }

  /// Until every end that was told of has its record, or the last sockets must have ended.
  void settle(nanos start, const std::function<void(const view_state&)>& show) {
    const nanos until = boot_time() + settle_bound + options_.hold.count();
    while (boot_time() < until && truth_.without_record() + truth_.orphans_without_record() > 0 &&
           tenure_->check()) {
      read_records();
      keep_up(start, show);
      pause_for(slice);
    }
  }

  outcome<run_report> finish(run_report report) {
    report.counts = std::move(counts_);
    report.seed = options_.seed;
    report.ends_told = truth_.ends_told();
    report.lost = truth_.without_record();
    report.lost_orphans = truth_.orphans_without_record();
    report.kernel_events_lost = tenure_->kernel_events_lost();
    report.last_words = tenure_->last_words();
    report.churn = fleet_->counters();
    if (const auto gaps = fleet_->gaps(); !gaps.empty()) {
      report.shortest_gap = gaps.front();
      report.median_gap = gaps[gaps.size() / 2];
    }
    for (const auto& line : truth_.examples_without_record(tally::max_examples)) {
      report.counts.examples.push_back(line);
    }
    return report;
  }

  demo_options options_;
  run_folder folder_;
  std::uint8_t subnet_;
  pool pool_;
  truth_book truth_;
  ipman_platform platform_;
  std::string records_path_;
  line_tail records_;
  std::unique_ptr<embedded_tenure> tenure_;
  std::unique_ptr<fleet> fleet_;
  tally counts_;
  std::deque<std::pair<nanos, std::uint64_t>> rate_;
  nanos next_view_ = 0;
  nanos next_forgetting_ = 0;
};

}  // namespace

outcome<void> check_possible(const demo_options& o) {
  if (o.duration < std::chrono::seconds{1} || o.duration > std::chrono::hours{1}) {
    return fail(trouble::usage, "--seconds: expected 1 to 3600");
  }
  if (o.instances < 4 || o.instances > pool::max_slots) {
    return fail(trouble::usage, fmt::format("--instances: expected 4 to {}", pool::max_slots));
  }
  if (o.connections_per_second < 1 || o.connections_per_second > 5000) {
    return fail(trouble::usage, "--rate: expected 1 to 5000");
  }
  if (o.hold < std::chrono::milliseconds{100} || o.hold > std::chrono::minutes{5}) {
    return fail(trouble::usage, "--hold: expected 100ms to 5m");
  }
  if (o.churn < std::chrono::milliseconds{20} || o.churn > std::chrono::minutes{1}) {
    return fail(trouble::usage, "--churn: expected 20ms to 1m");
  }
  if (::geteuid() != 0) {
    return fail(trouble::refused,
                "the demo makes network namespaces and loads eBPF programs: run it as root; "
                "`tenure attribute` and the tests of the rule work without");
  }
  std::error_code unknown;
  if (!std::filesystem::exists("/sys/kernel/btf/vmlinux", unknown)) {
    return fail(trouble::refused,
                "this kernel has no BTF (/sys/kernel/btf/vmlinux): the agent cannot load its programs; "
                "`tenure attribute` works without");
  }
  return {};
}

outcome<run_report> run_demo(const demo_options& o, const std::function<bool()>& stop,
                             const std::function<void(const view_state&)>& show) {
  auto folder = run_folder::create();
  if (!folder) return tl::unexpected(folder.error());
  return run(o, std::move(*folder)).go(stop, show);
}

}  // namespace tenure::demo
