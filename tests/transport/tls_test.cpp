#include <atomic>
#include <mutex>
#include <random>

#include <gtest/gtest.h>

#include "tests/transport/certificates.hpp"
#include "tests/transport/raw_socket.hpp"
#include "tests/transport/recorder.hpp"
#include "transport/asio_transport.hpp"

namespace tenure::transport {
namespace {

using reasons = std::vector<close_reason>;

const certificate_wish node_wish{{"spiffe://prod/node/a"}};
const certificate_wish agent_wish{{"spiffe://prod/agent/b"}};

/// A node that listens with a certificate, and agents that dial it with theirs.
class tls : public testing::Test {
 protected:
  std::shared_ptr<tls_credentials> credentials(const authority::pair& own, const std::string& trusted,
                                               const std::string& name) {
    auto made = tls_credentials::load(folder.put(own, trusted, name));
    EXPECT_TRUE(made) << made.error().text;
    return *made;
  }
  std::shared_ptr<tls_credentials> issue(const certificate_wish& wish, const std::string& name) {
    return credentials(ours.issue(wish), ours.certificate(), name);
  }

  void listen(asio_options options = {}) {
    if (!options.credentials) options.credentials = issue(node_wish, "node");
    if (options.allowed.empty()) options.allowed = {*spiffe_pattern::parse("spiffe://prod/agent/*")};
    options.turned_down = [this](const std::string&, close_reason why) {
      std::lock_guard lock(mutex);
      down.push_back(why);
      changed.notify_all();
    };
    node = make_asio_transport(options);
    auto got = node->listen("127.0.0.1:0", [this](link_ptr l) {
      accepted.met(std::move(l));
      ++accepts;
      return accepted.events();
    });
    ASSERT_TRUE(got) << got.error().text;
    port = *got;
  }
  void dial(const std::shared_ptr<tls_credentials>& with) {
    asio_options options;
    options.credentials = with;
    options.allowed = {*spiffe_pattern::parse("spiffe://prod/node/*")};
    agent = make_asio_transport(options);
    link = agent->dial("127.0.0.1:" + std::to_string(port), dialed.events());
  }
  close_reason wait_turned_down() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, patience, [this] { return !down.empty(); });
    return down.empty() ? close_reason::closed_here : down.front();
  }
  void expect_refused(const std::shared_ptr<tls_credentials>& with, close_reason why) {
    listen();
    dial(with);
    link->send({1});
    EXPECT_EQ(wait_turned_down(), why) << to_string(wait_turned_down());
    ASSERT_TRUE(dialed.wait_closed());
    EXPECT_EQ(dialed.closes(), reasons{close_reason::unwelcome}) << to_string(dialed.closes()[0]);
    EXPECT_EQ(accepts, 0) << "nobody hears of a link before its other end is known";
  }

  authority ours;
  certificate_folder folder;
  recorder dialed;
  recorder second;
  recorder third;
  recorder accepted;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<close_reason> down;
  std::atomic<int> accepts = 0;
  std::unique_ptr<asio_transport> node;
  std::unique_ptr<asio_transport> agent;
  link_ptr link;
  std::uint16_t port = 0;
};

TEST_F(tls, frames_come_in_order_both_ways_and_each_end_knows_the_other) {
  listen();
  dial(issue(agent_wish, "agent"));
  constexpr std::size_t count = 5'000;
  for (std::size_t i = 0; i < count; ++i) link->send(frame(i % 300, i));
  ASSERT_TRUE(accepted.wait_frames(count));
  auto back = accepted.wait_link();
  EXPECT_EQ(back->identity(), "spiffe://prod/agent/b");
  for (std::size_t i = 0; i < count; ++i) back->send({i});
  ASSERT_TRUE(dialed.wait_frames(count));
  EXPECT_EQ(link->identity(), "spiffe://prod/node/a");
  auto there = accepted.frames();
  auto here = dialed.frames();
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ(there[i], frame(i % 300, i));
    ASSERT_EQ(here[i], frame{i});
  }
}

TEST_F(tls, the_longest_frames_come_whole_and_a_close_sends_what_was_queued) {
  listen();
  dial(issue(agent_wish, "agent"));
  frame longest(max_frame_bytes / 8);
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = i;
  for (int i = 0; i < 10; ++i) link->send(longest);
  link->close();
  ASSERT_TRUE(accepted.wait_closed());
  EXPECT_EQ(accepted.closes(), reasons{close_reason::closed_there});
  ASSERT_EQ(accepted.frames().size(), 10U);
  for (const auto& f : accepted.frames()) EXPECT_TRUE(f == longest);
  ASSERT_TRUE(dialed.wait_closed());
  EXPECT_EQ(dialed.closes(), reasons{close_reason::closed_here});
  EXPECT_EQ(agent->counters().frames_out, 10U);
  EXPECT_EQ(agent->counters().frames_unsent, 0U);
}

TEST_F(tls, an_expired_certificate_is_refused) {
  expect_refused(issue({agent_wish.uris, -7'200, -3'600}, "agent"), close_reason::expired);
}

TEST_F(tls, a_certificate_of_the_future_is_refused) {
  expect_refused(issue({agent_wish.uris, 3'600, 7'200}, "agent"), close_reason::expired);
}

TEST_F(tls, one_of_another_authority_is_refused) {
  authority another;
  expect_refused(credentials(another.issue(agent_wish), ours.certificate(), "agent"),
                 close_reason::untrusted);
}

TEST_F(tls, one_that_names_somebody_else_is_refused) {
  expect_refused(issue({{"spiffe://prod/node/b"}}, "agent"), close_reason::not_allowed);
}

TEST_F(tls, an_agent_refuses_what_is_no_node) {
  asio_options options;
  options.credentials = issue(agent_wish, "node");
  listen(options);
  dial(issue(agent_wish, "agent"));
  ASSERT_TRUE(dialed.wait_closed());
  EXPECT_EQ(dialed.closes(), reasons{close_reason::not_allowed});
  EXPECT_EQ(wait_turned_down(), close_reason::unwelcome);
}

TEST_F(tls, a_node_whose_own_certificate_ran_out_is_refused_by_agents) {
  asio_options options;
  options.credentials = issue({node_wish.uris, -7'200, -3'600}, "node");
  listen(options);
  dial(issue(agent_wish, "agent"));
  ASSERT_TRUE(dialed.wait_closed());
  EXPECT_EQ(dialed.closes(), reasons{close_reason::expired});
}

TEST_F(tls, plain_links_and_secured_ones_do_not_meet) {
  listen();
  dial(nullptr);
  link->send(frame(100, 1));
  EXPECT_EQ(wait_turned_down(), close_reason::not_tls);
  ASSERT_TRUE(dialed.wait_closed());
  EXPECT_EQ(accepts, 0);
}

TEST_F(tls, files_that_cannot_be_used_are_refused_at_once) {
  authority another;
  const auto good = ours.issue(node_wish);
  const auto refused = [&](const authority::pair& own, const std::string& trusted) {
    auto made = tls_credentials::load(folder.put(own, trusted, "bad"));
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().text;
  };
  EXPECT_NE(refused({good.certificate, another.issue(node_wish).key}, ours.certificate()).find("key "),
            std::string::npos);
  EXPECT_NE(refused({"nonsense", good.key}, ours.certificate()).find("certificate "), std::string::npos);
  EXPECT_NE(refused(good, "nonsense").find("authority "), std::string::npos);
  EXPECT_NE(refused(ours.issue({{}}), ours.certificate()).find("SPIFFE"), std::string::npos);
  EXPECT_NE(refused(ours.issue({{"spiffe://a/b", "spiffe://a/c"}}), ours.certificate()).find("SPIFFE"),
            std::string::npos);
  EXPECT_NE(refused(ours.issue({{"https://a/b"}}), ours.certificate()).find("SPIFFE"), std::string::npos);
  EXPECT_FALSE(
      tls_credentials::load({folder.path() / "none", folder.path() / "none", folder.path() / "none"}));
}

TEST_F(tls, rotated_files_serve_new_handshakes_and_links_that_are_up_live_on) {
  const auto own = issue(node_wish, "node");
  asio_options options;
  options.credentials = own;
  listen(options);
  const auto with = issue(agent_wish, "agent");
  dial(with);
  link->send({1});
  ASSERT_TRUE(accepted.wait_frames(1));

  // Another authority altogether, for both ends, and another name for the node.
  authority next;
  folder.put(next.issue({{"spiffe://prod/node/z"}}), next.certificate(), "node");
  folder.put(next.issue(agent_wish), next.certificate(), "agent");
  auto fresh = agent->dial("127.0.0.1:" + std::to_string(port), second.events());
  fresh->send({2});
  ASSERT_TRUE(accepted.wait_frames(2));
  accepted.wait_link()->send({9});
  ASSERT_TRUE(second.wait_frames(1));
  EXPECT_EQ(fresh->identity(), "spiffe://prod/node/z");
  EXPECT_EQ(own->rotations(), 1U);
  link->send({3});
  ASSERT_TRUE(accepted.wait_frames(3)) << "the link from before lives on";
  EXPECT_EQ(link->identity(), "spiffe://prod/node/a");

  // Nonsense in the files: what was there before goes on.
  folder.put({"nonsense", "nonsense"}, "nonsense", "node");
  auto again = agent->dial("127.0.0.1:" + std::to_string(port), third.events());
  again->send({4});
  ASSERT_TRUE(accepted.wait_frames(4));
  EXPECT_GE(own->failed_rotations(), 1U);
}

TEST_F(tls, garbage_instead_of_a_handshake_ends_its_link_alone) {
  listen();
  dial(issue(agent_wish, "agent"));
  link->send({1});
  ASSERT_TRUE(accepted.wait_frames(1));
  std::mt19937_64 random(11);
  for (std::size_t i = 0; i < 40; ++i) {
    std::vector<std::byte> garbage(1 + random() % 3'000);
    for (auto& b : garbage) b = static_cast<std::byte>(random());
    // Half of them begin like a ClientHello.
    const std::byte hello[] = {std::byte{22}, std::byte{3}, std::byte{1}, std::byte{2},  std::byte{0},
                               std::byte{1},  std::byte{0}, std::byte{1}, std::byte{252}};
    if (i % 2 == 0 && garbage.size() > sizeof hello)
      std::copy(std::begin(hello), std::end(hello), garbage.begin());
    raw_socket s;
    s.connect(port);
    try {
      s.write(garbage);
      s.shut();
      s.read_to_end();
    } catch (const std::system_error&) {  // it was reset before all was written
    }
  }
  link->send({2});
  EXPECT_TRUE(accepted.wait_frames(2));
  EXPECT_TRUE(dialed.closes().empty());
  EXPECT_EQ(accepts, 1);
}

TEST_F(tls, a_handshake_that_does_not_go_on_has_a_bound) {
  asio_options options;
  options.connect_bound = std::chrono::milliseconds(300);
  listen(options);
  raw_socket s;
  s.connect(port);
  EXPECT_EQ(wait_turned_down(), close_reason::timed_out);
  EXPECT_TRUE(s.read_to_end().empty());
}

}  // namespace
}  // namespace tenure::transport
