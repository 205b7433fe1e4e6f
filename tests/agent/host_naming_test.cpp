#include "agent/host_naming.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <stdlib.h>

#include <gtest/gtest.h>

#include "agent/file_watch.hpp"
#include "tests/transport/certificates.hpp"

namespace tenure::agent {
namespace {

address at(const char* text) {
  return address::parse(text).value();
}

struct claims {
  std::map<address, std::string> made;
  std::map<address, bool> listed;
  std::size_t count = 0;
  host_naming::claim taker() {
    return [this](address a, const wire::workload& w, bool is_listed) {
      made[a] = w.name;
      listed[a] = is_listed;
      ++count;
    };
  }
};

TEST(host_naming, claims_what_is_listed_when_it_is_there) {
  claims c;
  host_naming naming{{{"checkout", {}}, {at("10.0.0.1"), at("10.0.0.2")}}, false, c.taker()};
  naming.came(at("10.0.0.1"));
  naming.came(at("10.0.0.9"));
  naming.came(at("127.0.0.1"));
  EXPECT_EQ(c.made, (std::map<address, std::string>{{at("10.0.0.1"), "checkout"}}));
  naming.came(at("10.0.0.2"));
  EXPECT_EQ(c.made.size(), 2U);
}

TEST(host_naming, claims_all_of_its_own_when_none_is_listed) {
  claims c;
  host_naming naming{{{"checkout", {}}, {}}, true, c.taker()};
  for (const char* a : {"10.0.0.1", "fd00::1", "127.0.0.1", "fe80::1"}) naming.came(at(a));
  EXPECT_EQ(c.made.size(), 2U);
}

TEST(host_naming, a_host_that_forwards_claims_only_what_is_listed) {
  claims c;
  host_naming naming{{{"checkout", {}}, {}}, false, c.taker()};
  naming.came(at("10.0.0.1"));
  EXPECT_TRUE(c.made.empty());
}

TEST(host_naming, claims_again_once_nothing_is_forwarded_any_more) {
  claims c;
  host_naming naming{{{"checkout", {}}, {}}, true, c.taker()};
  naming.came(at("10.0.0.1"));
  EXPECT_FALSE(c.listed.at(at("10.0.0.1"))) << "claimed only unless packets are forwarded";
  naming.exclusive(false);
  naming.came(at("10.0.0.2"));
  EXPECT_EQ(c.count, 1U);
  naming.exclusive(true);
  EXPECT_EQ(c.made.size(), 2U);
  claims other;
  host_naming told{{{"checkout", {}}, {at("10.0.0.1")}}, false, other.taker()};
  told.came(at("10.0.0.1"));
  EXPECT_TRUE(other.listed.at(at("10.0.0.1")));
}

TEST(host_naming, a_new_identity_takes_the_addresses_that_are_there_and_an_unusable_one_changes_nothing) {
  claims c;
  host_naming naming{{{"checkout", {}}, {}}, true, c.taker()};
  naming.came(at("10.0.0.1"));
  naming.came(at("10.0.0.2"));
  naming.gone(at("10.0.0.2"));
  naming.renewed(host_identity{{"checkout", {}}, {}});
  EXPECT_EQ(c.count, 2U) << "a renewed certificate with the same name is nothing new";
  naming.renewed(fail(trouble::usage, "half a file"));
  EXPECT_EQ(naming.refused_renewals(), 1U);
  EXPECT_EQ(naming.who().workload.name, "checkout");
  naming.renewed(host_identity{{"catalog", {}}, {}});
  EXPECT_EQ(naming.renewals(), 1U);
  EXPECT_EQ(c.made.at(at("10.0.0.1")), "catalog");
  EXPECT_EQ(c.made.at(at("10.0.0.2")), "checkout") << "it is gone";
}

TEST(svid, names_the_workload) {
  const transport::authority someone;
  const auto who = parse_identity(someone.issue({{"spiffe://prod/checkout"}}).certificate, "svid.pem");
  ASSERT_TRUE(who) << who.error().text;
  EXPECT_EQ(who->workload.name, "spiffe://prod/checkout");
  EXPECT_TRUE(who->addresses.empty());
}

TEST(svid, is_refused_without_exactly_one_spiffe_id) {
  const transport::authority someone;
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"spiffe://prod/a", "spiffe://prod/b"},
      {"https://prod/a"},
      {"spiffe://prod/a", "https://prod/a"},
      {"spiffe://prod/" + std::string(300, 'a')},
  };
  for (const auto& uris : wrong) {
    const auto who = parse_identity(someone.issue({uris}).certificate, "svid.pem");
    ASSERT_FALSE(who);
    EXPECT_EQ(who.error().trouble, trouble::usage);
    EXPECT_TRUE(who.error().text.starts_with("svid.pem: ")) << who.error().text;
  }
  EXPECT_FALSE(parse_identity(someone.certificate(), "svid.pem")) << "an authority's own";
}

TEST(file_watch, tells_of_a_file_that_is_replaced) {
  char pattern[] = "/tmp/tenure-watch-XXXXXX";
  const std::string folder = ::mkdtemp(pattern);
  const std::string file = folder + "/svid.pem";
  std::ofstream(file) << "old";
  std::promise<void> told;
  std::once_flag once;
  {
    const auto watch = watch_file(file, [&] {
      std::string text;
      std::ifstream in(file);
      std::getline(in, text);
      if (text == "new") std::call_once(once, [&] { told.set_value(); });
    });
    ASSERT_TRUE(watch) << watch.error().text;
    std::ofstream(folder + "/fresh") << "new";
    std::filesystem::rename(folder + "/fresh", file);
    EXPECT_EQ(told.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
  }
  std::filesystem::remove_all(folder);
  EXPECT_FALSE(watch_file("/nonexistent/svid.pem", [] {}));
}

}  // namespace
}  // namespace tenure::agent
