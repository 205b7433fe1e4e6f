#include <initializer_list>
#include <string_view>

#include <nlohmann/json.hpp>

#include "agent/ipman.hpp"
#include "capnp/messages.hpp"

namespace tenure::agent {
namespace {

using json = nlohmann::json;

outcome<void> only_keys(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object.items()) {
    bool found = false;
    for (const auto k : known) found |= k == key;
    if (!found) return fail(trouble::usage, "unknown key '" + key + "'");
  }
  return {};
}

outcome<void> read_text(const json& object, const char* key, bool required, std::string& into) {
  const auto it = object.find(key);
  if (it == object.end()) {
    if (required) return fail(trouble::usage, std::string{"expected the key '"} + key + "'");
    return {};
  }
  if (!it->is_string()) return fail(trouble::usage, std::string{"expected a text for '"} + key + "'");
  into = it->get<std::string>();
  return {};
}

outcome<void> read_labels(const json& object, ipman_request& r) {
  const auto labels = object.find("labels");
  if (labels == object.end()) return {};
  if (!labels->is_object()) return fail(trouble::usage, "expected an object of texts for 'labels'");
  if (labels->size() > wire::max_workload_labels)
    return fail(trouble::usage, "at most " + std::to_string(wire::max_workload_labels) + " labels");
  for (const auto& [key, value] : labels->items()) {
    if (!value.is_string() || !wire::valid_text(key) || !wire::valid_text(value.get<std::string>()))
      return fail(trouble::usage, "a label's key and value are texts of at most 256 bytes");
    r.labels.emplace_back(key, value.get<std::string>());
  }
  return {};
}

outcome<ipman_request> read_set(const json& object) {
  ipman_request r;
  r.verb = ipman_request::action::set;
  return only_keys(object, {"verb", "endpoint", "workload", "labels", "netns"})
      .and_then([&] { return read_text(object, "endpoint", true, r.endpoint); })
      .and_then([&] { return read_text(object, "workload", true, r.workload); })
      .and_then([&] { return read_text(object, "netns", false, r.netns); })
      .and_then([&] { return read_labels(object, r); })
      .map([&] { return r; });
}

outcome<ipman_request> read_del(const json& object) {
  ipman_request r;
  r.verb = ipman_request::action::del;
  return only_keys(object, {"verb", "endpoint", "netns", "tenancy"})
      .and_then([&] { return read_text(object, "endpoint", true, r.endpoint); })
      .and_then([&] { return read_text(object, "netns", false, r.netns); })
      .and_then([&] { return read_text(object, "tenancy", false, r.tenancy); })
      .map([&] { return r; });
}

}  // namespace

outcome<ipman_request> parse_ipman_request(const std::string& line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return fail(trouble::usage, "expected one JSON object on a line");
  const auto verb = object.find("verb");
  if (verb != object.end() && *verb == "set") return read_set(object);
  if (verb != object.end() && *verb == "del") return read_del(object);
  if (verb != object.end() && *verb == "list")
    return only_keys(object, {"verb"}).map([] { return ipman_request{}; });
  return fail(trouble::usage, "expected the key 'verb' with set, del or list");
}

std::string format_ipman_request(const ipman_request& r) {
  json object;
  if (r.verb == ipman_request::action::list) {
    object["verb"] = "list";
    return object.dump();
  }
  object["verb"] = r.verb == ipman_request::action::set ? "set" : "del";
  object["endpoint"] = r.endpoint;
  if (!r.netns.empty()) object["netns"] = r.netns;
  if (r.verb == ipman_request::action::del) {
    if (!r.tenancy.empty()) object["tenancy"] = r.tenancy;
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  object["workload"] = r.workload;
  for (const auto& [key, value] : r.labels) object["labels"][key] = value;
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace tenure::agent
