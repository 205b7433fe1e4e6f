#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "demo/embedded_tenure.hpp"
#include "demo/flow_line.hpp"
#include "demo/http_text.hpp"
#include "demo/line_tail.hpp"

namespace tenure::demo {
namespace {

RC_GTEST_PROP(HttpText, IsReadAsItWasWrittenHoweverItIsCut, ()) {
  const auto from = *rc::gen::inRange<instance_id>(1, 100000);
  const auto content = *rc::gen::inRange<std::size_t>(0, 3000);
  const std::string text = format_response(from, content);
  http_head head;
  RC_ASSERT(parse_head(text, head) == head_state::complete);
  RC_ASSERT(head.from == from);
  RC_ASSERT(head.content_length == content);
  RC_ASSERT(head.length + content == text.size());
  const auto cut = *rc::gen::inRange<std::size_t>(0, head.length);
  RC_ASSERT(parse_head(text.substr(0, cut), head) == head_state::incomplete);
}

TEST(HttpText, RefusesWhatNamesNobody) {
  http_head head;
  EXPECT_EQ(parse_head("GET / HTTP/1.1\r\nHost: x\r\n\r\n", head), head_state::malformed);
  EXPECT_EQ(parse_head("GET / HTTP/1.1\r\nFleet-Instance: 0\r\n\r\n", head), head_state::malformed);
  EXPECT_EQ(parse_head("GET / HTTP/1.1\r\nFleet-Instance: 7x\r\n\r\n", head), head_state::malformed);
  EXPECT_EQ(parse_head("GET / HTTP/1.1\r\nFleet-Instance: 99999999999\r\n\r\n", head), head_state::malformed);
  EXPECT_EQ(parse_head("HTTP/1.1 200 OK\r\nFleet-Instance: 7\r\nContent-Length: 9999999\r\n\r\n", head),
            head_state::malformed);
  EXPECT_EQ(parse_head(std::string(max_head, 'x'), head), head_state::malformed);
  EXPECT_EQ(parse_head(format_request("shop", 7), head), head_state::complete);
  EXPECT_EQ(head.from, 7U);
}

TEST(FlowLine, ReadsTimesToTheNanosecond) {
  EXPECT_EQ(parse_utc("1970-01-01T00:00:01.000000002Z"), second + 2);
  EXPECT_EQ(parse_utc("2026-11-21T07:16:08.123456789Z"), 1795245368123456789);
  for (const auto* wrong : {"", "2026-11-21T07:16:08Z", "2026-13-21T07:16:08.123456789Z",
                            "2026-11-21 07:16:08.123456789Z", "2026-11-21T07:16:08.12345678xZ"}) {
    EXPECT_EQ(parse_utc(wrong), std::nullopt) << wrong;
  }
}

constexpr const char* record = R"({"flow_id":"a-1-0","reporter":"destination","transport":"tcp",
  "source_address":"198.18.0.10","source_port":40000,"source_workload":null,"destination_address":"198.18.0.11",
  "destination_port":8080,"destination_workload":"catalog","source_tenancy":null,"destination_tenancy":"a-5",
  "basis":null,"reason":"between","opened":"1970-01-01T00:00:01.000000000Z","established":null,
  "last_received":null,"closed":"1970-01-01T00:00:02.000000000Z"})";

TEST(FlowLine, TakesWhatTheJudgeNeeds) {
  const auto f = parse_flow_line(record);
  ASSERT_TRUE(f) << f.error().text;
  EXPECT_EQ(f->reporter, side::server);
  EXPECT_EQ(f->near().workload, "catalog");
  EXPECT_EQ(f->near().tenancy, "a-5");
  EXPECT_EQ(f->far().workload, std::nullopt);
  EXPECT_EQ(f->far_address(), address::v4(0xc612000a));
  EXPECT_EQ(f->reason, "between");
  EXPECT_EQ(f->opened, second);
  EXPECT_EQ(f->established, std::nullopt);
}

TEST(FlowLine, RefusesWhatIsNotARecord) {
  for (const auto* wrong : {"", "x", "[]", "{}", R"({"flow_id":7})"})
    EXPECT_FALSE(parse_flow_line(wrong)) << wrong;
  std::string odd = record;
  odd.replace(odd.find("destination\",\"transport"), 11, "destiny");
  EXPECT_FALSE(parse_flow_line(odd));
}

TEST(LineTail, HandsOverWholeLinesOnly) {
  const auto path = std::filesystem::temp_directory_path() / ("tenure-tail-" + std::to_string(::getpid()));
  std::vector<std::string> lines;
  line_tail tail(path);
  const auto read = [&] {
    lines.clear();
    tail.read([&](std::string_view line) { lines.emplace_back(line); });
    return lines;
  };
  EXPECT_TRUE(read().empty()) << "not there yet";
  std::ofstream file(path);
  file << "one\ntwo\nthr" << std::flush;
  EXPECT_EQ(read(), (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(read().empty());
  file << "ee\n" << std::flush;
  EXPECT_EQ(read(), std::vector<std::string>{"three"});
  std::filesystem::remove(path);
}

TEST(EmbeddedTenure, FindsTheLastCountOfLostEvents) {
  EXPECT_EQ(find_kernel_events_lost("agent: 5 flows observed, 17 kernel events lost\n"), 17U);
  EXPECT_EQ(find_kernel_events_lost("3 kernel events lost\n4 kernel events lost\nmore"), 4U);
  EXPECT_EQ(find_kernel_events_lost("some kernel events lost"), std::nullopt);
  EXPECT_EQ(find_kernel_events_lost(""), std::nullopt);
}

}  // namespace
}  // namespace tenure::demo
