#include "transport/asio_transport.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/transport/recorder.hpp"

namespace tenure::transport {
namespace {

using reasons = std::vector<close_reason>;

/// A transport that listens on loopback, and one that dials it.
class asio_pair : public testing::Test {
 protected:
  void listen_on(const std::string& where = "127.0.0.1:0") {
    auto got = node.listen(where, [this](link_ptr l) {
      accepted.met(std::move(l));
      return accepted.events();
    });
    ASSERT_TRUE(got) << got.error().text;
    port = *got;
  }
  std::string address(const std::string& host = "127.0.0.1") const {
    return host + ":" + std::to_string(port);
  }

  recorder dialed;
  recorder accepted;
  asio_transport agent{asio_options{}};
  asio_transport node{asio_options{}};
  std::uint16_t port = 0;
};

TEST_F(asio_pair, frames_come_in_order_both_ways) {
  listen_on();
  auto link = agent.dial(address(), dialed.events());
  constexpr std::size_t count = 20'000;
  for (std::size_t i = 0; i < count; ++i) link->send(frame(i % 7, i));
  ASSERT_TRUE(accepted.wait_frames(count));
  auto back = accepted.wait_link();
  for (std::size_t i = 0; i < count; ++i) back->send({i});
  ASSERT_TRUE(dialed.wait_frames(count));
  auto there = accepted.frames();
  auto here = dialed.frames();
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(there[i], frame(i % 7, i));
    ASSERT_EQ(here[i], frame{i});
  }
  EXPECT_EQ(node.counters().frames_in, count);
  EXPECT_EQ(node.counters().bytes_in, agent.counters().bytes_out);
}

TEST_F(asio_pair, the_longest_frames_come_whole) {
  listen_on();
  auto link = agent.dial(address(), dialed.events());
  frame longest(max_frame_bytes / 8);
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = i;
  for (int i = 0; i < 10; ++i) link->send(longest);
  ASSERT_TRUE(accepted.wait_frames(10));
  for (const auto& f : accepted.frames()) EXPECT_TRUE(f == longest);
}

TEST_F(asio_pair, many_threads_may_send) {
  listen_on();
  auto link = agent.dial(address(), dialed.events());
  std::vector<std::thread> senders;
  for (std::uint64_t who = 0; who < 4; ++who) {
    senders.emplace_back([&, who] {
      for (std::uint64_t i = 0; i < 2'000; ++i) link->send({who, i});
    });
  }
  for (auto& s : senders) s.join();
  ASSERT_TRUE(accepted.wait_frames(8'000));
  std::vector<std::uint64_t> next(4, 0);
  for (const auto& f : accepted.frames()) ASSERT_EQ(f[1], next[f[0]]++) << "each thread's own order is kept";
}

// From the transport's own thread, so that it flushes none before all are given theirs.
TEST_F(asio_pair, links_that_are_given_something_together_all_send_it) {
  std::vector<link_ptr> links;
  std::atomic<bool> all_dialed = false;
  listen_on();
  link_events trigger;
  trigger.received = [&](const frame&) {
    if (!all_dialed) return;
    for (std::uint64_t i = 0; i < links.size(); ++i) links[i]->send({i});
  };
  auto first = agent.dial(address(), trigger);
  auto back = accepted.wait_link();
  ASSERT_TRUE(back);
  for (int i = 0; i < 20; ++i) links.push_back(agent.dial(address(), dialed.events()));
  all_dialed = true;
  for (int round = 1; round < 4; ++round) {
    back->send({0});
    ASSERT_TRUE(accepted.wait_frames(links.size() * static_cast<std::size_t>(round)));
  }
  std::vector<std::size_t> heard(links.size());
  for (const auto& f : accepted.frames()) ++heard[f[0]];
  EXPECT_EQ(heard, std::vector<std::size_t>(links.size(), 3));
}

TEST_F(asio_pair, what_was_sent_before_close_arrives_and_each_end_hears_of_it_once) {
  listen_on();
  auto link = agent.dial(address(), dialed.events());
  for (std::uint64_t i = 0; i < 1'000; ++i) link->send(frame(100, i));
  link->close();
  link->close();
  link->send({1});
  ASSERT_TRUE(accepted.wait_closed());
  ASSERT_TRUE(dialed.wait_closed());
  EXPECT_EQ(accepted.frames().size(), 1'000U);
  agent.stop();
  node.stop();
  EXPECT_EQ(dialed.closes(), reasons{close_reason::closed_here});
  EXPECT_EQ(accepted.closes(), reasons{close_reason::closed_there});
  EXPECT_EQ(agent.counters().frames_unsent, 1U);
  EXPECT_EQ(agent.counters().open, 0U);
}

TEST_F(asio_pair, a_close_under_traffic_ends_both_ends_once) {
  listen_on();
  auto link = agent.dial(address(), dialed.events());
  auto back = accepted.wait_link();
  ASSERT_TRUE(back);
  std::thread one([&] {
    while (dialed.closes().empty()) link->send(frame(64, 1));
  });
  std::thread two([&] {
    while (accepted.closes().empty()) back->send(frame(64, 2));
  });
  EXPECT_TRUE(accepted.wait_frames(100));
  back->close();
  one.join();
  two.join();
  agent.stop();
  node.stop();
  EXPECT_EQ(dialed.closes().size(), 1U);
  EXPECT_EQ(accepted.closes(), reasons{close_reason::closed_here});
  EXPECT_EQ(dialed.frames_after_close() + accepted.frames_after_close(), 0U);
}

TEST_F(asio_pair, stop_while_busy_closes_everything_once_and_then_nothing_is_called) {
  listen_on();
  constexpr int links = 20;
  std::vector<recorder> ends(links);
  std::vector<link_ptr> held;
  for (auto& e : ends) held.push_back(agent.dial(address(), e.events()));
  std::atomic<bool> done = false;
  std::thread sender([&] {
    while (!done) {
      for (auto& l : held) l->send(frame(16, 3));
    }
  });
  EXPECT_TRUE(accepted.wait_frames(1'000));
  agent.stop();
  for (auto& e : ends) EXPECT_EQ(e.closes().size(), 1U);
  done = true;
  sender.join();
  node.stop();
  EXPECT_EQ(agent.counters().open, 0U);
  EXPECT_EQ(accepted.closes().size(), links);
  auto late = agent.dial(address(), dialed.events());
  late->send({1});
  late->close();
  EXPECT_TRUE(dialed.closes().empty());
}

TEST_F(asio_pair, a_dial_where_nobody_listens_is_refused) {
  asio_transport closed{asio_options{}};
  auto free = closed.listen("127.0.0.1:0", [](link_ptr) { return link_events{}; });
  ASSERT_TRUE(free);
  closed.stop();
  for (const auto& where : {"127.0.0.1:" + std::to_string(*free), std::string("not an address")}) {
    recorder r;
    auto link = agent.dial(where, r.events());
    link->send({1});
    ASSERT_TRUE(r.wait_closed());
    EXPECT_EQ(r.closes(), reasons{close_reason::refused}) << where;
    EXPECT_EQ(link->peer(), where);
  }
  EXPECT_EQ(agent.counters().frames_unsent, 2U);
}

TEST_F(asio_pair, links_may_be_dialed_and_closed_from_within_events) {
  listen_on();
  recorder second;
  link_ptr again;
  auto first = agent.dial(
      address(), {[](frame) {}, [&](close_reason) { again = agent.dial(address(), second.events()); }});
  first->close();
  agent.stop();
  EXPECT_EQ(agent.counters().open, 0U);
}

TEST_F(asio_pair, ipv6_and_names_work_too) {
  listen_on("[::1]:0");
  auto link = agent.dial(address("[::1]"), dialed.events());
  link->send({42});
  ASSERT_TRUE(accepted.wait_frames(1));
  EXPECT_TRUE(accepted.wait_link()->peer().starts_with("[::1]:"));
  recorder by_name;
  asio_transport other{asio_options{}};
  auto got = other.listen("localhost:0", [&](link_ptr) { return by_name.events(); });
  ASSERT_TRUE(got) << got.error().text;
  auto named = agent.dial("localhost:" + std::to_string(*got), {});
  named->send({43});
  EXPECT_TRUE(by_name.wait_frames(1));
  other.stop();
}

TEST_F(asio_pair, a_port_that_is_taken_is_refused_in_one_line) {
  listen_on();
  auto again = agent.listen(address(), [](link_ptr) { return link_events{}; });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().trouble, trouble::refused);
  EXPECT_NE(again.error().text.find(address()), std::string::npos);
  EXPECT_EQ(again.error().text.find('\n'), std::string::npos);
  EXPECT_EQ(agent.listen("nonsense", {}).error().trouble, trouble::usage);
  EXPECT_EQ(agent.listen("203.0.113.9:0", {}).error().trouble, trouble::refused);
}

}  // namespace
}  // namespace tenure::transport
