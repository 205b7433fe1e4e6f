#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>

#include "tests/process/watched_pair.hpp"

// An agent that is killed, and the next one: what it was told, and what went on meanwhile.
namespace tenure::testing {
namespace {

struct agent_restart : watched_pair {};

TEST_F(agent_restart, what_begins_and_ends_while_no_agent_runs_is_told_by_the_next) {
  const auto before = talk(5);
  EXPECT_EQ(told(before, "source").size(), before.size());
  ASSERT_NO_FATAL_FAILURE(kill_agent());
  const auto between = talk(20);
  ASSERT_NO_FATAL_FAILURE(start_agent());
  const auto after = talk(5);
  for (const auto* reporter : {"source", "destination"}) {
    const auto records = told(between, reporter);
    EXPECT_EQ(records.size(), between.size()) << agent->err();
    for (const auto& r : records) {
      EXPECT_FALSE(r.at("established").is_null()) << r;
      EXPECT_TRUE(r.at(std::string(reporter) + "_tenancy").is_null()) << "of an agent that is gone: " << r;
    }
    EXPECT_EQ(told(after, reporter).size(), after.size()) << agent->err();
  }
}

/// A client that connects all the time, each time from the next port, and says when: the truth.
struct steady_client {
  struct connection {
    std::string owner;
    nanos end = 0;
  };

  steady_client(const kernel_world& world, const std::string& address, int first_port, std::string stop)
      : stop_(std::move(stop)),
        perl_({"nsenter", "--net=" + world.path("west"), "perl", "-MIO::Socket::INET", "-MTime::HiRes=sleep",
               "-e",
               "$| = 1; my ($from, $port, $stop) = @ARGV; until (-e $stop) { my $c = IO::Socket::INET->new("
               "LocalAddr => $from, LocalPort => $port, PeerAddr => \"10.77.0.2:8000\", Timeout => 20) or "
               "die $@; syswrite($c, \"x\"); sysread($c, my $b, 1) == 1 or die; close $c; "
               "printf \"%d %d\\n\", $port++, 1e9 * Time::HiRes::clock_gettime(7); sleep 0.004 }",
               address, std::to_string(first_port), stop_}) {}

  void finish() {
    std::ofstream{stop_} << "stop";
    EXPECT_EQ(perl_.wait(), 0) << perl_.err();
  }
  std::map<int, connection> made(const std::string& owner) const {
    std::map<int, connection> out;
    std::istringstream lines(perl_.out());
    nanos end = 0;
    for (int port = 0; lines >> port >> end;) out[port] = {owner, end};
    return out;
  }
  bool makes(std::size_t more) const {
    const auto so_far = made({}).size();
    return eventually([&] { return made({}).size() >= so_far + more; }, seconds{60});
  }

 private:
  std::string stop_;
  child perl_;
};

// Two hundred a second from each of two addresses, one of which is given to somebody else in the middle.
TEST_F(agent_restart, killed_twice_under_load_it_names_nobody_wrongly_and_misses_what_is_stated_only) {
  const std::vector<std::string> spool{"--spool", folder / "spool"};
  ASSERT_NO_FATAL_FAILURE(kill_agent());
  ASSERT_NO_FATAL_FAILURE(start_agent(spool));
  world->ip("-n @west addr add 10.77.0.12/24 dev @e");
  const auto set = [&](const char* what, const char* who, const char* ns) {
    EXPECT_EQ(ask({"set", what, who, "--netns", world->path(ns)}), 0) << agent->err();
  };
  set("10.77.0.1", "steady", "west");
  set("10.77.0.12", "early", "west");
  set("10.77.0.2", "server", "east");

  struct span {
    nanos from = 0, until = 0;
    bool has(nanos t) const { return from <= t && t <= until; }
  };
  std::vector<span> unsealed;
  std::vector<span> between_programs;
  const auto killed_and_replaced = [&](const steady_client& meanwhile) {
    ASSERT_TRUE(meanwhile.makes(200));
    unsealed.push_back({boot_now() - second / 2, 0});
    ASSERT_NO_FATAL_FAILURE(kill_agent());
    unsealed.back().until = boot_now();
    ASSERT_TRUE(meanwhile.makes(150));
    between_programs.push_back({boot_now(), 0});
    ASSERT_NO_FATAL_FAILURE(start_agent(spool));
    between_programs.back().until = boot_now();
    ASSERT_TRUE(meanwhile.makes(200));
  };
  steady_client steady(*world, "10.77.0.1", 40'000, folder / "stop-steady");
  auto truth = [&] {
    steady_client early(*world, "10.77.0.12", 20'000, folder / "stop-early");
    EXPECT_NO_FATAL_FAILURE(killed_and_replaced(early));
    early.finish();
    return early.made("early");
  }();
  EXPECT_EQ(ask({"del", "10.77.0.12"}), 0);
  set("10.77.0.12", "late", "west");
  {
    steady_client late(*world, "10.77.0.12", 30'000, folder / "stop-late");
    ASSERT_NO_FATAL_FAILURE(killed_and_replaced(late));
    late.finish();
    truth.merge(late.made("late"));
  }
  steady.finish();
  truth.merge(steady.made("steady"));
  for (auto* ending : {agent.get(), node.get()}) {
    ending->signal(SIGTERM);
    EXPECT_EQ(ending->wait(), 0) << ending->err();
  }

  std::map<std::pair<std::string, int>, std::string> told;  // flow ids
  std::map<std::string, int> named;
  int twice = 0;
  const auto within = [](const std::vector<span>& all, nanos t) {
    return std::ranges::any_of(all, [t](const span& s) { return s.has(t); });
  };
  std::ifstream file(output);
  for (std::string line; std::getline(file, line);) {
    const auto r = json::parse(line);
    const int port = r.at("source_port");
    if (!truth.contains(port)) continue;
    const auto& [at, fresh] = told.try_emplace({r.at("reporter"), port}, r.at("flow_id"));
    if (!fresh && at->second != r.at("flow_id")) {
      ++twice;
      ADD_FAILURE() << "told twice: " << r;
    }
    for (const auto& [key, owner] : {std::pair{"source_workload", truth.at(port).owner},
                                     {"destination_workload", std::string("server")}})
      if (!r.at(key).is_null()) {
        EXPECT_EQ(r.at(key), owner) << r;
        ++named[owner];
      }
  }
  int missed_unsealed = 0;
  int missed_between = 0;
  int missed = 0;
  for (const auto& [port, c] : truth)
    for (const char* reporter : {"source", "destination"}) {
      if (told.contains({reporter, port})) continue;
      ++(within(unsealed, c.end)           ? missed_unsealed
         : within(between_programs, c.end) ? missed_between
                                           : missed);
    }
  std::cout << truth.size() << " connections: not told " << missed_unsealed << " ends that were not sealed, "
            << missed_between << " between two agents' programs (" << twice << " told by both), " << missed
            << " else; named " << named["steady"] << " steady, " << named["early"] << " early, "
            << named["late"] << " late, " << named["server"] << " server\n";
  // See docs/limits.md: a kernel may hide the end of a socket that ends on top of some threads.
  EXPECT_LE(missed, static_cast<int>(truth.size() / 100));
  EXPECT_LE(missed_unsealed + missed_between, static_cast<int>(truth.size() / 5));
  EXPECT_EQ(twice, 0);
  for (const char* who : {"steady", "early", "late", "server"}) EXPECT_GT(named[who], 100) << who;
}

TEST_F(agent_restart, one_that_ends_in_order_leaves_its_programs_only_when_told_to) {
  agent->signal(SIGTERM);
  ASSERT_EQ(agent->wait(), 0) << agent->err();
  EXPECT_FALSE(std::filesystem::exists(pin + "/going_on"));
  ASSERT_NO_FATAL_FAILURE(start_agent({"--leave-programs"}));
  agent->signal(SIGTERM);
  ASSERT_EQ(agent->wait(), 0) << agent->err();
  const auto between = talk(20);
  ASSERT_NO_FATAL_FAILURE(start_agent());
  for (const auto* reporter : {"source", "destination"})
    EXPECT_EQ(told(between, reporter).size(), between.size()) << agent->err();
}

TEST_F(agent_restart, what_was_assigned_begins_anew_where_it_was_held_to_the_end) {
  for (const char* a : {"10.77.0.3/24", "10.77.0.4/24", "10.77.0.5/24"})
    world->ip(std::string("-n @east addr add ") + a + " dev @w");
  const auto set = [&](const char* what, const char* who, const char* ns) {
    EXPECT_EQ(ask({"set", what, who, "--netns", world->path(ns), "--label", "zone=b"}), 0);
  };
  set("10.77.0.1", "client", "west");
  set("10.77.0.2", "server", "east");
  set("10.77.0.3", "taken-back", "east");
  set("10.77.0.4", "vanished", "east");
  set("10.77.0.5:443", "ingress", "east");
  set("10.78.0.2", "replaced", "north");
  EXPECT_EQ(ask({"del", "10.77.0.3"}), 0);
  const auto first = assignment("10.77.0.2");
  // Gone while the agent was there to see it: whoever has the address next is somebody else.
  world->ip("-n @east addr del 10.77.0.4/24 dev @w");
  ASSERT_TRUE(eventually([&] { return assignment("10.77.0.4").is_null(); }, seconds{20}));
  ASSERT_NO_FATAL_FAILURE(kill_agent());
  world->ip("-n @east addr add 10.77.0.4/24 dev @w");
  world->ip("netns del @north");
  world->ip("netns add @north");
  world->ip("-n @north addr add 10.78.0.2/24 dev lo");
  ASSERT_NO_FATAL_FAILURE(start_agent());
  for (const auto& [endpoint, who] :
       {std::pair{"10.77.0.1", "client"}, {"10.77.0.2", "server"}, {"10.77.0.5:443", "ingress"}}) {
    const auto again = assignment(endpoint);
    ASSERT_FALSE(again.is_null()) << endpoint << "\n" << agent->err();
    EXPECT_EQ(again.at("workload"), who);
    EXPECT_EQ(again.at("labels").at("zone"), "b");
  }
  const auto second = assignment("10.77.0.2");
  EXPECT_NE(second.at("tenancy"), first.at("tenancy"));
  EXPECT_GT(second.at("from_ns"), first.at("verified_ns"));
  for (const char* gone : {"10.77.0.3", "10.77.0.4", "10.78.0.2"})
    EXPECT_TRUE(assignment(gone).is_null()) << gone;
  EXPECT_TRUE(agent->says("3 of 5 assignments from before begin anew")) << agent->err();
  const auto named = talk(3);
  for (const auto& r : told(named, "source")) EXPECT_EQ(r.at("source_workload"), "client") << r;
  EXPECT_EQ(ask({"del", "10.77.0.2"}), 0);
}

}  // namespace
}  // namespace tenure::testing
