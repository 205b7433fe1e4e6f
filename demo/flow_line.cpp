#include "demo/flow_line.hpp"

#include <charconv>
#include <chrono>

#include <nlohmann/json.hpp>

namespace tenure::demo {
namespace {

using json = nlohmann::json;

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + count, value);
  return error == std::errc{} && end == begin + count ? std::optional(value) : std::nullopt;
}

failure wrong(const char* key) {
  return {trouble::usage, std::string("a record without a proper ") + key};
}

std::optional<std::string> text_or_null(const json& line, const char* key) {
  const auto& value = line.at(key);
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

std::optional<nanos> time_or_null(const json& line, const char* key) {
  const auto text = text_or_null(line, key);
  return text ? parse_utc(*text) : std::nullopt;
}

}  // namespace

std::optional<nanos> parse_utc(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000000000Z";
  if (text.size() != form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return std::nullopt;
  }
  namespace c = std::chrono;
  const c::year_month_day date{c::year{*digits(text, 0, 4)},
                               c::month{static_cast<unsigned>(*digits(text, 5, 2))},
                               c::day{static_cast<unsigned>(*digits(text, 8, 2))}};
  if (!date.ok()) return std::nullopt;
  const auto whole = c::sys_days{date} + c::hours{*digits(text, 11, 2)} + c::minutes{*digits(text, 14, 2)} +
                     c::seconds{*digits(text, 17, 2)} + c::nanoseconds{*digits(text, 20, 9)};
  return whole.time_since_epoch().count();
}

outcome<flow_line> parse_flow_line(std::string_view text) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return tl::unexpected(failure{trouble::usage, "a record that is no JSON object"});
  try {
    flow_line f;
    f.flow_id = line.at("flow_id").get<std::string>();
    const auto reporter = line.at("reporter").get<std::string>();
    if (reporter != "source" && reporter != "destination") return tl::unexpected(wrong("reporter"));
    f.reporter = reporter == "source" ? side::client : side::server;
    const auto client = address::parse(line.at("source_address").get<std::string>());
    const auto server = address::parse(line.at("destination_address").get<std::string>());
    if (!client || !server) return tl::unexpected(wrong("address"));
    f.tuple = {*client, *server, line.at("source_port").get<std::uint16_t>(),
               line.at("destination_port").get<std::uint16_t>()};
    f.client = {text_or_null(line, "source_workload"), text_or_null(line, "source_tenancy")};
    f.server = {text_or_null(line, "destination_workload"), text_or_null(line, "destination_tenancy")};
    f.reason = text_or_null(line, "reason").value_or("");
    f.opened = time_or_null(line, "opened");
    f.established = time_or_null(line, "established");
    f.closed = time_or_null(line, "closed");
    return f;
  } catch (const json::exception& e) {
    return tl::unexpected(
        failure{trouble::usage, std::string("a record that is not as it should be: ") + e.what()});
  }
}

}  // namespace tenure::demo
