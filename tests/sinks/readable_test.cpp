#include <gtest/gtest.h>

#include "sinks/sinks.hpp"
#include "tests/sinks/memory_storage.hpp"

namespace tenure::sinks {
namespace {

class readable : public testing::Test {
 protected:
  std::string line(const flow_record& r, bool colour) {
    auto store = std::make_shared<memory>();
    auto sink = make_readable_sink(std::make_unique<memory_storage>(store), colour);
    EXPECT_TRUE(sink->append(std::span(&r, 1), {workloads, "eu", 0}));
    return store->appended;
  }

  flow_record record(const char* near, const char* far) {
    flow_record r;
    r.flow.near_address = address::v4(0x0a000001);
    r.flow.near_port = 40022;
    r.flow.far_address = address::v4(0x0a000002);
    r.flow.far_port = 8080;
    r.flow.near_workload = workloads.intern(near).value();
    r.flow.times.is_established = true;
    r.flow.counters.bytes_sent = 1'234;
    r.flow.counters.bytes_received = 999'600;
    if (far != nullptr) r.far = {workloads.intern(far).value(), {1, 1}, basis::tenancy, reason::none};
    return r;
  }

  workload_table workloads;
};

TEST_F(readable, names_both_ends_from_source_to_destination) {
  auto r = record("gateway", "checkout");
  EXPECT_EQ(
      line(r, false),
      "00:00:00.000  gateway              10.0.0.1:40022        → checkout             10.0.0.2:8080        "
      "    1.2 kB →   1.0 MB ←      0.00 ms  tcp\n");
  r.flow.reporter = reporter::destination;
  EXPECT_EQ(
      line(r, false),
      "00:00:00.000  checkout             10.0.0.2:8080         → gateway              10.0.0.1:40022       "
      "    1.0 MB →   1.2 kB ←      0.00 ms  tcp\n");
}

TEST_F(readable, says_what_was_dialled) {
  auto r = record("gateway", "checkout");
  r.flow.dialled = *endpoint::parse("10.96.0.1:80");
  EXPECT_NE(line(r, false).find("tcp, dialled 10.96.0.1:80\n"), std::string::npos);
}

TEST_F(readable, says_why_a_far_end_has_no_name) {
  EXPECT_NE(line(record("gateway", nullptr), false).find("→ ? no_evidence        10.0.0.2"),
            std::string::npos);
}

TEST_F(readable, colours_only_when_asked) {
  EXPECT_EQ(line(record("gateway", nullptr), false).find('\x1b'), std::string::npos);
  EXPECT_NE(line(record("gateway", nullptr), true).find("\x1b[33m"), std::string::npos);
}

TEST_F(readable, a_name_cannot_steer_the_terminal) {
  for (const char* evil : {"\x1b[2Jgone", "a\nb",
                           "c\xc2\x9b"
                           "2J",
                           "d\x7f"}) {
    auto text = line(record(evil, evil), false);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_EQ(text.find('\x7f'), std::string::npos);
    EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);
  }
}

TEST_F(readable, a_long_name_is_cut_by_characters) {
  std::string owls;
  for (int i = 0; i < 30; ++i) owls += "🦉";
  auto text = line(record(owls.c_str(), "x"), false);
  EXPECT_NE(text.find(owls.substr(0, 80) + " 10.0.0.1"), std::string::npos) << text;
}

}  // namespace
}  // namespace tenure::sinks
