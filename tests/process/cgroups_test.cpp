#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/host_picture.hpp"
#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"
#include "tests/process/written_records.hpp"

// Who is named by cgroups, and what a host that others share claims: real cgroups, real namespaces for hosts,
// one agent in each, and a node that hears both.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

const std::string container(64, 'c');

struct shared_hosts : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::unique_ptr<kernel_world> world;
  std::string cgroups;  // a folder in the unified hierarchy
  std::vector<std::string> made;
  std::unique_ptr<child> node;
  std::map<std::string, std::unique_ptr<child>> agents;
  std::vector<std::unique_ptr<child>> processes;

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
    const auto mount = agent::find_cgroup_mount();
    ASSERT_TRUE(mount) << mount.error().text;
    cgroups = *mount + "/tenure-test-" + std::to_string(::getpid());
    make_cgroup("");
  }

  void TearDown() override {
    agents.clear();
    processes.clear();
    node.reset();
    // Emptied of processes, which takes the kernel a moment.
    for (auto it = made.rbegin(); it != made.rend(); ++it)
      EXPECT_TRUE(eventually([&] { return ::rmdir(it->c_str()) == 0; }, seconds{10})) << *it;
    for (const char* ns : {"west", "east"}) std::filesystem::remove_all(pin(ns));
  }

  std::string make_cgroup(const std::string& name) {
    made.push_back(cgroups + name);
    std::filesystem::create_directory(made.back());
    return made.back();
  }

  static std::string pin(const std::string& ns) {
    return "/sys/fs/bpf/tenure-shared-" + std::to_string(::getpid()) + ns;
  }

  std::vector<std::string> in(const std::string& ns, std::vector<std::string> what) const {
    what.insert(what.begin(), {"nsenter", "--net=" + world->path(ns)});
    return what;
  }

  void start_node() {
    node = std::make_unique<child>(
        in("west", {tenure_binary(), "node", "--listen", "10.77.0.1:4740", "--http", "", "--output", output,
                    "--hold", "3s", "--routable", "10.77.0.0/16", "--routable", "10.78.0.0/16"}));
    ASSERT_TRUE(node->says("agents 10.77.0.1:4740")) << node->err();
  }

  void start_agent(const std::string& ns, std::vector<std::string> more) {
    std::vector<std::string> all{tenure_binary(), "agent", "--node",         "10.77.0.1:4740",
                                 "--agent-name",  ns,      "--ipman-socket", folder / (ns + ".sock"),
                                 "--pin",         pin(ns), "--heartbeat",    "200ms",
                                 "--linger",      "50ms",  "--http",         ""};
    all.insert(all.end(), more.begin(), more.end());
    agents[ns] = std::make_unique<child>(in(ns, all));
    ASSERT_TRUE(agents[ns]->says("connected to node")) << agents[ns]->err();
  }

  /// One that sees this namespace alone: other tests have the same addresses at the same time, and to a host
  /// with several agents the kernel is one.
  void start_identified(const std::string& ns, const std::string& identity) {
    start_agent(ns, {"--identity", identity, "--netns", world->path(ns)});
  }

  /// A process of its own in a cgroup and a namespace.
  child& run_in(const std::string& cgroup, const std::string& ns, const std::string& perl) {
    processes.push_back(std::make_unique<child>(std::vector<std::string>{
        "/bin/sh", "-c",
        "echo $$ > " + cgroup + "/cgroup.procs && exec nsenter --net=" + world->path(ns) +
            " perl -MIO::Socket::INET -e '$| = 1; " + perl + "'"}));
    return *processes.back();
  }

  child& serve_in(const std::string& cgroup, const std::string& ns, int port) {
    auto& c = run_in(cgroup, ns,
                     "my $s = IO::Socket::INET->new(Listen => 16, LocalPort => " + std::to_string(port) +
                         ", ReuseAddr => 1) or die; print STDERR \"ready\"; "
                         "while (my $c = $s->accept) { sysread($c, my $b, 1); syswrite($c, $b); close $c }");
    EXPECT_TRUE(c.says("ready")) << c.err();
    return c;
  }

  /// A connection that lasts a while, so that the evidence of its far end covers some of it.
  void talk_from(const std::string& cgroup, const std::string& ns, const std::string& to) {
    auto& c = run_in(cgroup, ns,
                     "my $c = IO::Socket::INET->new(PeerAddr => \"" + to +
                         "\", Timeout => 10) or die; select(undef, undef, undef, 1.5); syswrite($c, \"x\"); "
                         "sysread($c, my $b, 1) == 1 or die; close $c;");
    ASSERT_EQ(c.wait(), 0) << c.err();
  }

  json assignment(const std::string& ns, const std::string& endpoint) const {
    child list({tenure_binary(), "ipman", "list", "--json", "--ipman-socket", folder / (ns + ".sock")});
    EXPECT_EQ(list.wait(), 0) << list.err();
    std::istringstream lines(list.out());
    for (std::string line; std::getline(lines, line);)
      if (auto a = json::parse(line); a.at("endpoint") == endpoint) return a;
    return {};
  }

  bool has_assignment(const std::string& ns, const std::string& endpoint, const std::string& workload) const {
    return eventually(
        [&] {
          const auto a = assignment(ns, endpoint);
          return !a.is_null() && a.at("workload") == workload &&
                 a.at("verified_ns").get<std::int64_t>() > a.at("from_ns").get<std::int64_t>();
        },
        seconds{20});
  }

  /// The record that an agent made of a connection to this port, when it is there.
  json record(const std::string& agent, int port) const {
    const std::string reporter = reported_as_source ? "source" : "destination";
    auto found = first_record(output, [&](const json& r) {
      return r.at("agent") == agent && r.at("destination_port") == port && r.at("reporter") == reporter;
    });
    EXPECT_TRUE(found.is_object()) << agent << " " << port << "\n" << agents.at(agent)->err();
    return found;
  }
  bool reported_as_source = true;

  void forward_and_masquerade(const std::string& ns) const {
    world->inside(ns, [] {
      std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1";
      const char* rules =
          "nft -f - <<'RULES'\ntable ip nat {\n chain post {\n  type nat hook postrouting priority 100;\n"
          "  ip saddr 10.78.0.0/24 ip daddr 10.77.0.2 masquerade\n }\n}\nRULES\n";
      ASSERT_EQ(std::system(rules), 0);
    });
  }
};

TEST_F(shared_hosts, listeners_and_sockets_of_units_are_named_and_the_host_claims_ports_only) {
  const auto shop = make_cgroup("/shop.service");
  const auto client = make_cgroup("/client.service");
  start_node();
  for (const char* ns : {"west", "east"}) start_agent(ns, {"--cgroups", "--netns", world->path(ns)});
  auto& server = serve_in(shop, "east", 8000);
  ASSERT_TRUE(has_assignment("east", "10.77.0.2:8000", "shop.service")) << agents["east"]->err();
  EXPECT_TRUE(assignment("east", "10.77.0.2").is_null());
  talk_from(client, "west", "10.77.0.2:8000");
  const auto west = record("west", 8000);
  EXPECT_EQ(west.at("source_workload"), "client.service") << west;
  EXPECT_TRUE(west.at("source_tenancy").is_null()) << west;
  EXPECT_EQ(west.at("destination_workload"), "shop.service") << west;
  EXPECT_EQ(west.at("basis"), "tenancy") << west;
  reported_as_source = false;
  const auto east = record("east", 8000);
  EXPECT_EQ(east.at("destination_workload"), "shop.service") << east;
  EXPECT_EQ(east.at("destination_tenancy"), west.at("destination_tenancy")) << east;
  EXPECT_TRUE(east.at("source_workload").is_null()) << "nobody claims the whole of 10.77.0.1: " << east;
  // Another process of the same unit listens there next: another socket, so another tenancy.
  const auto before = assignment("east", "10.77.0.2:8000").at("tenancy");
  server.signal(SIGKILL);
  ASSERT_TRUE(eventually([&] { return assignment("east", "10.77.0.2:8000").is_null(); }, seconds{20}));
  serve_in(shop, "east", 8000);
  ASSERT_TRUE(has_assignment("east", "10.77.0.2:8000", "shop.service"));
  EXPECT_NE(assignment("east", "10.77.0.2:8000").at("tenancy"), before);
}

TEST_F(shared_hosts, a_container_alone_in_its_namespace_holds_its_address_until_another_joins) {
  make_cgroup("/docker");
  const auto inside = make_cgroup("/docker/" + container);
  const auto other = make_cgroup("/other.service");
  start_node();
  start_agent("west", {"--cgroups", "--container-cidr", "10.78.0.0/16"});
  serve_in(inside, "north", 8001);
  ASSERT_TRUE(has_assignment("west", "10.78.0.2", "docker-cccccccccccc")) << agents["west"]->err();
  talk_from(other, "west", "10.78.0.2:8001");
  const auto r = record("west", 8001);
  EXPECT_EQ(r.at("destination_workload"), "docker-cccccccccccc") << r;
  EXPECT_EQ(r.at("source_workload"), "other.service") << r;
  // It forwards, and has somebody else behind it: what comes from its address may be theirs.
  world->inside("north", [] { std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1"; });
  world->ip("-n @north link add @x type veth peer name @y");
  world->ip("-n @north link set @x up");
  EXPECT_TRUE(eventually([&] { return assignment("west", "10.78.0.2").is_null(); }, seconds{20}));
  world->ip("-n @north link del @x");
  ASSERT_TRUE(has_assignment("west", "10.78.0.2", "docker-cccccccccccc")) << agents["west"]->err();
  // From the moment that somebody else is in there, nothing is said of it any more.
  run_in(other, "north", "print STDERR \"ready\"; sleep 100");
  EXPECT_TRUE(eventually([&] { return assignment("west", "10.78.0.2").is_null(); }, seconds{20}));
}

TEST_F(shared_hosts, a_masquerading_host_claims_the_ports_it_listens_on_and_nothing_under_its_address) {
  const auto anyone = make_cgroup("/plain");
  const auto identity = folder / "identity.toml";
  std::ofstream(identity) << "workload = \"gateway\"\n";
  const auto other = folder / "other.toml";
  std::ofstream(other) << "workload = \"inner\"\n";
  forward_and_masquerade("west");
  start_node();
  start_identified("west", identity);
  start_identified("east", other);
  serve_in(anyone, "west", 9000);
  serve_in(anyone, "east", 9001);
  ASSERT_TRUE(has_assignment("west", "10.77.0.1:9000", "gateway")) << agents["west"]->err();
  ASSERT_TRUE(has_assignment("east", "10.77.0.2", "inner")) << agents["east"]->err();
  EXPECT_TRUE(assignment("west", "10.77.0.1").is_null()) << agents["west"]->err();
  talk_from(anyone, "north", "10.77.0.2:9001");
  talk_from(anyone, "east", "10.77.0.1:9000");
  reported_as_source = false;
  const auto behind = record("east", 9001);
  EXPECT_EQ(behind.at("source_address"), "10.77.0.1") << "masqueraded: " << behind;
  EXPECT_TRUE(behind.at("source_workload").is_null()) << behind;
  EXPECT_EQ(behind.at("destination_workload"), "inner") << behind;
  const auto served = record("west", 9000);
  EXPECT_EQ(served.at("source_workload"), "inner") << served;
  EXPECT_EQ(served.at("destination_workload"), "gateway") << served;
  reported_as_source = true;
  const auto asked = record("east", 9000);
  EXPECT_EQ(asked.at("destination_workload"), "gateway") << asked;
}

TEST_F(shared_hosts, a_host_that_begins_to_forward_holds_its_address_no_longer_until_it_stops) {
  const auto anyone = make_cgroup("/plain");
  const auto identity = folder / "identity.toml";
  std::ofstream(identity) << "workload = \"gateway\"\n";
  const auto other = folder / "other.toml";
  std::ofstream(other) << "workload = \"inner\"\n";
  world->inside("west", [] { std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0"; });
  start_node();
  start_identified("west", identity);
  start_identified("east", other);
  serve_in(anyone, "west", 9000);
  serve_in(anyone, "east", 9001);
  ASSERT_TRUE(has_assignment("west", "10.77.0.1", "gateway")) << agents["west"]->err();
  EXPECT_TRUE(assignment("west", "10.77.0.1:9000").is_null()) << agents["west"]->err();
  forward_and_masquerade("west");
  ASSERT_TRUE(has_assignment("west", "10.77.0.1:9000", "gateway")) << agents["west"]->err();
  EXPECT_TRUE(assignment("west", "10.77.0.1").is_null()) << agents["west"]->err();
  talk_from(anyone, "north", "10.77.0.2:9001");
  reported_as_source = false;
  const auto behind = record("east", 9001);
  EXPECT_EQ(behind.at("source_address"), "10.77.0.1") << "masqueraded: " << behind;
  EXPECT_TRUE(behind.at("source_workload").is_null()) << behind;
  // On and off again: another tenancy, since nobody held the address whole in between.
  world->inside("west", [] { std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0"; });
  ASSERT_TRUE(has_assignment("west", "10.77.0.1", "gateway")) << agents["west"]->err();
  const auto port_is_free = [&] { return assignment("west", "10.77.0.1:9000").is_null(); };
  EXPECT_TRUE(eventually(port_is_free, seconds{20})) << assignment("west", "10.77.0.1:9000");
}

/// A certificate as a workload's issuer writes it, in the place of the one before.
void write_svid(const std::string& file, const std::string& id) {
  const auto made =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null "
      "-subj / -days 1 -addext basicConstraints=critical,CA:FALSE -addext "
      "keyUsage=critical,digitalSignature -addext subjectAltName=URI:" +
      id + " -out " + file + ".next 2>/dev/null && mv " + file + ".next " + file;
  ASSERT_EQ(std::system(made.c_str()), 0);
}

TEST_F(shared_hosts, a_host_holds_its_addresses_under_its_svid_as_long_as_they_and_it_last) {
  const auto identity = folder / "svid.pem";
  ASSERT_NO_FATAL_FAILURE(write_svid(identity, "spiffe://prod/first"));
  start_node();
  start_identified("east", identity);
  ASSERT_TRUE(has_assignment("east", "10.77.0.2", "spiffe://prod/first")) << agents["east"]->err();
  const auto first = assignment("east", "10.77.0.2").at("tenancy");
  world->ip("-n @east addr add 10.77.0.3/24 dev @w");
  ASSERT_TRUE(has_assignment("east", "10.77.0.3", "spiffe://prod/first")) << agents["east"]->err();
  world->ip("-n @east addr del 10.77.0.3/24 dev @w");
  ASSERT_TRUE(eventually([&] { return assignment("east", "10.77.0.3").is_null(); }, seconds{20}));
  EXPECT_EQ(assignment("east", "10.77.0.2").at("tenancy"), first);
  ASSERT_NO_FATAL_FAILURE(write_svid(identity, "spiffe://prod/second"));
  ASSERT_TRUE(has_assignment("east", "10.77.0.2", "spiffe://prod/second")) << agents["east"]->err();
  EXPECT_NE(assignment("east", "10.77.0.2").at("tenancy"), first);
  ASSERT_NO_FATAL_FAILURE(write_svid(identity, "spiffe://prod/a,URI:spiffe://prod/b"));
  EXPECT_TRUE(agents["east"]->says("the identity before stays")) << agents["east"]->err();
  EXPECT_EQ(assignment("east", "10.77.0.2").at("workload"), "spiffe://prod/second");
}

/// A container that Podman runs from a folder with nothing but busybox in it, in one of the test's
/// namespaces.
class podman {
 public:
  podman(const temporary_folder& folder, const std::string& netns)
      : common_{"podman",
                "--root",
                folder / "store",
                "--runroot",
                folder / "run",
                "--cgroup-manager=cgroupfs",
                "--runtime=runc",
                "--storage-driver=vfs",
                "--events-backend=file"} {
    const std::filesystem::path root = folder / "root";
    for (const char* part : {"bin", "proc", "sys", "dev", "etc", "tmp"})
      std::filesystem::create_directories(root / part);
    std::filesystem::copy_file("/bin/busybox", root / "bin/busybox");
    // With limits of its own: where root may raise none, Podman's would be refused.
    child run(with({"run", "-d", "--name", "shopfront", "--network=ns:" + netns, "--ulimit",
                    "nofile=1024:1024", "--ulimit", "nproc=1000:1000", "--rootfs", root.string(),
                    "/bin/busybox", "nc", "-ll", "-p", "8002", "-e", "/bin/busybox", "cat"}));
    EXPECT_EQ(run.wait(seconds{60}), 0) << run.err();
    socket = folder / "podman.sock";
    service_ = std::make_unique<child>(with({"system", "service", "--time", "0", "unix://" + socket}));
    EXPECT_TRUE(eventually([&] { return std::filesystem::is_socket(socket); }, seconds{60}))
        << service_->err();
  }
  ~podman() {
    service_.reset();
    child remove(with({"rm", "-f", "-t", "0", "shopfront"}));
    remove.wait(seconds{60});
  }
  podman(const podman&) = delete;
  podman& operator=(const podman&) = delete;

  std::string socket;

 private:
  std::vector<std::string> with(const std::vector<std::string>& what) const {
    auto all = common_;
    all.insert(all.end(), what.begin(), what.end());
    return all;
  }
  std::vector<std::string> common_;
  std::unique_ptr<child> service_;
};

TEST_F(shared_hosts, a_container_of_podmans_is_named_as_podmans_socket_says) {
  const auto other = make_cgroup("/other.service");
  const podman runs(folder, world->path("north"));
  start_node();
  start_agent("west", {"--cgroups", "--container-cidr", "10.78.0.0/16", "--container-runtime", runs.socket});
  ASSERT_TRUE(has_assignment("west", "10.78.0.2", "shopfront")) << agents["west"]->err();
  talk_from(other, "west", "10.78.0.2:8002");
  const auto r = record("west", 8002);
  EXPECT_EQ(r.at("destination_workload"), "shopfront") << r;
  EXPECT_EQ(r.at("basis"), "tenancy") << r;
  EXPECT_EQ(r.at("source_workload"), "other.service") << r;
}

}  // namespace
}  // namespace tenure::testing
