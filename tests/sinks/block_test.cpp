#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sinks/block_file.hpp"
#include "sinks/sinks.hpp"
#include "tests/sinks/memory_storage.hpp"

namespace tenure::sinks {
namespace {

/// A record drawn from a few agents, batches and names.
flow_record some_record(workload_table& workloads, std::uint32_t index) {
  static const std::vector<std::string> agents{"host-1", "host-2", ""};
  const auto name = [&] { return *workloads.intern("w" + std::to_string(*rc::gen::inRange(0, 40))); };
  flow_record r;
  auto& f = r.flow;
  f.id = {*rc::gen::inRange<std::uint64_t>(1, 4), *rc::gen::inRange<std::uint64_t>(1, 4), index};
  f.connection = *rc::gen::arbitrary<std::uint64_t>();
  f.part = *rc::gen::arbitrary<std::uint32_t>();
  f.reporter = *rc::gen::element(reporter::source, reporter::destination);
  f.near_address = address::from_halves(*rc::gen::arbitrary<std::uint64_t>(), 1);
  f.far_address = address::v4(*rc::gen::arbitrary<std::uint32_t>());
  f.near_port = *rc::gen::arbitrary<std::uint16_t>();
  f.far_port = 443;
  if (*rc::gen::arbitrary<bool>()) {
    f.near_tenancy = {f.id.incarnation, *rc::gen::inRange<std::uint64_t>(1, 1'000'000)};
    f.near_workload = name();
  }
  f.times = {*rc::gen::arbitrary<nanos>(), 1000, *rc::gen::inRange<nanos>(0, 86'400 * second), 5, 6, 7, true};
  f.counters = {*rc::gen::arbitrary<std::uint64_t>(), 2, 3, 4, 5, 6, 7, 8};
  r.far = unattributed(static_cast<reason>(*rc::gen::inRange(1, 9)));
  if (*rc::gen::arbitrary<bool>())
    r.far = {name(), {*rc::gen::inRange<std::uint64_t>(1, 9), 77}, basis::tenancy, reason::none};
  r.agent = agents[f.id.incarnation - 1];
  return r;
}

std::string lines_of(const std::vector<flow_record>& records, const record_context& context) {
  const auto m = std::make_shared<memory>();
  const auto sink = make_ndjson_sink(std::make_unique<memory_storage>(m));
  EXPECT_TRUE(sink->append(records, context));
  EXPECT_TRUE(sink->make_durable());
  return m->appended;
}

/// The lines of a file of blocks, made by one sink as `tenure read` makes them, and whether it ended with a
/// whole one. Each block has a table of names of its own, often where the one before it was.
outcome<bool> read_lines(const std::string& bytes, std::string& lines) {
  std::istringstream in(bytes);
  const auto m = std::make_shared<memory>();
  const auto sink = make_ndjson_sink(std::make_unique<memory_storage>(m));
  auto whole = each_block(in, [&](const read_block& b) -> outcome<void> {
    if (auto done = sink->append(b.records, {b.workloads, b.region, b.to_utc}); !done) return done;
    return sink->make_durable();
  });
  lines += m->appended;
  return whole;
}

RC_GTEST_PROP(block, reads_back_as_the_lines_that_were_not_written, ()) {
  workload_table workloads;
  const record_context context{workloads, "eu-west-1", *rc::gen::inRange<nanos>(0, 2'000'000'000 * second)};
  const auto m = std::make_shared<memory>();
  const auto sink = make_block_sink(std::make_unique<memory_storage>(m));
  std::string expected;
  std::uint32_t index = 0;
  for (int lot = *rc::gen::inRange(1, 6); lot > 0; --lot) {
    std::vector<flow_record> records;
    for (int n = *rc::gen::inRange(0, 60); n > 0; --n) records.push_back(some_record(workloads, index++));
    RC_ASSERT(sink->append(records, context).has_value());
    if (*rc::gen::arbitrary<bool>()) RC_ASSERT(sink->make_durable().has_value());
    expected += lines_of(records, context);
  }
  RC_ASSERT(sink->make_durable().has_value());
  RC_ASSERT(m->durable == m->appended.size());
  std::string lines;
  const auto whole = read_lines(m->appended, lines);
  RC_ASSERT(whole.has_value());
  RC_ASSERT(*whole);
  RC_ASSERT(lines == expected);
}

/// Appends records as the rows in which they waited, a batch at a time. @pre indices increase
void append_as_rows(record_sink& sink, const std::vector<flow_record>& records,
                    const record_context& context) {
  for (std::size_t i = 0; i < records.size();) {
    const auto& first = records[i].flow;
    hold::packed_rows rows(
        {first.id.incarnation, first.id.batch, first.times.closed, *rc::gen::arbitrary<std::uint64_t>()});
    std::vector<verdict> answers;
    const auto agent = records[i].agent;
    for (; i < records.size() && records[i].flow.id.incarnation == first.id.incarnation &&
           records[i].flow.id.batch == first.id.batch;
         ++i) {
      rows.add(records[i].flow);
      answers.push_back(records[i].far);
    }
    RC_ASSERT(sink.append_rows({rows.base(), rows.bytes(), answers, agent}, context).has_value());
  }
}

// Blocks take rows over as they are, lines take them apart: both say the same, and so do single records.
RC_GTEST_PROP(block, rows_read_back_as_the_lines_of_their_records, ()) {
  workload_table workloads;
  const record_context context{workloads, "eu-west-1", *rc::gen::inRange<nanos>(0, 2'000'000'000 * second)};
  std::vector<flow_record> records;
  for (int n = *rc::gen::inRange(1, 80); n > 0; --n)
    records.push_back(some_record(workloads, static_cast<std::uint32_t>(80 - n)));
  const auto blocks = std::make_shared<memory>();
  const auto block_sink = make_block_sink(std::make_unique<memory_storage>(blocks));
  const auto direct = std::make_shared<memory>();
  const auto line_sink = make_ndjson_sink(std::make_unique<memory_storage>(direct));
  if (*rc::gen::arbitrary<bool>()) RC_ASSERT(block_sink->append({records.data(), 1}, context).has_value());
  append_as_rows(*block_sink, records, context);
  append_as_rows(*line_sink, records, context);
  RC_ASSERT(block_sink->make_durable().has_value());
  RC_ASSERT(line_sink->make_durable().has_value());
  std::string lines;
  RC_ASSERT(read_lines(blocks->appended, lines).has_value());
  RC_ASSERT(lines.ends_with(lines_of(records, context)));
  RC_ASSERT(direct->appended == lines_of(records, context));
}

std::string some_blocks(int count) {
  workload_table workloads;
  const auto m = std::make_shared<memory>();
  const auto sink = make_block_sink(std::make_unique<memory_storage>(m));
  for (int i = 0; i < count; ++i) {
    std::vector<flow_record> records(100);
    for (std::uint32_t n = 0; n < records.size(); ++n) {
      records[n].flow.id = {1, static_cast<std::uint64_t>(i) + 1, n};
      records[n].flow.counters.bytes_sent = n * 7919;
      records[n].agent = "a";
    }
    EXPECT_TRUE(sink->append(records, {workloads, "r", 0}));
    EXPECT_TRUE(sink->make_durable());
  }
  return m->appended;
}

RC_GTEST_PROP(block, broken_bytes_are_an_error_and_nothing_worse, ()) {
  auto bytes = some_blocks(2);
  for (int n = *rc::gen::inRange(1, 5); n > 0; --n)
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^= static_cast<char>(*rc::gen::inRange(1, 256));
  std::string lines;
  read_lines(bytes, lines);
}

struct block_file_test : ::testing::Test {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tenure-blocks-" + std::to_string(::getpid()) + ".tnr");
  ~block_file_test() override { std::filesystem::remove(path); }
  void write(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
};

TEST_F(block_file_test, a_torn_block_is_cut_off_wherever_it_was_torn) {
  const auto one = some_blocks(1).size();
  const auto three = some_blocks(3);
  for (std::size_t torn = 2 * one; torn < three.size(); torn += 7) {
    write(three.substr(0, torn));
    ASSERT_TRUE(open_file(path.string(), file_of::blocks));
    ASSERT_EQ(std::filesystem::file_size(path), 2 * one) << torn;
  }
  write(three);
  ASSERT_TRUE(open_file(path.string(), file_of::blocks));
  EXPECT_EQ(std::filesystem::file_size(path), three.size());
}

TEST_F(block_file_test, a_last_block_whose_bytes_never_reached_the_disk_is_cut_off) {
  auto bytes = some_blocks(3);
  const auto two = some_blocks(2).size();
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(two) + 100, bytes.end(), '\0');
  write(bytes);
  ASSERT_TRUE(open_file(path.string(), file_of::blocks));
  EXPECT_EQ(std::filesystem::file_size(path), two);
}

TEST_F(block_file_test, another_file_is_left_alone) {
  write("{\"flow_id\":\"1\"}\n");
  const auto file = open_file(path.string(), file_of::blocks);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, trouble::usage);
  EXPECT_EQ(std::filesystem::file_size(path), 16U);
}

TEST_F(block_file_test, a_file_that_ends_within_a_block_says_so) {
  const auto bytes = some_blocks(2);
  std::string lines;
  const auto whole = read_lines(bytes.substr(0, bytes.size() - 1), lines);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(*whole);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 100);
}

}  // namespace
}  // namespace tenure::sinks
