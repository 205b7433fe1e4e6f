#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <sys/stat.h>
#include <thread>

#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/conntrack.hpp"
#include "agent/host_picture.hpp"
#include "tests/agent/kernel_fixture.hpp"

// What was dialled beside what was reached: nftables and a connect hook put another destination in its place.
namespace tenure::testing {
namespace {

using agent::can_be_of;
using agent::tracked_connection;

struct real_boot_clock final : agent::boot_clock {
  nanos now() const override { return boot_now(); }
};

class dialled : public kernel {
 protected:
  void SetUp() override {
    kernel::SetUp();
    if (IsSkipped()) return;
    options_.watch_connects = true;
    world_->ip("-n @west route add 10.96.0.0/16 via 10.77.0.2");
    world_->ip("-n @north route add 10.96.0.0/16 via 10.78.0.1");
  }

  /// Packets to 10.96.0.1:80 go to 10.77.0.2:8080, as a service's do. @param hook where packets are met
  void translate(const std::string& ns, const std::string& hook) const {
    world_->inside(ns, [&] {
      const auto rules =
          "nft -f - <<'RULES'\ntable ip service {\n chain c {\n  type nat hook " + hook +
          " priority -100;\n  ip daddr 10.96.0.1 tcp dport 80 dnat to 10.77.0.2:8080\n }\n}\nRULES\n";
      ASSERT_EQ(std::system(rules.c_str()), 0);
    });
  }

  /// One connection from `ns` to `where`, closed by its opener first.
  void connect_once(const std::string& ns, const char* where) {
    const auto server = listener("east", "10.77.0.2:8080");
    file_descriptor client;
    ASSERT_EQ(connect(ns, where, client), 0);
    auto accepted = accept_from(server);
    ASSERT_TRUE(accepted);
    client = {};
    receive_bytes(accepted, 1);
  }

  /// The one flow that a namespace's end of it gave, with what conntrack says. @param agents where the agent
  /// is
  observed_flow told(std::uint64_t cookie, const std::string& agents) {
    auto flows = seen_.wait_for(cookie, 1);
    if (flows.size() != 1) return {};
    world_->inside(agents, [&] {
      agent::conntrack tracking(std::make_shared<real_boot_clock>(), failures_);
      tracking.translate(flows);
      counted_ = tracking.counters();
    });
    return flows[0];
  }

  static endpoint far_of(const observed_flow& o) { return {o.flow.far_address, o.flow.far_port}; }

  std::shared_ptr<agent::look_failures> failures_ = std::make_shared<agent::look_failures>();
  agent::conntrack::counts counted_;
};

TEST_F(dialled, a_translation_in_the_sockets_own_namespace_is_told_with_both_addresses) {
  translate("west", "output");
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_once("west", "10.96.0.1:80"));
  const auto seen = told(west_, "north");
  EXPECT_EQ(far_of(seen), at("10.77.0.2:8080")) << "asked in a namespace that is not the agent's";
  EXPECT_EQ(seen.flow.dialled, at("10.96.0.1:80"));
  EXPECT_EQ(counted_.translated, 1U);
  EXPECT_EQ(failures_->count(), 0U);
}

TEST_F(dialled, a_translation_on_the_way_is_asked_of_the_agents_namespace) {
  world_->inside("west", [] { std::ignore = std::system("echo 1 > /proc/sys/net/ipv4/ip_forward"); });
  translate("west", "prerouting");
  world_->ip("-n @east route add 10.78.0.0/24 via 10.77.0.1");
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_once("north", "10.96.0.1:80"));
  const auto opener = told(world_->cookie("north"), "west");
  EXPECT_EQ(far_of(opener), at("10.77.0.2:8080"));
  EXPECT_EQ(opener.flow.dialled, at("10.96.0.1:80"));
  const auto server = told(east_, "west");
  EXPECT_EQ(server.flow.far_address, at("10.78.0.2:1").address);
  EXPECT_EQ(server.flow.dialled, at("10.96.0.1:80")) << "asked by its answers";
}

TEST_F(dialled, what_is_not_translated_stays_and_has_nothing_beside_it) {
  translate("west", "output");
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_once("west", "10.77.0.2:8080"));
  const auto seen = told(west_, "west");
  EXPECT_EQ(far_of(seen), at("10.77.0.2:8080"));
  EXPECT_EQ(seen.flow.dialled.port, 0);
  EXPECT_EQ(counted_.translated, 0U);
}

TEST_F(dialled, a_flow_that_comes_late_is_not_asked_about) {
  translate("west", "output");
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_once("west", "10.96.0.1:80"));
  auto flows = seen_.wait_for(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  flows[0].flow.times.closed -= 2 * second;
  world_->inside("west", [&] {
    agent::conntrack tracking(std::make_shared<real_boot_clock>(), failures_);
    tracking.translate(flows);
    EXPECT_EQ(tracking.counters().too_late, 1U);
  });
  EXPECT_EQ(far_of(flows[0]), at("10.96.0.1:80"));
  EXPECT_EQ(flows[0].flow.dialled.port, 0);
}

/// A program on connect4 of a cgroup: whoever connects from there reaches 10.77.0.2:8080.
class connect_hook {
 public:
  explicit connect_hook(const std::string& cgroup) : folder_(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY)) {
    const auto mov = [](__u8 to, __s32 value) {
      return bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value};
    };
    const auto store = [](std::size_t where) {
      return bpf_insn{BPF_STX | BPF_MEM | BPF_W, 1, 2, static_cast<__s16>(where), 0};
    };
    const bpf_insn program[] = {mov(2, 0x02004d0a),  // 10.77.0.2 in network order
                                store(offsetof(bpf_sock_addr, user_ip4)),
                                mov(2, 0x901f),  // 8080
                                store(offsetof(bpf_sock_addr, user_port)),
                                mov(0, 1),
                                bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, how);
    how.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
    program_ = file_descriptor{
        ::bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "rewrite", "GPL", program, std::size(program), &how)};
    if (program_ && folder_)
      attached_ = ::bpf_prog_attach(program_.get(), folder_.get(), BPF_CGROUP_INET4_CONNECT, 0) == 0;
  }
  ~connect_hook() {
    if (attached_) ::bpf_prog_detach2(program_.get(), folder_.get(), BPF_CGROUP_INET4_CONNECT);
  }
  connect_hook(const connect_hook&) = delete;
  connect_hook& operator=(const connect_hook&) = delete;
  bool attached() const { return attached_; }

 private:
  file_descriptor folder_;
  file_descriptor program_;
  bool attached_ = false;
};

TEST_F(dialled, a_connect_hook_that_puts_another_address_in_its_place_is_seen_through) {
  const auto mount = agent::find_cgroup_mount();
  ASSERT_TRUE(mount) << mount.error().text;
  const auto cgroup = *mount + "/tenure-dialled-" + std::to_string(::getpid());
  ASSERT_EQ(::mkdir(cgroup.c_str(), 0755), 0);
  ASSERT_NO_FATAL_FAILURE(start_source());
  const auto server = listener("east", "10.77.0.2:8080");
  {
    const connect_hook hook(cgroup);
    ASSERT_TRUE(hook.attached()) << std::strerror(errno);
    const auto client = "echo $$ > " + cgroup +
                        "/cgroup.procs && exec nsenter --net=" + world_->path("west") +
                        " perl -MIO::Socket::INET -e 'my $c = IO::Socket::INET->new(PeerAddr => "
                        "\"10.96.0.1:80\", Timeout => 10) or die; sysread($c, my $b, 1)'";
    std::thread peer([&] { accept_from(server); });
    EXPECT_EQ(std::system(client.c_str()), 0);
    peer.join();
  }
  const auto flows = seen_.wait_for(west_, 1);
  EXPECT_EQ(::rmdir(cgroup.c_str()), 0) << std::strerror(errno);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(far_of(flows[0]), at("10.77.0.2:8080"));
  EXPECT_EQ(flows[0].flow.dialled, at("10.96.0.1:80"));
}

TEST(tracked, an_entry_of_a_connection_that_goes_on_is_not_one_that_ended) {
  flow ended;
  ended.times.is_established = true;
  flow part = ended;
  part.end = end_reason::active_timeout;
  flow failed;
  const auto in = [](std::uint8_t state) {
    tracked_connection c;
    c.state = state;
    return c;
  };
  EXPECT_TRUE(can_be_of(in(TCP_CONNTRACK_TIME_WAIT), ended));
  EXPECT_TRUE(can_be_of(in(TCP_CONNTRACK_CLOSE), ended));
  EXPECT_FALSE(can_be_of(in(TCP_CONNTRACK_ESTABLISHED), ended)) << "the same ports, connected again";
  EXPECT_FALSE(can_be_of(in(TCP_CONNTRACK_SYN_SENT), ended));
  EXPECT_TRUE(can_be_of(in(TCP_CONNTRACK_ESTABLISHED), part));
  EXPECT_TRUE(can_be_of(in(TCP_CONNTRACK_SYN_SENT), failed));
  EXPECT_FALSE(can_be_of(in(TCP_CONNTRACK_ESTABLISHED), failed));
}

RC_GTEST_PROP(tracked_property, any_bytes_are_survived, (const std::vector<std::uint8_t>& bytes)) {
  agent::read_tracked(std::as_bytes(std::span(bytes)));
}

}  // namespace
}  // namespace tenure::testing
