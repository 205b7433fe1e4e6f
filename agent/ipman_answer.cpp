#include "agent/ipman_answer.hpp"

#include <nlohmann/json.hpp>

namespace tenure::agent {
namespace {

using json = nlohmann::ordered_json;

std::string line_of(const json& reply) {
  return reply.dump(-1, ' ', false, json::error_handler_t::replace);
}

json describe(const assignment& a) {
  json labels = json::object();
  for (const auto& [key, value] : a.workload.labels) labels[key] = value;
  return {{"endpoint", a.endpoint.to_string()},
          {"workload", a.workload.name},
          {"labels", std::move(labels)},
          {"tenancy", a.tenancy.to_string()},
          {"netns", a.netns.path},
          {"netns_cookie", a.netns.cookie},
          {"from_ns", a.from},
          {"verified_ns", a.verified}};
}

std::string answer_with(const outcome<assignment>& done) {
  if (!done) return ipman_refusal(done.error());
  return line_of({{"ok", true}, {"assignment", describe(*done)}});
}

outcome<assignment> do_del(tenancy_tracker& tracker, const ipman_request& r,
                           const tenure::endpoint& endpoint) {
  tenancy_id only;
  if (!r.tenancy.empty()) {
    const auto parsed = tenancy_id::parse(r.tenancy);
    if (!parsed)
      return fail(trouble::usage, "expected a tenancy such as 00c0ffee00c0ffee-17, not '" + r.tenancy + "'");
    only = *parsed;
  }
  return tracker.del(endpoint, r.netns, only);
}

}  // namespace

std::string ipman_refusal(const failure& why) {
  return line_of({{"ok", false}, {"code", static_cast<int>(why.trouble)}, {"error", why.text}});
}

std::string answer_ipman(tenancy_tracker& tracker, const ipman_request& request) {
  using action = ipman_request::action;
  if (request.verb == action::list) {
    json all = json::array();
    for (const auto& a : tracker.list()) all.push_back(describe(a));
    return line_of({{"ok", true}, {"assignments", std::move(all)}});
  }
  const auto endpoint = tenure::endpoint::parse(request.endpoint);
  if (!endpoint)
    return ipman_refusal(
        {trouble::usage, "expected an address, or an address and a port, not '" + request.endpoint + "'"});
  if (request.verb == action::set)
    return answer_with(
        tracker.set(*endpoint, {request.workload, request.labels}, request.netns, request.unless_forwarding));
  return answer_with(do_del(tracker, request, *endpoint));
}

}  // namespace tenure::agent
