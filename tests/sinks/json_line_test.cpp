#include <ctime>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "sinks/sinks.hpp"
#include "sinks/write_number.hpp"
#include "tests/sinks/memory_storage.hpp"

namespace tenure::sinks {
namespace {

using json = nlohmann::ordered_json;

/// Any value, and few digits and powers of ten more often than chance gives them.
template <class Number>
Number some() {
  Number power = 1;
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return static_cast<Number>(*rc::gen::inRange(0, 1000));
    case 1:
      for (int n = *rc::gen::inRange(0, std::numeric_limits<Number>::digits10 + 1); n > 0; --n) power *= 10;
      return static_cast<Number>(power - static_cast<Number>(*rc::gen::inRange(0, 2)));
    case 2:
      return static_cast<Number>(*rc::gen::arbitrary<Number>() >>
                                 *rc::gen::inRange(0, 8 * int{sizeof(Number)}));
    default:
      return *rc::gen::arbitrary<Number>();
  }
}

template <class Number>
void same_digits() {
  const auto n = some<Number>();
  char text[40];
  RC_ASSERT(std::string(text, write_number(text, n)) == std::to_string(n));
}

RC_GTEST_PROP(write_number, agrees_with_the_standard_library, ()) {
  same_digits<std::uint16_t>();
  same_digits<std::uint32_t>();
  same_digits<std::uint64_t>();
}

address some_address() {
  return *rc::gen::arbitrary<bool>() ? address::v4(some<std::uint32_t>())
                                     : address::from_halves(some<std::uint64_t>(), some<std::uint64_t>());
}

/// A record of a batch, anything that its row keeps.
flow_record some_record(workload_table& workloads, const flow_id& id, std::string_view agent) {
  const auto name = [&] {
    return *workloads.intern(std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 80)), 'n'));
  };
  const auto stamp = [] { return *rc::gen::inRange(0, 4) == 0 ? time_min : *rc::gen::arbitrary<nanos>(); };
  flow_record r;
  auto& f = r.flow;
  f.id = id;
  f.connection = some<std::uint64_t>();
  f.part = some<std::uint32_t>();
  f.reporter = *rc::gen::element(reporter::source, reporter::destination);
  f.transport = *rc::gen::element(transport_protocol::tcp, transport_protocol::udp);
  f.end = static_cast<end_reason>(*rc::gen::inRange(1, 6));
  f.near_address = some_address();
  f.far_address = some_address();
  f.near_port = some<std::uint16_t>();
  f.far_port = some<std::uint16_t>();
  if (const auto sequence = some<std::uint64_t>(); sequence != 0) f.near_tenancy = {id.incarnation, sequence};
  f.near_workload = name();
  f.times = {stamp(), stamp(), stamp(), stamp(), 0, 0, *rc::gen::arbitrary<bool>()};
  f.counters = {some<std::uint64_t>(), some<std::uint64_t>(), some<std::uint32_t>(), some<std::uint32_t>(),
                some<std::uint32_t>(), some<std::uint32_t>(), some<std::uint32_t>(), some<std::uint32_t>()};
  if (*rc::gen::inRange(0, 4) == 0) f.connect_errno = *rc::gen::inRange<std::uint16_t>(0, 256);
  if (*rc::gen::inRange(0, 4) == 0) f.connections = some<std::uint32_t>();
  if (*rc::gen::inRange(0, 4) == 0) f.dialled = {some_address(), some<std::uint16_t>()};
  if (f.dialled.port == 0) f.dialled = {};
  r.far = unattributed(static_cast<reason>(*rc::gen::inRange(1, 9)));
  if (const auto far = name(); far != workload_id::none && *rc::gen::arbitrary<bool>())
    r.far = {
        far,
        {*rc::gen::arbitrary<bool>() ? id.incarnation : some<std::uint64_t>() | 1, some<std::uint64_t>()},
        static_cast<basis>(*rc::gen::inRange(1, 5)),
        reason::none};
  r.agent = agent;
  return r;
}

std::string stamp_text(nanos utc) {
  auto seconds = static_cast<std::time_t>(utc / second);
  auto rest = utc % second;
  if (rest < 0) {
    rest += second;
    --seconds;
  }
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[40];
  const auto length = std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:09}Z", std::string_view(date, length), rest);
}

std::string end_text(end_reason r) {
  return std::array{"idle_timeout", "active_timeout", "end_of_flow", "forced_end",
                    "lack_of_resources"}[static_cast<std::size_t>(r) - 1];
}

/// What the library of the tests makes of a record, key by key as docs/record.md has them.
std::string plain_line(const flow_record& r, const record_context& context) {
  const auto& f = r.flow;
  const auto text_or_null = [](bool there, const std::string& text) { return there ? json(text) : json(); };
  const auto name = [&](workload_id id) {
    return text_or_null(id != workload_id::none, std::string(context.workloads.name(id)));
  };
  const auto tenancy = [&](const tenancy_id& t) { return text_or_null(!t.none(), t.to_string()); };
  const auto stamp = [&](nanos at) {
    return text_or_null(at != time_min, stamp_text(saturating_add(at, context.to_utc)));
  };
  const bool proved = r.far.attributed();
  const json near[] = {f.near_address.to_string(), f.near_port, name(f.near_workload),
                       tenancy(f.near_tenancy)};
  const json far[] = {f.far_address.to_string(), f.far_port, name(r.far.workload),
                      proved ? tenancy(r.far.tenancy) : json()};
  const bool near_opened = f.reporter == reporter::source;
  const auto* source = near_opened ? near : far;
  const auto* destination = near_opened ? far : near;
  const bool dialled = f.dialled.port != 0;
  json line;
  line["flow_id"] = f.id.to_string();
  line["reporter"] = near_opened ? "source" : "destination";
  line["transport"] = f.transport == transport_protocol::tcp ? "tcp" : "udp";
  line["source_address"] = source[0];
  line["source_port"] = source[1];
  line["source_workload"] = source[2];
  line["destination_address"] = destination[0];
  line["destination_port"] = destination[1];
  line["destination_workload"] = destination[2];
  line["source_tenancy"] = source[3];
  line["destination_tenancy"] = destination[3];
  line["basis"] = text_or_null(proved, std::string(to_string(r.far.basis)));
  line["reason"] = text_or_null(!proved, std::string(to_string(r.far.reason)));
  line["connection_id"] = fmt::format("{:016x}-{}", f.id.incarnation, f.connection);
  line["part"] = f.part;
  line["opened"] = stamp(f.times.opened);
  line["established"] = stamp(f.times.is_established ? f.times.established : time_min);
  line["last_received"] = stamp(f.times.last_received);
  line["closed"] = stamp(f.times.closed);
  line["bytes_sent"] = f.counters.bytes_sent;
  line["bytes_received"] = f.counters.bytes_received;
  line["segments_sent"] = f.counters.segments_sent;
  line["segments_received"] = f.counters.segments_received;
  line["retransmits"] = f.counters.retransmits;
  line["srtt_us"] = f.counters.srtt_us;
  line["min_rtt_us"] = f.counters.min_rtt_us;
  line["connect_us"] = f.counters.connect_us;
  line["end_reason"] = end_text(f.end);
  line["agent"] = r.agent;
  line["region"] = context.region;
  line["dialled_address"] = text_or_null(dialled, f.dialled.address.to_string());
  line["dialled_port"] = dialled ? json(f.dialled.port) : json();
  line["connections"] = f.connections;
  line["connect_errno"] = f.connect_errno;
  return line.dump() + '\n';
}

// Byte for byte, whether records come one by one or as the rows of their batches.
RC_GTEST_PROP(json_line, is_what_a_json_library_makes_of_the_record, ()) {
  static const std::vector<std::string> agents{"host-1", "host-2.example", std::string(90, 'h'), ""};
  workload_table workloads;
  const record_context context{workloads, *rc::gen::element<std::string_view>("eu-west-1", ""),
                               *rc::gen::inRange<nanos>(0, 2'000'000'000 * second)};
  const auto one_by_one = std::make_shared<memory>();
  const auto as_rows = std::make_shared<memory>();
  const auto record_lines = make_ndjson_sink(std::make_unique<memory_storage>(one_by_one));
  const auto row_lines = make_ndjson_sink(std::make_unique<memory_storage>(as_rows));
  std::string expected;
  for (int batch = *rc::gen::inRange(1, 5); batch > 0; --batch) {
    const auto& agent = *rc::gen::elementOf(agents);
    hold::packed_rows rows({some<std::uint64_t>() | 1, some<std::uint64_t>(), 5 * second, 0});
    std::vector<flow_record> records;
    std::vector<verdict> answers;
    for (std::uint32_t index = *rc::gen::inRange(0U, 8U); index < 8; ++index) {
      records.push_back(some_record(workloads, {rows.base().incarnation, rows.base().batch, index}, agent));
      rows.add(records.back().flow);
      answers.push_back(records.back().far);
      expected += plain_line(records.back(), context);
    }
    RC_ASSERT(record_lines->append(records, context).has_value());
    RC_ASSERT(row_lines->append_rows({rows.base(), rows.bytes(), answers, agent}, context).has_value());
  }
  RC_ASSERT(record_lines->make_durable().has_value());
  RC_ASSERT(row_lines->make_durable().has_value());
  RC_ASSERT(one_by_one->appended == expected);
  RC_ASSERT(as_rows->appended == expected);
}

}  // namespace
}  // namespace tenure::sinks
