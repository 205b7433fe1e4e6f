#include "demo/ipman_platform.hpp"

#include <nlohmann/json.hpp>

#include "agent/ipman.hpp"

namespace tenure::demo {
namespace {

using json = nlohmann::json;

/// The reply's object, or the agent's refusal.
outcome<json> ask(const std::string& socket, const agent::ipman_request& request) {
  auto reply = agent::ipman_call(socket, request);
  if (!reply) return tl::unexpected(reply.error());
  json object = json::parse(*reply, nullptr, false);
  if (!object.is_object() || !object.contains("ok")) {
    return fail(trouble::refused, "the agent answered " + *reply);
  }
  if (object["ok"] != true) return fail(trouble::refused, object.value("error", *reply));
  return object;
}

}  // namespace

outcome<std::string> ipman_platform::set(address a, const std::string& workload, const std::string& netns) {
  agent::ipman_request request;
  request.verb = agent::ipman_request::action::set;
  request.endpoint = a.to_string();
  request.workload = workload;
  request.netns = netns;
  auto reply = ask(socket_, request);
  if (!reply) return tl::unexpected(reply.error());
  const auto assignment = reply->find("assignment");
  if (assignment == reply->end() || !assignment->is_object()) {
    return fail(trouble::refused, "the agent's reply to set has no assignment");
  }
  return assignment->value("tenancy", std::string{});
}

outcome<void> ipman_platform::del(address a, const std::string& netns) {
  agent::ipman_request request;
  request.verb = agent::ipman_request::action::del;
  request.endpoint = a.to_string();
  request.netns = netns;
  auto reply = ask(socket_, request);
  return reply ? outcome<void>{} : tl::unexpected(reply.error());
}

}  // namespace tenure::demo
