#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <tuple>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"
#include "tests/process/written_records.hpp"

// Addresses that go, come, are shared and are translated while connections are made. Who answered each
// connection is known from what it answered, apart from the agent.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

struct moving_address : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::string ipman = folder / "ipman.sock";
  std::string pin = "/sys/fs/bpf/tenure-moving-" + std::to_string(::getpid());
  std::unique_ptr<kernel_world> world;
  std::unique_ptr<child> up;
  std::vector<std::unique_ptr<child>> processes;
  std::vector<std::string> more;  // options of a test's own

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
    std::vector<std::string> all{
        tenure_binary(), "up",    "--listen",   "127.0.0.1:0", "--http",         "",    "--output", output,
        "--hold",        "2s",    "--pin",      pin,           "--ipman-socket", ipman, "--linger", "50ms",
        "--heartbeat",   "200ms", "--routable", "10.77.0.0/16"};
    for (const char* ns : {"west", "east", "north"}) all.insert(all.end(), {"--netns", world->path(ns)});
    all.insert(all.end(), more.begin(), more.end());
    up = std::make_unique<child>(all);
    ASSERT_TRUE(up->says("connected to node")) << up->err();
  }
  void TearDown() override {
    up.reset();
    processes.clear();
    std::filesystem::remove_all(pin);
  }

  child& perl(const std::string& ns, const std::string& text) {
    processes.push_back(std::make_unique<child>(std::vector<std::string>{
        "nsenter", "--net=" + world->path(ns), "perl", "-MIO::Socket::INET", "-e", "$| = 1; " + text}));
    return *processes.back();
  }

  void answer_with(const std::string& ns, const std::string& letter) {
    auto& c = perl(ns,
                   "my $s = IO::Socket::INET->new(Listen => 64, LocalPort => 8000, ReuseAddr => 1) or die; "
                   "print STDERR \"ready\"; while (my $c = $s->accept) { sysread($c, my $b, 1); "
                   "syswrite($c, \"" +
                       letter + "\"); close $c }");
    ASSERT_TRUE(c.says("ready")) << c.err();
  }

  void assign(const std::string& what, const std::string& workload, const std::string& ns) const {
    child set({tenure_binary(), "ipman", "set", what, workload, "--ipman-socket", ipman, "--netns",
               world->path(ns)});
    ASSERT_EQ(set.wait(), 0) << set.err();
  }

  /// The records of connections that `west` opened, by its port, once there are so many with an answer.
  std::map<int, json> records(std::size_t wanted) const {
    std::map<int, json> all;
    (void)eventually(
        [&] {
          all.clear();
          for (auto& r : records_in(output)) {
            if (r.at("reporter") != "source" || r.at("destination_port") != 8000) continue;
            if (r.at("established").is_null()) continue;
            const int from = r.at("source_port");
            all[from] = std::move(r);
          }
          return all.size() >= wanted;
        },
        seconds{30});
    return all;
  }
};

TEST_F(moving_address, an_address_deleted_under_load_and_taken_by_another_is_never_given_to_the_wrong_one) {
  answer_with("east", "e");
  answer_with("north", "n");
  assign("10.77.0.2", "server", "east");
  auto& load = perl(
      "west",
      "for (1 .. 4000) { my $c = IO::Socket::INET->new(PeerAddr => \"10.77.0.2:8000\", Timeout => 0.3) "
      "or next; $c->blocking(1); select(undef, undef, undef, 0.004); syswrite($c, \"x\"); "
      // Whose byte had come when the address went, and whose answer had not, would be waited for without end.
      "my $b = \"\"; my $v = \"\"; vec($v, fileno($c), 1) = 1; "
      "my $n = select($v, undef, undef, 2) > 0 ? sysread($c, $b, 1) : 0; print $c->sockport, \" \", ($n ? $b "
      ": \"-\"), \"\\n\"; "
      "close $c; last if -e \"" +
          (folder / "enough") + "\"; }");
  const auto answered = [&](char letter) {
    const auto text = load.out();
    return std::count(text.begin(), text.end(), letter);
  };
  ASSERT_TRUE(eventually([&] { return answered('e') > 100; }, seconds{30})) << load.err();
  world->ip("-n @east addr del 10.77.0.2/24 dev @w");
  world->ip("-n @north addr add 10.77.0.2/32 dev lo");
  world->ip("-n @west route add 10.77.0.2/32 via 10.78.0.2");
  assign("10.77.0.2", "other", "north");
  ASSERT_TRUE(eventually([&] { return answered('n') > 100; }, seconds{60})) << load.err();
  std::ofstream(folder / "enough") << "";
  ASSERT_EQ(load.wait(), 0) << load.err();
  std::map<int, char> truth;
  std::istringstream lines(load.out());
  int port = 0;
  for (char who = 0; lines >> port >> who;) truth[port] = who;
  const auto all = records(truth.size());
  EXPECT_GE(all.size(), truth.size() - 1);
  std::map<std::string, int> named;
  for (const auto& [from, r] : all) {
    if (!truth.contains(from) || r.at("destination_workload").is_null()) continue;
    const std::string who = r.at("destination_workload");
    ++named[who];
    // No answer: it was the first holder's connection, which the next one reset.
    EXPECT_EQ(who, truth[from] == 'n' ? "other" : "server") << r;
  }
  EXPECT_GT(named["server"], 20);
  EXPECT_GT(named["other"], 20);
}

TEST_F(moving_address, a_socket_translated_to_a_shared_address_is_who_the_platform_said_at_the_connect) {
  answer_with("east", "e");
  assign("10.77.0.2", "server", "east");
  const auto connect = [&](int from) {
    return "my $c = IO::Socket::INET->new(PeerAddr => \"10.77.0.2:8000\", LocalAddr => \"10.77.0.1\", "
           "LocalPort => " +
           std::to_string(from) +
           ", Timeout => 5) or die; select(undef, undef, undef, 1.5); syswrite($c, \"x\"); sysread($c, my "
           "$b, 1); "
           "close $c;";
  };
  for (const auto& [from, who] : {std::pair{41001, "caller-a"}, {41002, "caller-b"}})
    assign("10.77.0.1:" + std::to_string(from), who, "west");
  for (const int from : {41001, 41002, 41003}) {
    auto& c = perl("west", connect(from));
    ASSERT_EQ(c.wait(), 0) << c.err();
  }
  const auto all = records(3);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all.at(41001).at("source_workload"), "caller-a") << all.at(41001);
  EXPECT_EQ(all.at(41002).at("source_workload"), "caller-b") << all.at(41002);
  EXPECT_TRUE(all.at(41003).at("source_workload").is_null()) << all.at(41003);
  // And the other end's kernel, which sees only the shared address and the port, gets the same answer.
  std::map<int, json> seen;
  ASSERT_TRUE(eventually(
      [&] {
        for (auto& r : records_in(output))
          if (r.at("reporter") == "destination") seen[r.at("source_port").get<int>()] = r;
        return seen.size() >= 3;
      },
      seconds{30}));
  EXPECT_EQ(seen.at(41001).at("source_workload"), "caller-a") << seen.at(41001);
  EXPECT_EQ(seen.at(41002).at("source_workload"), "caller-b") << seen.at(41002);
  EXPECT_TRUE(seen.at(41003).at("source_workload").is_null()) << seen.at(41003);
}

struct translated_address : moving_address {
  translated_address() { more = {"--dialled"}; }

  void SetUp() override {
    moving_address::SetUp();
    if (!IsSkipped()) world->ip("-n @west route add 10.96.0.0/16 via 10.77.0.2");
  }

  /// From now on what west sends to the service's address goes there.
  void serve_from(const std::string& real) const {
    world->inside("west", [&] {
      const auto rules =
          "nft -f - <<'RULES'\ntable ip service\ndelete table ip service\ntable ip service {\n chain c {\n"
          "  type nat hook output priority -100;\n  ip daddr 10.96.0.1 tcp dport 80 dnat to " +
          real + ":8000\n }\n}\nRULES\n";
      ASSERT_EQ(std::system(rules.c_str()), 0);
    });
  }

  /// @returns the port that it came from
  int ask_service() {
    auto& c = perl("west",
                   "my $c = IO::Socket::INET->new(PeerAddr => \"10.96.0.1:80\", Timeout => 5) or die; "
                   "select(undef, undef, undef, 1.5); syswrite($c, \"x\"); sysread($c, my $b, 1) or die; "
                   "print $c->sockport; close $c;");
    EXPECT_EQ(c.wait(), 0) << c.err();
    return std::atoi(c.out().c_str());
  }
};

TEST_F(translated_address, a_services_flows_name_who_was_behind_it_then_with_what_was_dialled_beside) {
  world->ip("-n @east addr add 10.77.0.3/24 dev @w");
  answer_with("east", "e");
  assign("10.77.0.1", "client", "west");
  assign("10.77.0.2", "server", "east");
  assign("10.77.0.3", "other", "east");
  serve_from("10.77.0.2");
  const int first = ask_service();
  serve_from("10.77.0.3");
  const int second = ask_service();
  const auto all = records(2);
  ASSERT_EQ(all.size(), 2U) << up->err();
  for (const auto& [port, who, where] :
       {std::tuple{first, "server", "10.77.0.2"}, {second, "other", "10.77.0.3"}}) {
    ASSERT_TRUE(all.contains(port));
    const auto& r = all.at(port);
    EXPECT_EQ(r.at("destination_address"), where) << r;
    EXPECT_EQ(r.at("destination_port"), 8000) << r;
    EXPECT_EQ(r.at("destination_workload"), who) << r;
    EXPECT_EQ(r.at("source_workload"), "client") << r;
    EXPECT_EQ(r.at("dialled_address"), "10.96.0.1") << r;
    EXPECT_EQ(r.at("dialled_port"), 80) << r;
  }
}

struct datagram_flows : moving_address {
  datagram_flows() { more = {"--udp", "--idle-timeout", "500ms"}; }

  /// From west, after the evidence of everybody's holding has begun.
  void ask(const std::string& to, int port) {
    auto& c = perl("west", "my $c = IO::Socket::INET->new(Proto => \"udp\", PeerAddr => \"" + to + ":" +
                               std::to_string(port) +
                               "\") or die; select(undef, undef, undef, 1.5); syswrite($c, \"x\"); "
                               "sysread($c, my $b, 1) == 1 or die; close $c;");
    ASSERT_EQ(c.wait(), 0) << c.err();
  }

  void echo(const std::string& on, int port) {
    auto& c = perl("east", "my $s = IO::Socket::INET->new(Proto => \"udp\", LocalAddr => \"" + on + ":" +
                               std::to_string(port) +
                               "\") or die; print STDERR \"ready\"; "
                               "while ($s->recv(my $b, 10)) { $s->send($b) }");
    ASSERT_TRUE(c.says("ready")) << c.err();
  }

  json record(int port, const std::string& reporter) const {
    auto found = first_record(output, [&](const json& r) {
      return r.at("transport") == "udp" && r.at("destination_port") == port && r.at("reporter") == reporter;
    });
    EXPECT_TRUE(found.is_object()) << up->err();
    return found;
  }
};

TEST_F(datagram_flows, udp_names_who_holds_the_whole_address_and_nobody_by_a_port) {
  world->ip("-n @east addr add 10.77.0.3/24 dev @w");
  assign("10.77.0.1", "client", "west");
  assign("10.77.0.2", "resolver", "east");
  assign("10.77.0.3:5353", "web", "east");  // of TCP: who has the port of UDP is not known
  echo("10.77.0.2", 5300);
  echo("10.77.0.3", 5353);
  ask("10.77.0.2", 5300);
  ask("10.77.0.3", 5353);
  for (const auto* reporter : {"source", "destination"}) {
    const auto r = record(5300, reporter);
    ASSERT_TRUE(r.is_object());
    EXPECT_EQ(r.at("source_workload"), "client") << r;
    EXPECT_EQ(r.at("destination_workload"), "resolver") << r;
    EXPECT_EQ(r.at("basis"), "tenancy") << r;
    EXPECT_EQ(r.at("end_reason"), "idle_timeout") << r;
    EXPECT_TRUE(r.at("established").is_null()) << r;
    EXPECT_TRUE(r.at("last_received").is_null()) << r;
    EXPECT_EQ(r.at("segments_sent"), 1) << r;
    EXPECT_EQ(r.at("segments_received"), 1) << r;
  }
  const auto by_port = record(5353, "source");
  ASSERT_TRUE(by_port.is_object());
  EXPECT_EQ(by_port.at("source_workload"), "client") << by_port;
  EXPECT_TRUE(by_port.at("destination_workload").is_null()) << by_port;
}

}  // namespace
}  // namespace tenure::testing
