#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <thread>

#include "tests/agent/kernel_fixture.hpp"

// How records end, and in how many parts: with the real kernel.
namespace tenure::testing {
namespace {

/// One connection between west and east that is held open.
class kernel_endings : public kernel {
 protected:
  void connect_both(const char* where = "10.77.0.2:80") {
    server_ = listener("east", where);
    ASSERT_EQ(connect("west", where, client_), 0);
    accepted_ = accept_from(server_);
    ASSERT_TRUE(accepted_);
  }

  void talk(std::size_t bytes) {
    ASSERT_EQ(send_bytes(client_, bytes), 0);
    ASSERT_EQ(receive_bytes(accepted_, bytes), static_cast<long>(bytes));
  }

  static void wait(nanos time) {
    for (const auto begin = boot_now(); boot_now() < begin + time;) std::this_thread::yield();
  }

  static void set(const file_descriptor& s, int level, int option, int value) {
    ASSERT_EQ(::setsockopt(s.get(), level, option, &value, sizeof value), 0);
  }

  static void reset(file_descriptor& s) {
    const linger at_once{1, 0};
    ASSERT_EQ(::setsockopt(s.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    s = {};
  }

  static constexpr nanos stamp_slack = millisecond;
  file_descriptor server_;
  file_descriptor client_;
  file_descriptor accepted_;
};

TEST_F(kernel_endings, a_long_connection_is_told_in_parts_that_add_up) {
  ASSERT_NO_FATAL_FAILURE(start_source(200 * millisecond));
  assign(west_, "10.77.0.1", 1);
  ASSERT_NO_FATAL_FAILURE(connect_both());
  std::size_t said = 0;
  for (std::size_t wanted = 1; wanted <= 3; ++wanted) {
    ASSERT_NO_FATAL_FAILURE(talk(1000));
    said += 1000;
    ASSERT_GE(seen_.wait_for(west_, wanted).size(), wanted);
  }
  ASSERT_NO_FATAL_FAILURE(talk(500));
  said += 500;
  client_ = {};
  ASSERT_EQ(receive_bytes(accepted_, 1), 0);
  accepted_ = {};
  auto flows = seen_.wait_for(west_, 4);
  ASSERT_GE(flows.size(), 4U);
  std::uint64_t counted = 0;
  std::uint64_t segments = 0;
  nanos ended = 0;
  for (std::uint32_t part = 0; part < flows.size(); ++part) {
    const auto& f = flows[part].flow;
    EXPECT_EQ(f.part, part);
    EXPECT_EQ(f.connection, flows[0].flow.connection);
    EXPECT_EQ(f.near_tenancy, (tenancy_id{incarnation, 1}));
    EXPECT_EQ(f.times.established, flows[0].flow.times.established);
    EXPECT_EQ(f.near_initial_sequence, flows[0].flow.near_initial_sequence);
    EXPECT_GT(f.times.closed, ended);
    EXPECT_LE(f.times.last_received, f.times.closed);
    EXPECT_EQ(f.end, part + 1 < flows.size() ? end_reason::active_timeout : end_reason::end_of_flow);
    ended = f.times.closed;
    counted += f.counters.bytes_sent;
    segments += f.counters.segments_sent;
  }
  EXPECT_EQ(counted, said);
  EXPECT_LT(segments, 40U) << "each part tells only what is new";
}

TEST_F(kernel_endings, a_connection_that_lives_on_keeps_what_was_known_of_it_when_young) {
  // A part is due after a second: by then four walks have passed, and moved what is kept of it.
  ASSERT_NO_FATAL_FAILURE(start_source(second));
  assign(west_, "10.77.0.1", 1);
  const auto before = boot_now();
  ASSERT_NO_FATAL_FAILURE(connect_both());
  const auto after = boot_now();
  ASSERT_NO_FATAL_FAILURE(talk(1000));
  // Either end's part may come a walk before the other's.
  for (const auto cookie : {west_, east_}) ASSERT_GE(seen_.wait_for(cookie, 1).size(), 1U);
  ASSERT_NO_FATAL_FAILURE(talk(500));
  client_ = {};
  ASSERT_EQ(receive_bytes(accepted_, 1), 0);
  accepted_ = {};
  for (const auto cookie : {west_, east_}) {
    const auto seen = seen_.wait_for(cookie, 2);
    ASSERT_EQ(seen.size(), 2U) << (cookie == west_ ? "of the client" : "of the server");
    EXPECT_FALSE(seen[1].open_before_agent);
    EXPECT_GE(seen[1].flow.times.established, before);
    EXPECT_LE(seen[1].flow.times.established, after + stamp_slack);
    EXPECT_EQ(seen[1].flow.connection, seen[0].flow.connection);
    EXPECT_EQ(seen[1].flow.part, 1U);
  }
  EXPECT_EQ(seen_.wait_for(west_, 2)[1].flow.near_tenancy, (tenancy_id{incarnation, 1}));
}

TEST_F(kernel_endings, a_silent_connection_has_one_part_until_it_ends) {
  ASSERT_NO_FATAL_FAILURE(start_source(100 * millisecond));
  ASSERT_NO_FATAL_FAILURE(connect_both());
  ASSERT_EQ(seen_.wait_for(west_, 1).size(), 1U);
  wait(500 * millisecond);
  EXPECT_EQ(seen_.wait_for(west_, 0).size(), 1U);
  client_ = {};
  ASSERT_EQ(receive_bytes(accepted_, 1), 0);
  accepted_ = {};
  const auto flows = seen_.wait_for(west_, 2);
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[1].flow.part, 1U);
  EXPECT_EQ(flows[1].flow.connection, flows[0].flow.connection);
}

TEST_F(kernel_endings, a_fin_that_came_before_a_part_is_not_counted_in_the_next) {
  ASSERT_NO_FATAL_FAILURE(start_source(100 * millisecond));
  ASSERT_NO_FATAL_FAILURE(connect_both());
  ASSERT_NO_FATAL_FAILURE(talk(10));
  ASSERT_EQ(::shutdown(client_.get(), SHUT_WR), 0);
  ASSERT_EQ(receive_bytes(accepted_, 1), 0);
  ASSERT_GE(seen_.wait_for(east_, 1).size(), 1U);
  accepted_ = {};
  client_ = {};
  const auto flows = seen_.wait_for(east_, 2);
  ASSERT_GE(flows.size(), 2U);
  std::uint64_t received = 0;
  for (const auto& f : flows) received += f.flow.counters.bytes_received;
  EXPECT_EQ(received, 10U);
}

TEST_F(kernel_endings, what_is_open_when_the_agent_ends_is_cut_off_and_said_once) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_both());
  ASSERT_NO_FATAL_FAILURE(talk(10));
  source_->stop();
  const auto flows = seen_.wait_for(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].flow.end, end_reason::forced_end);
  EXPECT_EQ(flows[0].flow.counters.bytes_sent, 10U);
  EXPECT_EQ(seen_.wait_for(east_, 1).size(), 1U);
}

TEST_F(kernel_endings, a_reset_from_either_side_ends_the_flow) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  for (const bool by_client : {true, false}) {
    ASSERT_NO_FATAL_FAILURE(connect_both(by_client ? "10.77.0.2:80" : "10.77.0.2:81"));
    ASSERT_NO_FATAL_FAILURE(talk(10));
    ASSERT_NO_FATAL_FAILURE(reset(by_client ? client_ : accepted_));
    EXPECT_EQ(receive_bytes(by_client ? accepted_ : client_, 1), -ECONNRESET);
    client_ = {};
    accepted_ = {};
  }
  for (const auto ns : {west_, east_}) {
    const auto flows = seen_.wait_for(ns, 2);
    ASSERT_EQ(flows.size(), 2U);
    for (const auto& f : flows) {
      EXPECT_EQ(f.flow.end, end_reason::end_of_flow);
      EXPECT_TRUE(f.flow.times.is_established);
      EXPECT_EQ(f.flow.connect_errno, 0);
      EXPECT_EQ(f.flow.counters.bytes_sent + f.flow.counters.bytes_received, 10U);
    }
  }
}

TEST_F(kernel_endings, whoever_closes_first_both_ends_are_told) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  for (const bool by_client : {true, false}) {
    ASSERT_NO_FATAL_FAILURE(connect_both(by_client ? "10.77.0.2:80" : "10.77.0.2:81"));
    auto& first = by_client ? client_ : accepted_;
    auto& second = by_client ? accepted_ : client_;
    first = {};
    ASSERT_EQ(receive_bytes(second, 1), 0);
    second = {};
  }
  for (const auto ns : {west_, east_}) {
    const auto flows = seen_.wait_for(ns, 2);
    ASSERT_EQ(flows.size(), 2U);
    for (const auto& f : flows) EXPECT_EQ(f.flow.end, end_reason::end_of_flow);
    EXPECT_EQ(flows[0].flow.reporter, ns == west_ ? reporter::source : reporter::destination);
  }
}

TEST_F(kernel_endings, a_far_end_that_falls_silent_is_an_idle_timeout) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  ASSERT_NO_FATAL_FAILURE(connect_both());
  ASSERT_NO_FATAL_FAILURE(talk(10));
  ASSERT_NO_FATAL_FAILURE(set(client_, IPPROTO_TCP, TCP_USER_TIMEOUT, 300));
  world_->ip("-n @east link set @w down");
  ASSERT_EQ(send_bytes(client_, 10), 0);
  EXPECT_EQ(receive_bytes(client_, 1), -ETIMEDOUT);
  client_ = {};
  const auto flows = seen_.wait_for(west_, 1);
  const auto c = source_->counters();
  ASSERT_EQ(flows.size(), 1U) << c.events << " events, " << c.events_lost << " lost, " << c.runs_missed
                              << " missed, " << c.sockets_untracked << " untracked, " << c.loopback_left_out
                              << " left out";
  EXPECT_EQ(flows[0].flow.end, end_reason::idle_timeout);
  EXPECT_TRUE(flows[0].flow.times.is_established);
}

TEST_F(kernel_endings, a_connect_to_an_address_that_nobody_has_ends_with_its_errno) {
  ASSERT_NO_FATAL_FAILURE(start_source());
  file_descriptor client;
  ASSERT_EQ(connect("west", "10.77.0.99:80", client), -EHOSTUNREACH);
  const auto flows = seen_.wait_for(west_, 1);
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].flow.connect_errno, EHOSTUNREACH);
  EXPECT_EQ(flows[0].flow.end, end_reason::idle_timeout);
  EXPECT_FALSE(flows[0].flow.times.is_established);
}

}  // namespace
}  // namespace tenure::testing
