#include <cerrno>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "sinks/sinks.hpp"
#include "tests/sinks/memory_storage.hpp"

namespace tenure::sinks {
namespace {

using json = nlohmann::ordered_json;

const std::vector<std::string> keys = {"flow_id",
                                       "reporter",
                                       "transport",
                                       "source_address",
                                       "source_port",
                                       "source_workload",
                                       "destination_address",
                                       "destination_port",
                                       "destination_workload",
                                       "source_tenancy",
                                       "destination_tenancy",
                                       "basis",
                                       "reason",
                                       "connection_id",
                                       "part",
                                       "opened",
                                       "established",
                                       "last_received",
                                       "closed",
                                       "bytes_sent",
                                       "bytes_received",
                                       "segments_sent",
                                       "segments_received",
                                       "retransmits",
                                       "srtt_us",
                                       "min_rtt_us",
                                       "connect_us",
                                       "end_reason",
                                       "agent",
                                       "region",
                                       "dialled_address",
                                       "dialled_port",
                                       "connections",
                                       "connect_errno"};

class ndjson : public testing::Test {
 protected:
  std::vector<json> lines(const std::vector<flow_record>& records, std::string_view region = "eu",
                          nanos to_utc = 0) {
    EXPECT_TRUE(sink->append(records, {workloads, region, to_utc}));
    EXPECT_TRUE(sink->make_durable());
    EXPECT_EQ(store->durable, store->appended.size());
    std::vector<json> out;
    std::istringstream in(std::exchange(store->appended, {}));
    for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
    return out;
  }

  flow_record attributed() {
    flow_record r;
    auto& f = r.flow;
    f.id = {0x00c0'ffee'00c0'ffeeULL, 17, 3};
    f.connection = 8;
    f.near_address = address::v4(0x0a000001);
    f.near_port = 40022;
    f.far_address = *address::parse("2001:db8::1");
    f.far_port = 443;
    f.near_tenancy = {0x00c0'ffee'00c0'ffeeULL, 5};
    f.near_workload = *workloads.intern("gateway");
    f.times = {second, second + 1, 2 * second, 3 * second + 999'999'999, 0, 0, true};
    f.counters = {1, 2, 3, 4, 5, 6, 7, 8};
    r.far = {*workloads.intern("checkout"), {1, 2}, basis::tenancy, reason::none};
    r.agent = "host-1";
    return r;
  }

  workload_table workloads;
  std::shared_ptr<memory> store = std::make_shared<memory>();
  std::unique_ptr<record_sink> sink = make_ndjson_sink(std::make_unique<memory_storage>(store));
};

TEST_F(ndjson, a_line_has_the_records_keys_in_their_order) {
  auto line = lines({attributed()}).at(0);
  std::vector<std::string> got;
  for (const auto& [key, value] : line.items()) got.push_back(key);
  EXPECT_EQ(got, keys);
}

TEST_F(ndjson, every_value_is_where_it_belongs) {
  auto line = lines({attributed()}, "eu", 1'700'000'000 * second).at(0);
  EXPECT_EQ(line, json::parse(R"({"flow_id":"00c0ffee00c0ffee-17-3","reporter":"source","transport":"tcp",
    "source_address":"10.0.0.1","source_port":40022,"source_workload":"gateway",
    "destination_address":"2001:db8::1","destination_port":443,"destination_workload":"checkout",
    "source_tenancy":"00c0ffee00c0ffee-5","destination_tenancy":"0000000000000001-2",
    "basis":"tenancy","reason":null,"connection_id":"00c0ffee00c0ffee-8","part":0,
    "opened":"2023-11-14T22:13:21.000000000Z","established":"2023-11-14T22:13:21.000000001Z",
    "last_received":"2023-11-14T22:13:22.000000000Z","closed":"2023-11-14T22:13:23.999999999Z",
    "bytes_sent":1,"bytes_received":2,"segments_sent":3,"segments_received":4,"retransmits":5,"srtt_us":6,
    "min_rtt_us":7,"connect_us":8,"end_reason":"end_of_flow","agent":"host-1","region":"eu",
    "dialled_address":null,"dialled_port":null,"connections":1,"connect_errno":0})"));
}

TEST_F(ndjson, a_failed_connect_says_why) {
  auto r = attributed();
  r.flow.times.is_established = false;
  r.flow.connect_errno = ECONNREFUSED;
  auto line = lines({r}).at(0);
  EXPECT_EQ(line["connect_errno"], ECONNREFUSED);
  EXPECT_TRUE(line["established"].is_null());
}

TEST_F(ndjson, what_was_dialled_stands_beside_what_was_reached) {
  auto r = attributed();
  r.flow.dialled = *endpoint::parse("[2001:db8::99]:80");
  auto line = lines({r}).at(0);
  EXPECT_EQ(line["destination_address"], "2001:db8::1");
  EXPECT_EQ(line["dialled_address"], "2001:db8::99");
  EXPECT_EQ(line["dialled_port"], 80);
}

TEST_F(ndjson, the_far_end_of_a_destinations_record_is_its_source) {
  auto r = attributed();
  r.flow.reporter = reporter::destination;
  auto line = lines({r}).at(0);
  EXPECT_EQ(line["reporter"], "destination");
  EXPECT_EQ(line["source_workload"], "checkout");
  EXPECT_EQ(line["source_tenancy"], "0000000000000001-2");
  EXPECT_EQ(line["source_address"], "2001:db8::1");
  EXPECT_EQ(line["destination_workload"], "gateway");
  EXPECT_EQ(line["destination_port"], 40022);
}

TEST_F(ndjson, what_is_not_known_is_null) {
  auto r = attributed();
  r.far = {};
  r.far.tenancy = {9, 9};  // a candidate that did not qualify is not told
  r.far.reason = reason::between;
  r.flow.near_workload = workload_id::none;
  r.flow.near_tenancy = {};
  r.flow.times.opened = time_min;
  r.flow.times.is_established = false;
  auto line = lines({r}).at(0);
  for (const char* key : {"source_workload", "destination_workload", "source_tenancy", "destination_tenancy",
                          "basis", "opened", "established"}) {
    EXPECT_TRUE(line[key].is_null()) << key;
  }
  EXPECT_EQ(line["reason"], "between");
}

TEST_F(ndjson, every_reason_and_basis_has_its_word) {
  auto r = attributed();
  for (auto b : {basis::tenancy, basis::event, basis::label, basis::paired}) {
    r.far.basis = b;
    EXPECT_EQ(lines({r}).at(0)["basis"], to_string(b));
  }
  r.far.workload = workload_id::none;
  for (auto why : {reason::conflict, reason::external, reason::local, reason::no_evidence, reason::clock,
                   reason::before_first, reason::after_last, reason::between}) {
    r.far.reason = why;
    auto line = lines({r}).at(0);
    EXPECT_EQ(line["reason"], to_string(why));
    EXPECT_TRUE(line["basis"].is_null());
  }
}

TEST_F(ndjson, many_lines_in_pieces_stay_whole) {
  std::vector<flow_record> records(5'000, attributed());
  for (std::uint32_t i = 0; i < records.size(); ++i) records[i].flow.id.index = i;
  auto got = lines(records);
  ASSERT_EQ(got.size(), records.size());
  EXPECT_EQ(got.back()["flow_id"], records.back().flow.id.to_string());
}

TEST_F(ndjson, a_storage_that_fails_fails_the_sink) {
  auto r = attributed();
  store->trouble = failure{trouble::refused, "disk full"};
  ASSERT_TRUE(sink->append(std::span(&r, 1), {workloads, "eu", 0}));
  auto done = sink->make_durable();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "disk full");
}

RC_GTEST_FIXTURE_PROP(ndjson, names_of_any_bytes_keep_a_line_json,
                      (const std::vector<std::uint8_t>& bytes, const std::string& text)) {
  std::string hostile(bytes.begin(), bytes.end());
  auto r = attributed();
  r.flow.near_workload = workloads.intern(hostile).value();
  r.agent = text;
  auto line = lines({r, r}, hostile).at(1);
  RC_ASSERT(line["agent"] == json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace)));
  RC_ASSERT(line.size() == keys.size());
}

RC_GTEST_FIXTURE_PROP(ndjson, ids_and_stamps_at_any_value_come_back,
                      (std::uint64_t a, std::uint64_t b, std::uint32_t c, nanos stamp)) {
  auto r = attributed();
  r.flow.id = {a, b, c};
  r.flow.connection = ~b;
  r.far.tenancy = {~a, ~b};
  r.flow.counters = {~a, ~b, ~c, ~c, ~c, ~c, ~c, ~c};
  r.flow.times.closed = stamp;
  r.flow.times.opened = time_max;
  auto line = lines({r}).at(0);
  RC_ASSERT(line["flow_id"] == r.flow.id.to_string());
  RC_ASSERT(line["destination_tenancy"] == r.far.tenancy.to_string());
  RC_ASSERT(line["bytes_sent"] == ~a);
  RC_ASSERT(line["connect_us"] == ~c);
}

}  // namespace
}  // namespace tenure::sinks
