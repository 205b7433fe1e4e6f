#include "cluster/membership.hpp"

#include <condition_variable>
#include <mutex>
#include <poll.h>

#include <gtest/gtest.h>

#include "cluster/etcd_membership.hpp"
#include "tests/cluster/etcd_process.hpp"

namespace tenure::cluster {
namespace {

/// Far beyond what anything here takes; it only ends a test that hangs.
constexpr std::chrono::seconds patience{30};

using names = std::vector<std::string>;

/// Keeps what a membership says, for a test's thread to wait for.
class listener {
 public:
  membership_events events() {
    return {[this](const membership_view& v) {
              std::lock_guard lock(mutex_);
              views_.push_back(v);
              changed_.notify_all();
            },
            [this](const failure& f) {
              std::lock_guard lock(mutex_);
              failure_ = f.text;
              changed_.notify_all();
            }};
  }
  /// Waits until the last view is one of these.
  bool sees(const names& expected) {
    return wait([&] { return !views_.empty() && names_of(views_.back()) == expected; });
  }
  bool fails() {
    return wait([&] { return !failure_.empty(); });
  }
  std::size_t views() {
    std::lock_guard lock(mutex_);
    return views_.size();
  }
  membership_view last() {
    std::lock_guard lock(mutex_);
    return views_.empty() ? membership_view{} : views_.back();
  }
  std::string failure_text() {
    std::lock_guard lock(mutex_);
    return failure_;
  }
  bool epochs_grow() {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 1; i < views_.size(); ++i)
      if (views_[i].epoch <= views_[i - 1].epoch) return false;
    return true;
  }
  template <class Holds>
  bool wait(Holds holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, holds);
  }
  const std::vector<membership_view>& all() const { return views_; }

 private:
  static names names_of(const membership_view& v) {
    names out;
    for (const auto& m : v.members) out.push_back(m.name);
    return out;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<membership_view> views_;
  std::string failure_;
};

class etcd_members : public testing::Test {
 protected:
  std::unique_ptr<etcd_membership> node(const std::string& name, std::uint64_t incarnation = 1,
                                        const std::string& cluster = "test") {
    etcd_options options;
    options.endpoints = {etcd.endpoint()};
    options.cluster = cluster;
    options.lease = std::chrono::seconds{2};
    options.pace = std::chrono::milliseconds{200};
    auto made = etcd_membership::make(options, {name, name + ":4743", 1, incarnation});
    EXPECT_TRUE(made) << made.error().text;
    return std::move(*made);
  }

  etcd_process etcd;
  // Before the nodes that tell them, so that they outlive them.
  listener a_hears;
  listener b_hears;
  listener c_hears;
};

TEST_F(etcd_members, the_requests_mean_what_they_say) {
  const auto client = etcd.client();
  const auto lease = client->grant(std::chrono::seconds{60});
  ASSERT_TRUE(lease) << lease.error().text;
  const std::string bytes("\0\xff{\"}\n", 7);
  ASSERT_TRUE(client->put("/t/one", bytes, *lease));
  ASSERT_TRUE(client->put("/t/two", "", 0));
  ASSERT_TRUE(client->put("/u/three", "x", 0));
  auto found = client->range("/t/");
  ASSERT_TRUE(found) << found.error().text;
  ASSERT_EQ(found->items.size(), 2U);
  EXPECT_EQ(found->items[0].key, "/t/one");
  EXPECT_EQ(found->items[0].value, bytes);
  EXPECT_EQ(found->items[1].value, "");
  EXPECT_GT(found->revision, found->items[0].revision);
  EXPECT_TRUE(client->keep_alive(*lease).value());
  ASSERT_TRUE(client->revoke(*lease));
  EXPECT_FALSE(client->keep_alive(*lease).value());
  EXPECT_EQ(client->range("/t/")->items.size(), 1U) << "a key goes with its lease";
  EXPECT_FALSE(client->put("/t/one", "x", *lease)) << "there is no such lease any more";
  // Both changes lie after that revision: the wait ends at once, not after its bound.
  client->wait_for_change("/t/", found->revision + 1, patience);
  EXPECT_FALSE(etcd_client::make("ftp://127.0.0.1:1", patience));
  EXPECT_FALSE(etcd_client::make("127.0.0.1:2379", patience));
}

TEST_F(etcd_members, see_each_other_come_and_go) {
  const auto a = node("a");
  a->start(a_hears.events());
  ASSERT_TRUE(a_hears.sees({"a"}));
  const auto b = node("b", 77);
  b->start(b_hears.events());
  ASSERT_TRUE(a_hears.sees({"a", "b"}));
  ASSERT_TRUE(b_hears.sees({"a", "b"}));
  EXPECT_EQ(a_hears.last().members[1], (member{"b", "b:4743", 1, 77}));
  const auto elsewhere = node("c", 1, "another");
  elsewhere->start(c_hears.events());
  ASSERT_TRUE(c_hears.sees({"c"})) << "another cluster in the same etcd";

  ASSERT_TRUE(b->leave());
  EXPECT_TRUE(a_hears.sees({"a"}));
  EXPECT_TRUE(b_hears.sees({"a"})) << "one that leaves goes on hearing";
  EXPECT_TRUE(a_hears.epochs_grow());
}

TEST_F(etcd_members, one_that_dies_is_dropped_when_its_lease_is_over_and_back_at_once_with_its_new_life) {
  const auto a = node("a");
  a->start(a_hears.events());
  auto b = node("b", 1);
  b->start(b_hears.events());
  ASSERT_TRUE(a_hears.sees({"a", "b"}));
  b->stop();  // without a word to etcd
  const auto again = node("b", 2);
  again->start(c_hears.events());
  ASSERT_TRUE(a_hears.wait([&] { return a_hears.all().back().members.back().incarnation == 2; }));
  again->stop();
  EXPECT_TRUE(a_hears.sees({"a"}));
}

TEST_F(etcd_members, go_on_with_what_they_knew_while_etcd_is_away) {
  const auto a = node("a");
  const auto b = node("b");
  a->start(a_hears.events());
  b->start(b_hears.events());
  ASSERT_TRUE(a_hears.sees({"a", "b"}));
  ASSERT_TRUE(b_hears.sees({"a", "b"}));
  const auto told = a_hears.views();
  etcd.kill();
  const auto end = std::chrono::steady_clock::now() + patience;
  while (a->counters().failures < 5 && std::chrono::steady_clock::now() < end) {
  }
  EXPECT_GE(a->counters().failures, 5U);
  EXPECT_EQ(a_hears.views(), told);
  EXPECT_FALSE(a->counters().reached);
  // It comes back knowing nobody, so that all register anew.
  etcd.start_again(true);
  const auto c = node("c");
  c->start(c_hears.events());
  EXPECT_TRUE(a_hears.sees({"a", "b", "c"}));
  EXPECT_TRUE(b_hears.sees({"a", "b", "c"}));
  EXPECT_EQ(a->counters().registrations, 2U);
  EXPECT_TRUE(a_hears.epochs_grow());
}

TEST_F(etcd_members, of_two_with_one_name_the_earlier_says_so_and_ends) {
  const auto one = node("a", 1);
  one->start(a_hears.events());
  ASSERT_TRUE(a_hears.sees({"a"}));
  const auto two = node("a", 2);
  two->start(b_hears.events());
  EXPECT_TRUE(a_hears.fails());
  EXPECT_NE(a_hears.failure_text().find("'a'"), std::string::npos);
  EXPECT_TRUE(b_hears.sees({"a"}));
  EXPECT_EQ(b_hears.failure_text(), "");
}

TEST_F(etcd_members, pass_over_keys_that_are_no_members) {
  const auto client = etcd.client();
  for (const char* value : {"", "nonsense", "[1]", "{}", R"({"address":7,"weight":1,"incarnation":"1"})",
                            R"({"address":"x:1","weight":0,"incarnation":"1"})",
                            R"({"address":"x:1","weight":1,"incarnation":"one"})",
                            R"({"address":"x:1","weight":1e99,"incarnation":"1"})"})
    ASSERT_TRUE(client->put("/test/nodes/z" + std::to_string(std::hash<std::string>{}(value)), value, 0));
  ASSERT_TRUE(client->put("/test/nodes/", R"({"address":"x:1","weight":1,"incarnation":"1"})", 0));
  const auto a = node("a");
  a->start(a_hears.events());
  EXPECT_TRUE(a_hears.sees({"a"}));
  EXPECT_GE(a->counters().entries_refused, 9U);
}

TEST_F(etcd_members, a_leave_that_cannot_be_said_is_bounded_and_says_so) {
  const auto a = node("a");
  a->start(a_hears.events());
  ASSERT_TRUE(a_hears.sees({"a"}));
  etcd.kill();
  EXPECT_FALSE(a->leave());
  a->stop();
  EXPECT_EQ(a_hears.views(), 1U);
}

TEST(etcd_membership, options_that_cannot_work_are_refused) {
  const member self{"a", "a:1", 1, 1};
  EXPECT_FALSE(etcd_membership::make({}, self));
  etcd_options options;
  options.endpoints = {"http://127.0.0.1:1"};
  EXPECT_TRUE(etcd_membership::make(options, self));
  EXPECT_FALSE(etcd_membership::make(options, {"", "a:1", 1, 1}));
  EXPECT_FALSE(etcd_membership::make(options, {"a", "a:1", 0, 1}));
  options.cluster = "a/b";
  EXPECT_FALSE(etcd_membership::make(options, self));
  options.cluster = "a";
  options.endpoints.push_back("etcd:2379");
  EXPECT_FALSE(etcd_membership::make(options, self));
}

TEST(static_membership, tells_its_list_once_and_cannot_be_left) {
  auto list = make_static_membership({{"b", "b:1"}, {"a", "a:1", 2}});
  ASSERT_TRUE(list);
  listener hears;
  (*list)->start(hears.events());
  EXPECT_TRUE(hears.sees({"a", "b"}));
  EXPECT_EQ(hears.views(), 1U);
  EXPECT_FALSE((*list)->leave());
  const auto r = ring_of(hears.last(), 2);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->members()[0].weight, 2U);
  EXPECT_FALSE(make_static_membership({}));
  EXPECT_FALSE(make_static_membership({{"a", "a:1"}, {"a", "b:1"}}));
}

}  // namespace
}  // namespace tenure::cluster
