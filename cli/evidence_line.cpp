#include "cli/evidence_line.hpp"

namespace tenure::cli {

namespace {

enum key : std::size_t { endpoint_key, tenancy, workload, from_ns, until_ns, from_error_ns, until_error_ns };
constexpr std::array<std::string_view, 7> keys{"endpoint", "tenancy",       "workload",      "from_ns",
                                               "until_ns", "from_error_ns", "until_error_ns"};
constexpr std::uint32_t all_keys = (1U << keys.size()) - 1;

template <class Value>
expectation read_endpoint(Value value, endpoint& into) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (const auto parsed = endpoint::parse(text)) {
      into = *parsed;
      return nullptr;
    }
  }
  return "an address or one port of it, such as \"10.0.0.1\", \"2001:db8::1\", \"10.0.0.1:443\", "
         "\"[2001:db8::1]:443\"";
}

}  // namespace

outcome<evidence_line> evidence_line_reader::read(std::string_view line) {
  evidence_line e;
  const auto seen = object_.read(line, keys, [&e](std::size_t index, auto value) -> expectation {
    switch (index) {
      case endpoint_key:
        return read_endpoint(value, e.at);
      case tenancy:
        return read_name(value, e.tenancy);
      case workload:
        return read_name(value, e.workload);
      case from_ns:
        return read_integer(value, e.from);
      case until_ns:
        return read_integer(value, e.until);
      case from_error_ns:
        return read_span(value, e.from_error);
      default:
        return read_span(value, e.until_error);
    }
  });
  if (!seen) return tl::unexpected(seen.error());
  if (auto complete = require_keys(*seen, all_keys, keys); !complete) return tl::unexpected(complete.error());
  return e;
}

}  // namespace tenure::cli
