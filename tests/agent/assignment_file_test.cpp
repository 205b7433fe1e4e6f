#include "agent/assignment_file.hpp"

#include <filesystem>
#include <stdlib.h>
#include <string>

#include <gtest/gtest.h>

namespace tenure::agent {
namespace {

namespace fs = std::filesystem;

struct assignments : ::testing::Test {
  std::string folder;
  std::string path;

  assignments() {
    char pattern[] = "/tmp/tenure-assigned-XXXXXX";
    folder = ::mkdtemp(pattern);
    path = folder + "/assigned";
  }
  ~assignments() override { fs::remove_all(folder); }

  static ipman_request request(ipman_request::action verb) {
    ipman_request r;
    r.verb = verb;
    r.endpoint = "10.0.0.1";
    r.workload = verb == ipman_request::action::set ? "shop/cart" : "";
    return r;
  }
  static std::string reply() {
    return R"({"ok":true,"assignment":{"endpoint":"10.0.0.1","netns":"/proc/1/ns/net","netns_cookie":7}})";
  }
  std::vector<std::string> left(const std::string& host_start = "a") const {
    std::vector<std::string> all;
    const auto file = *assignment_file::open(path, host_start);
    for (const auto& e : file->left()) all.push_back(e.request.endpoint + " " + e.request.workload);
    return all;
  }
};

using strings = std::vector<std::string>;

TEST_F(assignments, what_was_accepted_and_not_taken_back_is_left_until_the_host_ends) {
  {
    auto file = *assignment_file::open(path, "a");
    EXPECT_TRUE(file->keep(request(ipman_request::action::set), reply()));
    EXPECT_TRUE(file->keep(request(ipman_request::action::set), R"({"ok":false})"));
  }
  EXPECT_EQ(left(), strings{"10.0.0.1 shop/cart"});
  EXPECT_EQ(left(), strings{}) << "nobody said it again";
  {
    auto file = *assignment_file::open(path, "a");
    EXPECT_TRUE(file->keep(request(ipman_request::action::set), reply()));
    EXPECT_TRUE(file->keep(request(ipman_request::action::del), reply()));
  }
  EXPECT_EQ(left(), strings{});
  {
    auto file = *assignment_file::open(path, "a");
    EXPECT_TRUE(file->keep(request(ipman_request::action::set), reply()));
  }
  EXPECT_EQ(left("b"), strings{}) << "the host has started anew";
}

TEST_F(assignments, what_cannot_be_written_is_said_and_nothing_older_stays) {
  auto file = *assignment_file::open(path, "a");
  ASSERT_TRUE(file->keep(request(ipman_request::action::set), reply()));
  // Enough lines that it is written anew, and no way to do that.
  ASSERT_TRUE(fs::create_directory(path + ".next"));
  outcome<void> kept;
  for (int i = 0; i < 3000 && kept; ++i) kept = file->keep(request(ipman_request::action::set), reply());
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().trouble, trouble::refused);
  EXPECT_NE(kept.error().text.find(path), std::string::npos) << kept.error().text;
  EXPECT_FALSE(fs::exists(path)) << "what was taken back since might still stand in it";
  fs::remove(path + ".next");
  EXPECT_TRUE(file->keep(request(ipman_request::action::set), reply()));
  file.reset();
  EXPECT_EQ(left(), strings{"10.0.0.1 shop/cart"}) << "the next change wrote all there is";
}

}  // namespace
}  // namespace tenure::agent
