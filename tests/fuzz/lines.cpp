#include "tests/fuzz/lines.hpp"

#include <array>
#include <string>

#include "cli/evidence_line.hpp"
#include "cli/flow_line.hpp"
#include "cli/json_object_reader.hpp"
#include "cli/line_block.hpp"
#include "ownership/attributor.hpp"
#include "ownership/invariant.hpp"

namespace tenure::fuzz {

namespace {

constexpr std::array<std::string_view, 6> some_keys{"endpoint", "tenancy",  "from_ns",
                                                    "flow_id",  "error_ns", "established_ns"};

template <class Value>
std::string written(Value value) {
  const std::string token(value.raw_json_token());
  std::string_view text;
  std::int64_t number = 0;
  bool null = false;
  if (token.starts_with('"') && value.get_string().get(text) == simdjson::SUCCESS)
    return '"' + std::string(text);
  if (value.get_int64().get(number) == simdjson::SUCCESS) return std::to_string(number);
  if (value.is_null().get(null) == simdjson::SUCCESS && null) return "null";
  return "";
}

// A line that is plain is read without simdjson: what is read must be the same.
void read_twice(std::string_view line) {
  std::array<std::string, some_keys.size()> once;
  std::array<std::string, some_keys.size()> twice;
  const auto into = [](auto& fields) {
    return [&fields](std::size_t index, auto value) -> cli::expectation {
      fields[index] = written(value);
      return fields[index].empty() ? "something else" : nullptr;
    };
  };
  cli::json_object_reader reader;
  const auto plain = reader.read(line, some_keys, into(once));
  const auto any = reader.read(
      line, some_keys, [&](std::size_t index, cli::json_value value) { return into(twice)(index, value); });
  invariant(plain.has_value() == any.has_value(), "a line is read in both ways or in neither");
  if (!any) {
    invariant(plain.error().text == any.error().text, "the refusal is the same");
    return;
  }
  invariant(*plain == *any && once == twice, "and so is what is read");
}

}  // namespace

void read_as_lines(const std::uint8_t* data, std::size_t size) {
  std::string padded(data, data + size);
  padded.append(cli::line_block::padding, '\0');
  const std::string_view line(padded.data(), size);

  read_twice(line);
  cli::evidence_line_reader evidence_reader;
  attributor who(prefix_set::everything());
  if (const auto e = evidence_reader.read(line)) {
    invariant(e->from_error >= 0 && e->until_error >= 0, "negative errors are refused");
    invariant(!e->tenancy.empty() && !e->workload.empty(), "empty names are refused");
    invariant(endpoint::parse(e->at.to_string()) == e->at, "an endpoint is read as it is written");
    who.merge({e->at, {0, 1}, workload_id{1}, e->from, e->until, e->from_error, e->until_error});
    const nanos middle = e->from / 2 + e->until / 2;
    who.attribute(e->at.address, e->at.port, {middle, middle, middle, middle, 0, 0, true});
  }

  cli::flow_line_reader flow_reader;
  if (const auto f = flow_reader.read(line)) {
    invariant(f->times.error >= 0 && f->times.transit >= 0, "negative spans are refused");
    invariant(!f->id.empty(), "a flow has an id");
    who.merge({{f->remote, 0}, {0, 2}, workload_id{1}, time_min, time_max, 0, 0});
    who.attribute(f->remote, f->remote_port, f->times);
  }
}

}  // namespace tenure::fuzz
