#include <cstring>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "hold/row_format.hpp"
#include "tests/hold/sent_rows.hpp"

namespace tenure::hold {
namespace {

class hostile_rows : public testing::Test {
 protected:
  /// Two flows that are right; behind the fields of the second are its extras.
  static spoiled_rows rows(const std::function<void(flow&)>& change = {}) {
    sent_rows sent;
    for (std::uint32_t i = 0; i < 2; ++i) {
      flow f;
      f.id = {7, 3, i};
      f.end = end_reason::end_of_flow;
      f.near_workload = workload_id{1};
      f.times = {begun, begun, begun, begun, 0, 0, false};
      f.connections = 2;
      if (change) change(f);
      sent.add(f);
    }
    return copied(sent);
  }
  /// The head of the first row.
  static void spoil(spoiled_rows& all, std::uint64_t without, std::uint64_t with) {
    std::uint64_t first = 0;
    std::memcpy(&first, all.bytes.data(), sizeof first);
    first = (first & ~(without << 8)) | with << 8;
    std::memcpy(all.bytes.data(), &first, sizeof first);
  }
  static std::string wrong(const spoiled_rows& all) {
    const char* const said = all.wrong();
    return said == nullptr ? "" : said;
  }
};

TEST_F(hostile_rows, that_are_spoiled_here_were_right) {
  EXPECT_EQ(wrong(rows()), "");
  EXPECT_EQ(wrong(copied(sent_rows{})), "");
}

TEST_F(hostile_rows, of_another_number_or_length_are_refused) {
  auto all = rows();
  all.count = 3;
  EXPECT_EQ(wrong(all), "fewer rows than flows");
  all.count = 1;
  EXPECT_EQ(wrong(all), "more rows than flows");
  all = rows();
  all.bytes[0] = std::byte{0};
  EXPECT_EQ(wrong(all), "a row of another length");
  all = rows();
  all.bytes[0] = std::byte{255};
  EXPECT_EQ(wrong(all), "a row of another length");
  for (std::size_t cut = 1; cut + row_slack < rows().bytes.size(); ++cut) {
    all = rows();
    const auto of_first = std::to_integer<std::size_t>(all.bytes[0]);
    all.bytes.resize(all.bytes.size() - cut);
    const bool one_is_whole = all.bytes.size() == of_first + row_slack;
    EXPECT_EQ(wrong(all), one_is_whole ? "fewer rows than flows" : "a row of another length") << cut;
  }
  for (const int more : {1, 2, 3, 5, 8, 40}) {  // with what is there: no extras that there are
    all = rows([](flow& f) { f.connections = 1; });
    const auto length = std::to_integer<std::size_t>(all.bytes[0]);
    all.bytes[0] = static_cast<std::byte>(length + static_cast<std::size_t>(more));
    all.bytes.insert(all.bytes.begin() + static_cast<std::ptrdiff_t>(length), static_cast<std::size_t>(more),
                     std::byte{1});
    EXPECT_EQ(wrong(all), more == 1 || more == 5 ? "" : "a row of another length") << more;
  }
}

TEST_F(hostile_rows, with_values_out_of_their_range_are_refused) {
  for (const std::uint64_t end : {0, 6, 7}) {
    auto all = rows();
    spoil(all, std::uint64_t{7} << end_bits, end << end_bits);
    EXPECT_EQ(wrong(all), "a flow with an unknown end reason");
  }
  EXPECT_EQ(wrong(rows([](flow& f) { f.times.transit = -1; })), "a flow with a negative transit");
  EXPECT_EQ(wrong(rows([](flow& f) { f.times.error = time_min; })), "a flow with a negative error");
  EXPECT_EQ(wrong(rows([](flow& f) { f.times.is_established = true; })),
            "several connections with one handshake");
  EXPECT_EQ(wrong(rows([](flow& f) { f.connections = 0; })), "a row for several connections that are none");
  EXPECT_EQ(wrong(rows([](flow& f) { f.near_workload = workload_id{names + 1}; })),
            "a flow whose near workload is not in the batch");
  EXPECT_EQ(wrong(rows([](flow& f) {
              f.near_workload = workload_id::none;
              f.near_tenancy = {7, 1};
            })),
            "a tenancy of a workload that is not in the batch");
  auto all = rows([](flow& f) {
    f.connections = 1;
    f.dialled = {address::v4(1), 0xffff};
  });
  const auto end = std::to_integer<std::size_t>(all.bytes[0]);
  all.bytes[end - 6] = all.bytes[end - 5] = std::byte{0};
  EXPECT_EQ(wrong(all), "a dialled address without a port");
}

TEST_F(hostile_rows, in_a_form_that_nobody_could_fill_in_are_refused) {
  sent_rows sent;
  flow f = {};
  f.end = end_reason::end_of_flow;
  f.times = {begun, begun, begun, begun, 0, 0, false};
  sent.rows.add(f);
  EXPECT_EQ(wrong(copied(sent)), "a row without room for its error");
  sent = {};
  sent.rows.add_movable(f);
  f.id.index = 2;
  sent.rows.add_movable(f);
  EXPECT_EQ(wrong(copied(sent)), "rows with gaps");
}

}  // namespace
}  // namespace tenure::hold
