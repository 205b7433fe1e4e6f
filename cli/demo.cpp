#include "cli/demo.hpp"

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "cli/console.hpp"
#include "demo/demo.hpp"
#include "demo/instance.hpp"
#include "demo/instance_process.hpp"
#include "demo/screen.hpp"

namespace tenure::cli {
namespace {

struct options {
  std::uint32_t seconds = 60;
  std::optional<std::uint64_t> seed;
  std::optional<std::filesystem::path> json;
  demo::demo_options run;
};

/// Whether the user wants the end: SIGINT or SIGTERM came. They are blocked as long as this lives, so that
/// the fleet is removed in order whenever they come.
class wish_to_end {
 public:
  wish_to_end() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    fd_ = ::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~wish_to_end() {
    while (came()) {
    }
    ::close(fd_);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }
  wish_to_end(const wish_to_end&) = delete;
  wish_to_end& operator=(const wish_to_end&) = delete;

  bool came() const {
    signalfd_siginfo info{};
    return ::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  }

 private:
  sigset_t set_{};
  int fd_ = -1;
};

outcome<void> write_json(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  if (!file) return fail(trouble::refused, "cannot write " + path.string());
  return {};
}

outcome<void> run_demo(options o, console& io) {
  o.run.duration = std::chrono::seconds{o.seconds};
  o.run.seed = o.seed ? *o.seed : std::random_device{}();
  std::error_code unknown;
  o.run.program = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  if (auto possible = demo::check_possible(o.run); !possible) return possible;
  if (o.json) {  // before a minute has passed
    if (auto writable = write_json(*o.json, ""); !writable) return writable;
  }
  io.err << fmt::format("tenure demo: {} instances, a hand-over every {} ms on average, for {} s; seed {}\n",
                        o.run.instances, o.run.churn / std::chrono::milliseconds{1}, o.seconds, o.run.seed)
         << std::flush;
  const wish_to_end end;
  outcome<demo::run_report> report;
  {
    demo::screen screen(STDERR_FILENO);
    report = demo::run_demo(
        o.run, [&] { return end.came(); }, [&](const auto& view) { screen.show(view); });
  }
  if (!report) return tl::unexpected(report.error());
  io.out << demo::to_table(*report, may_colour(STDOUT_FILENO)) << std::flush;
  if (o.json) {
    if (auto written = write_json(*o.json, demo::to_json(*report)); !written) return written;
  }
  const auto faults = demo::faults(*report);
  return faults.empty() ? outcome<void>{} : fail(trouble::check_failed, faults[0]);
}

}  // namespace

void add_demo(command_line& line) {
  auto o = std::make_shared<options>();
  auto& c =
      line.add("demo", "show the main job on a little fleet of containers, and check it against the truth");
  c.option("seconds", o->seconds, "how long the fleet lives");
  c.option("json", o->json, "where the verdict is written, too");
  c.option("seed", o->seed, "of the churn's randomness; drawn and said when absent");
  c.option("hold", o->run.hold, "how long a flow waits before it is resolved");
  c.option("heartbeat", o->run.heartbeat, "how often the agent verifies what is held");
  c.option("instances", o->run.instances, "how many containers there are");
  c.option("rate", o->run.connections_per_second, "connections a second, in the whole fleet");
  c.option("churn", o->run.churn, "mean time from one hand-over to the next");
  c.option("records", o->run.records, "a file where the records are kept").shown_as("FILE");
  c.run([o](console& io) { return run_demo(*o, io); });

  auto& i = line.add_hidden(demo::instance_command_name, "one instance of the demo's fleet");
  i.run([](console&) -> outcome<void> {
    using program = demo::instance_program;
    const int code = demo::run_instance(program::control, program::directory);
    return code == 0 ? outcome<void>{} : fail(trouble::refused, "this is for the demo's own use");
  });
}

}  // namespace tenure::cli
