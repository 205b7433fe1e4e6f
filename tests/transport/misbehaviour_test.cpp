#include <arpa/inet.h>
#include <array>
#include <functional>
#include <memory>
#include <random>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/transport/raw_socket.hpp"
#include "tests/transport/recorder.hpp"
#include "transport/asio_transport.hpp"

namespace tenure::transport {
namespace {

using std::chrono::milliseconds;
using reasons = std::vector<close_reason>;

/// A transport that listens, a good link to it, and raw sockets beside it.
class misbehaviour : public testing::Test {
 protected:
  void listen_with(const asio_options& options) {
    node = make_asio_transport(options);
    auto got = node->listen("127.0.0.1:0", [this](link_ptr l) {
      auto& end = next_end();
      end.met(std::move(l));
      return end.events();
    });
    ASSERT_TRUE(got) << got.error().text;
    port = *got;
  }

  recorder& next_end() {
    std::lock_guard lock(mutex);
    return ends.at(accepted++);
  }

  /// The ends stay where they are: events point at them.
  std::array<recorder, 32> ends;
  std::mutex mutex;
  std::size_t accepted = 0;
  std::unique_ptr<asio_transport> node;
  std::uint16_t port = 0;
};

TEST_F(misbehaviour, each_kind_ends_its_own_link_with_its_reason_and_no_other) {
  listen_with({});
  recorder good;
  auto agent = make_asio_transport();
  auto link = agent->dial("127.0.0.1:" + std::to_string(port), good.events());
  link->send({1});
  ASSERT_TRUE(ends[0].wait_frames(1));

  const std::vector<std::byte> some(11, std::byte{7});
  const std::pair<std::function<void(raw_socket&)>, close_reason> cases[] = {
      {[](raw_socket& s) { s.shut(); }, close_reason::closed_there},
      {[](raw_socket& s) {
         s.write_length(8);
         s.shut();
       },
       close_reason::truncated},
      {[&](raw_socket& s) {
         s.write_length(16);
         s.write(some);
         s.shut();
       },
       close_reason::truncated},
      {[&](raw_socket& s) {
         s.write(std::span(some).first(3));
         s.shut();
       },
       close_reason::truncated},
      {[](raw_socket& s) { s.write_length(static_cast<std::uint32_t>(max_frame_bytes) + 8); },
       close_reason::too_long},
      {[](raw_socket& s) { s.write_length(12); }, close_reason::too_long},
      {[](raw_socket& s) { s.write(std::as_bytes(std::span("GET / HTTP/1.1\r\n\r\n"))); },
       close_reason::too_long},
      {[](raw_socket& s) {
         s.write_length(64);
         s.reset();
       },
       close_reason::broken},
  };
  std::size_t at = 1;
  for (const auto& [misbehave, reason] : cases) {
    raw_socket s;
    s.connect(port);
    ASSERT_TRUE(ends[at].wait_link());
    misbehave(s);
    ASSERT_TRUE(ends[at].wait_closed()) << at;
    EXPECT_EQ(ends[at].closes(), reasons{reason}) << at;
    EXPECT_TRUE(ends[at].frames().empty());
    EXPECT_GE(node->counters().closed[static_cast<std::size_t>(reason)], 1U);
    ++at;
  }
  link->send({2});
  EXPECT_TRUE(ends[0].wait_frames(2));
  EXPECT_TRUE(good.closes().empty());
}

TEST_F(misbehaviour, random_bytes_end_their_link_alone) {
  listen_with({});
  std::mt19937_64 random(7);
  for (std::size_t i = 0; i < 20; ++i) {
    std::vector<std::byte> garbage(1 + random() % 5'000);
    for (auto& b : garbage) b = static_cast<std::byte>(random());
    raw_socket s;
    s.connect(port);
    try {
      s.write(garbage);
      s.shut();
    } catch (const std::system_error&) {  // it was reset before all was written
    }
    ASSERT_TRUE(ends[i].wait_closed());
    EXPECT_EQ(ends[i].closes().size(), 1U);
  }
}

TEST_F(misbehaviour, one_that_does_not_read_is_dropped_at_the_bound) {
  asio_options options;
  options.queue_bytes = 8U << 20;
  listen_with(options);
  raw_socket s;
  s.connect(port);
  auto link = ends[0].wait_link();
  ASSERT_TRUE(link);
  const frame big(max_frame_bytes / 8, 1);
  std::size_t sent = 0;
  while (ends[0].closes().empty() && sent < 1'000) {
    link->send(big);
    ++sent;
  }
  ASSERT_TRUE(ends[0].wait_closed());
  EXPECT_EQ(ends[0].closes(), reasons{close_reason::too_slow});
  const auto& counted = node->counters();
  EXPECT_EQ(counted.frames_out + counted.frames_unsent, sent) << "every frame is accounted for";
}

TEST_F(misbehaviour, silence_has_a_bound_and_a_word_in_time_keeps_the_link) {
  asio_options options;
  options.silence_bound = milliseconds(300);
  listen_with(options);
  raw_socket silent;
  silent.connect(port);
  ASSERT_TRUE(ends[0].wait_link());
  raw_socket talking;
  talking.connect(port);
  ASSERT_TRUE(ends[1].wait_link());
  // Empty frames all the while, until the silent one is dropped: by then the other one has lived as long.
  while (ends[0].closes().empty()) {
    talking.write_length(0);
    ASSERT_TRUE(ends[1].wait_frames(1));
  }
  EXPECT_EQ(ends[0].closes(), reasons{close_reason::timed_out});
  EXPECT_TRUE(ends[1].closes().empty());
}

TEST_F(misbehaviour, a_close_waits_for_the_other_side_within_its_bound) {
  asio_options options;
  options.drain_bound = milliseconds(200);
  listen_with(options);
  raw_socket s;
  s.connect(port);
  auto link = ends[0].wait_link();
  ASSERT_TRUE(link);
  link->send({1, 2});
  link->close();
  ASSERT_TRUE(ends[0].wait_closed()) << "it never closes its end";
  EXPECT_EQ(ends[0].closes(), reasons{close_reason::closed_here});
  EXPECT_EQ(s.read_to_end().size(), 20U) << "what was queued came, though";
}

TEST_F(misbehaviour, stop_is_bounded_though_nobody_reads) {
  asio_options options;
  options.drain_bound = milliseconds(200);
  listen_with(options);
  raw_socket s;
  s.connect(port);
  auto link = ends[0].wait_link();
  ASSERT_TRUE(link);
  for (int i = 0; i < 8; ++i) link->send(frame(max_frame_bytes / 8, 1));
  node->stop();
  EXPECT_EQ(ends[0].closes(), reasons{close_reason::closed_here});
  EXPECT_EQ(node->counters().frames_out + node->counters().frames_unsent, 8U);
}

TEST_F(misbehaviour, a_dial_that_nobody_answers_times_out) {
  // A listener that never accepts, with room for one: SYNs beyond are not answered.
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(where);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), length), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &length), 0);
  asio_options options;
  options.connect_bound = milliseconds(300);
  std::array<recorder, 4> dialed;  // before what tells them
  auto agent = make_asio_transport(options);
  auto address = "127.0.0.1:" + std::to_string(ntohs(where.sin_port));
  std::vector<link_ptr> links;
  for (auto& r : dialed) links.push_back(agent->dial(address, r.events()));
  ASSERT_TRUE(dialed[3].wait_closed());
  EXPECT_EQ(dialed[3].closes(), reasons{close_reason::timed_out});
  ::close(fd);
}

TEST_F(misbehaviour, links_beyond_the_most_are_turned_away) {
  asio_options options;
  options.max_links = 1;
  listen_with(options);
  raw_socket first;
  first.connect(port);
  ASSERT_TRUE(ends[0].wait_link());
  raw_socket second;
  second.connect(port);
  EXPECT_TRUE(second.read_to_end().empty());
  EXPECT_EQ(node->counters().turned_away, 1U);
  EXPECT_TRUE(ends[0].closes().empty());
}

/// Lowers the process's bound on descriptors to what is in use, for as long as it lives.
class no_more_descriptors {
 public:
  no_more_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int free = ::dup(0);
    ::close(free);
    rlimit now{static_cast<rlim_t>(free), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(misbehaviour, a_want_of_descriptors_delays_a_link_and_no_more) {
  listen_with({});
  raw_socket s;
  {
    no_more_descriptors bound;
    s.connect(port);
    auto end = std::chrono::steady_clock::now() + patience;
    while (node->counters().accept_errors < 2 && std::chrono::steady_clock::now() < end) ::sched_yield();
    EXPECT_GE(node->counters().accept_errors, 2U);
    EXPECT_LT(node->counters().accept_errors, 100U) << "it backs off";
  }
  s.write_length(0);
  ASSERT_TRUE(ends[0].wait_frames(1));
}

}  // namespace
}  // namespace tenure::transport
