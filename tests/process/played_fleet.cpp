#include "tests/process/played_fleet.hpp"

#include <csignal>
#include <ctime>
#include <fstream>
#include <regex>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tenure::testing {

nanos boot_clock::now() const {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return static_cast<nanos>(t.tv_sec) * second + t.tv_nsec;
}

node_process::node_process(std::string output, std::vector<std::string> options,
                           std::vector<std::string> wrapper, std::string host, std::string binary)
    : output_(std::move(output)),
      options_(std::move(options)),
      wrapper_(std::move(wrapper)),
      host_(std::move(host)),
      binary_(std::move(binary)) {
  start();
}

void node_process::start() {
  std::vector<std::string> words = wrapper_;
  const std::string listen = host_ + ":" + std::to_string(port_);
  for (const std::string& word : std::vector<std::string>{binary_, "node", "--listen", listen, "--http",
                                                          host_ + ":0", "--output", output_})
    words.push_back(word);
  words.insert(words.end(), options_.begin(), options_.end());
  process_ = std::make_unique<child>(std::move(words));
  ASSERT_TRUE(process_->says("HTTP " + host_ + ":")) << process_->err();
  std::smatch found;
  const std::string log = process_->err();
  ASSERT_TRUE(std::regex_search(log, found, std::regex{"agents [0-9.]+:(\\d+), HTTP [0-9.]+:(\\d+)"}));
  port_ = static_cast<std::uint16_t>(std::stoi(found[1]));
  http_ = static_cast<std::uint16_t>(std::stoi(found[2]));
}

void node_process::kill() {
  process_->signal(SIGKILL);
  EXPECT_EQ(process_->wait(), 128 + SIGKILL) << process_->err();
}

std::size_t node_process::resident() const {
  std::ifstream in("/proc/" + std::to_string(process_->id()) + "/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  in >> all >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

int node_process::end() {
  process_->signal(SIGTERM);
  return process_->wait(std::chrono::seconds{90});
}

played_fleet::played_fleet(std::vector<std::string> nodes, load::fleet_options who, load::pace_options pace,
                           const transport::asio_options& net)
    : pace_(std::move(pace)), net_(transport::make_asio_transport(net)) {
  who.run = static_cast<std::uint64_t>(clock_->now());
  pace_.nodes = std::move(nodes);
  fleet_ = std::make_unique<load::fleet>(who, pace_, clock_, *net_);
}

played_fleet::~played_fleet() {
  net_->stop();
}

bool played_fleet::settle(std::chrono::seconds bound) {
  fleet_->stop_flows();
  return play_until([&] { return fleet_->settled(); }, bound);
}

load::findings played_fleet::judge(const std::vector<std::string>& outputs) const {
  load::judge judge(fleet_->planned(), fleet_->sealed(), pace_.flows_a_batch);
  for (const auto& output : outputs) {
    if (!output.ends_with(".tnr")) {
      EXPECT_TRUE(judge.see_file(output)) << output;
      continue;
    }
    child lines({tenure_binary(), "read", output});
    EXPECT_EQ(lines.wait(std::chrono::seconds{120}), 0) << lines.err();
    EXPECT_TRUE(judge.see_file(lines.out_path())) << output;
  }
  return judge.conclude();
}

std::string told(const load::findings& f) {
  std::string text;
  for (const auto& line : f.wrong) text += line + "\n";
  return text;
}

load::fleet_options churning_fleet() {
  load::fleet_options o;
  o.agents = 20;
  o.addresses = 400;
  o.workloads = 40;
  o.lifetime = 3 * second;
  o.longest_flow = second / 4;
  o.linger = second / 10;
  return o;
}

load::pace_options brisk() {
  load::pace_options p;
  p.flows_a_second = 10'000;
  p.flows_a_batch = 50;
  p.heartbeat = 300 * millisecond;
  p.repeat = 5 * second;
  return p;
}

void expect_all_there_and_right(const load::findings& f) {
  EXPECT_EQ(f.lost, 0U) << told(f);
  EXPECT_EQ(f.misattributed, 0U) << told(f);
  EXPECT_EQ(f.strangers, 0U) << told(f);
  EXPECT_EQ(f.unreadable, 0U) << told(f);
}

}  // namespace tenure::testing
