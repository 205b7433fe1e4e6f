#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>

#include "tests/agent/kernel_fixture.hpp"

// UDP, with the real kernel: what one socket exchanges with one far end is a flow, until nothing passes.
namespace tenure::testing {
namespace {

struct udp_address {
  sockaddr_storage bytes{};
  socklen_t length = 0;

  explicit udp_address(const endpoint& e) {
    if (e.address.is_v4()) {
      sockaddr_in a{};
      a.sin_family = AF_INET;
      a.sin_port = htons(e.port);
      a.sin_addr.s_addr = htonl(e.address.v4_bits());
      std::memcpy(&bytes, &a, length = sizeof a);
    } else {
      sockaddr_in6 a{};
      a.sin6_family = AF_INET6;
      a.sin6_port = htons(e.port);
      std::memcpy(&a.sin6_addr, e.address.bytes().data(), sizeof a.sin6_addr);
      std::memcpy(&bytes, &a, length = sizeof a);
    }
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

class datagrams : public kernel {
 protected:
  static constexpr nanos transit = millisecond;

  void SetUp() override {
    kernel::SetUp();
    options_.watch_datagrams = true;
    options_.idle_timeout = 300 * millisecond;
    options_.transit_floor = transit;
  }

  file_descriptor make(const std::string& ns, const char* where) {
    file_descriptor made;
    world_->inside(ns, [&] {
      const auto e = at(where);
      made = file_descriptor{::socket(e.address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
      const timeval limit{10, 0};
      ::setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      const udp_address a(e);
      ASSERT_EQ(::bind(made.get(), a.get(), a.length), 0) << std::strerror(errno);
    });
    return made;
  }

  static void say(const file_descriptor& s, const char* to, std::size_t bytes) {
    const std::string text(bytes, 'x');
    const udp_address a(at(to));
    ASSERT_EQ(::sendto(s.get(), text.data(), text.size(), 0, a.get(), a.length), static_cast<long>(bytes))
        << std::strerror(errno);
  }

  static void hear(const file_descriptor& s, std::size_t bytes) {
    char text[2048];
    ASSERT_EQ(::recv(s.get(), text, sizeof text, 0), static_cast<long>(bytes)) << std::strerror(errno);
  }

  /// The flows of this world's UDP sockets alone: the kernel of a new namespace speaks for itself, too.
  std::vector<observed_flow> told(std::uint64_t cookie, std::size_t count) {
    auto all = seen_.wait_for(cookie, count);
    std::erase_if(all, [](const auto& o) { return o.flow.transport != transport_protocol::udp; });
    return all;
  }
};

struct pair_of_addresses {
  const char* west;
  const char* east;
};

class datagrams_both_families : public datagrams, public ::testing::WithParamInterface<pair_of_addresses> {};

TEST_P(datagrams_both_families, an_exchange_is_one_flow_at_each_end) {
  options_.idle_timeout = 60 * second;  // until all was said
  ASSERT_NO_FATAL_FAILURE(start_source());
  assign(west_, at(GetParam().west).address.to_string().c_str(), 1);
  assign(east_, at(GetParam().east).address.to_string().c_str(), 2);
  const auto client = make("west", GetParam().west);
  const auto server = make("east", GetParam().east);
  const auto before = boot_now();
  for (int i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(say(client, GetParam().east, 100));
    ASSERT_NO_FATAL_FAILURE(hear(server, 100));
  }
  ASSERT_NO_FATAL_FAILURE(say(server, GetParam().west, 1000));
  ASSERT_NO_FATAL_FAILURE(hear(client, 1000));
  const auto after = boot_now();
  source_->set_timeouts(60 * second, 100 * millisecond);
  for (const bool opener : {true, false}) {
    const auto flows = told(opener ? west_ : east_, 1);
    ASSERT_EQ(flows.size(), 1U);
    const auto& f = flows[0].flow;
    EXPECT_EQ(f.reporter, opener ? reporter::source : reporter::destination);
    EXPECT_EQ(f.end, end_reason::idle_timeout);
    EXPECT_EQ((endpoint{f.near_address, f.near_port}), at(opener ? GetParam().west : GetParam().east));
    EXPECT_EQ((endpoint{f.far_address, f.far_port}), at(opener ? GetParam().east : GetParam().west));
    EXPECT_EQ(f.near_tenancy, (tenancy_id{incarnation, opener ? 1U : 2U}));
    EXPECT_NE(flows[0].cgroup, 0U);
    EXPECT_EQ(opener ? f.counters.bytes_sent : f.counters.bytes_received, 300U);
    EXPECT_EQ(opener ? f.counters.bytes_received : f.counters.bytes_sent, 1000U);
    EXPECT_EQ(opener ? f.counters.segments_sent : f.counters.segments_received, 3U);
    EXPECT_EQ(opener ? f.counters.segments_received : f.counters.segments_sent, 1U);
    EXPECT_FALSE(f.times.is_established);
    EXPECT_EQ(f.times.last_received, time_min);
    EXPECT_GE(f.times.opened, before - transit);
    EXPECT_LE(f.times.opened, after);
    EXPECT_GE(f.times.closed, f.times.opened);
    EXPECT_LE(f.times.closed, after + transit) << "idle time is no part of its life";
    EXPECT_FALSE(flows[0].open_before_agent);
  }
}

INSTANTIATE_TEST_SUITE_P(families, datagrams_both_families,
                         ::testing::Values(pair_of_addresses{"10.77.0.1:5000", "10.77.0.2:53"},
                                           pair_of_addresses{"[fd77::1]:5000", "[fd77::2]:53"}),
                         [](const auto& p) { return p.index == 0 ? "IPv4" : "IPv6"; });

TEST_F(datagrams, a_connected_socket_is_named_by_its_whole_address_only) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  assign(west_, "10.77.0.1:5000", 1);
  assign(east_, "10.77.0.2", 2);
  const auto client = make("west", "10.77.0.1:5000");
  const auto server = make("east", "10.77.0.2:53");
  const udp_address to(at("10.77.0.2:53"));
  ASSERT_EQ(::connect(client.get(), to.get(), to.length), 0);
  ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
  ASSERT_NO_FATAL_FAILURE(hear(server, 1));
  const auto flows = told(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].flow.far_port, 53);
  EXPECT_TRUE(flows[0].flow.near_tenancy.none()) << "a port's tenancy is about TCP";
}

TEST_F(datagrams, who_only_hears_is_a_destination_and_was_sent_to_before) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  const auto listener = make("west", "10.77.0.1:5000");
  const auto speaker = make("east", "10.77.0.2:6000");
  const auto before = boot_now();
  ASSERT_NO_FATAL_FAILURE(say(speaker, "10.77.0.1:5000", 10));
  ASSERT_NO_FATAL_FAILURE(hear(listener, 10));
  const auto after = boot_now();
  const auto flows = told(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].flow.reporter, reporter::destination);
  EXPECT_EQ(flows[0].flow.counters.segments_sent, 0U);
  EXPECT_GE(flows[0].flow.times.opened, before - transit);
  EXPECT_LE(flows[0].flow.times.opened, after - transit);
  const auto other = told(east_, 1);
  ASSERT_EQ(other.size(), 1U);
  EXPECT_EQ(other[0].flow.reporter, reporter::source);
  EXPECT_GE(other[0].flow.times.opened, before) << "nothing came, so nothing was under way";
}

TEST_F(datagrams, each_far_end_of_a_socket_is_a_flow_and_none_ends_while_it_goes_on) {
  options_.idle_timeout = 700 * millisecond;
  ASSERT_NO_FATAL_FAILURE(start_source());
  const auto client = make("west", "10.77.0.1:5000");
  const auto one = make("east", "10.77.0.2:53");
  const auto two = make("east", "10.77.0.2:54");
  ASSERT_NO_FATAL_FAILURE(say(client, "10.77.0.2:54", 1));
  // Longer than the idle timeout, but never silent for so long.
  for (const auto begin = boot_now(); boot_now() < begin + 2 * second;)
    ASSERT_NO_FATAL_FAILURE(say(client, "10.77.0.2:53", 1));
  const auto first = told(west_, 1);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].flow.far_port, 54);
  const auto both = told(west_, 2);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1].flow.far_port, 53);
  EXPECT_GE(both[1].flow.times.closed - both[1].flow.times.opened, 1900 * millisecond);
}

TEST_F(datagrams, a_long_flow_is_told_in_parts_that_add_up_and_the_rest_when_the_agent_ends) {
  options_.idle_timeout = 5 * second;
  ASSERT_NO_FATAL_FAILURE(start_source(200 * millisecond));
  const auto client = make("west", "10.77.0.1:5000");
  const auto server = make("east", "10.77.0.2:53");
  std::uint64_t said = 0;
  while (told(west_, 0).size() < 3) {
    ASSERT_NO_FATAL_FAILURE(say(client, "10.77.0.2:53", 10));
    ASSERT_NO_FATAL_FAILURE(hear(server, 10));
    said += 10;
  }
  ASSERT_NO_FATAL_FAILURE(say(client, "10.77.0.2:53", 7));
  ASSERT_NO_FATAL_FAILURE(hear(server, 7));
  said += 7;
  source_->stop();
  const auto flows = told(west_, 4);
  ASSERT_GE(flows.size(), 4U);
  std::uint64_t counted = 0;
  for (std::uint32_t part = 0; part < flows.size(); ++part) {
    const auto& f = flows[part].flow;
    const bool last = part + 1 == flows.size();
    EXPECT_EQ(f.part, part);
    EXPECT_EQ(f.connection, flows[0].flow.connection);
    EXPECT_EQ(f.end, last ? end_reason::forced_end : end_reason::active_timeout);
    const nanos before = part > 0 ? flows[part - 1].flow.times.closed - transit : 0;
    EXPECT_GE(f.times.opened + 2 * millisecond, before);
    counted += f.counters.bytes_sent;
  }
  EXPECT_EQ(counted, said);
}

TEST_F(datagrams, beyond_the_room_for_flows_they_are_counted_and_silent_ones_make_room) {
  options_.idle_timeout = 60 * second;
  options_.most_datagram_flows = 64;
  ASSERT_NO_FATAL_FAILURE(start_source());
  const auto client = make("west", "10.77.0.1:5000");
  // New ones come all the time, until the first that fell silent have made room for some of them.
  int port = 1000;
  for (nanos next = boot_now(); told(west_, 0).empty() && port < 30000; next += millisecond) {
    ASSERT_NO_FATAL_FAILURE(say(client, ("10.77.0.2:" + std::to_string(++port)).c_str(), 1));
    while (boot_now() < next) std::this_thread::yield();
  }
  EXPECT_GE(source_->counters().datagrams_untracked, 300U);
  const auto flows = told(west_, 1);
  ASSERT_GE(flows.size(), 1U);
  EXPECT_EQ(flows[0].flow.end, end_reason::lack_of_resources);
}

TEST_F(datagrams, a_socket_from_before_the_agent_is_nobodys) {
  assign(west_, "10.77.0.1", 1);
  const auto old = make("west", "10.77.0.1:5000");
  const auto server = make("east", "10.77.0.2:53");
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(say(old, "10.77.0.2:53", 1));
  const auto flows = told(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_TRUE(flows[0].open_before_agent);
  EXPECT_TRUE(flows[0].flow.near_tenancy.none());
}

TEST_F(datagrams, what_stays_in_one_namespace_is_left_out_and_counted) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  const auto client = make("west", "10.77.0.1:5000");
  const auto server = make("west", "10.77.0.1:53");
  ASSERT_NO_FATAL_FAILURE(say(client, "10.77.0.1:53", 1));
  ASSERT_NO_FATAL_FAILURE(hear(server, 1));
  EXPECT_GE(source_->counters().datagrams_left_out, 2U);
  source_->stop();
  EXPECT_EQ(told(west_, 0).size(), 0U);
}

}  // namespace
}  // namespace tenure::testing
