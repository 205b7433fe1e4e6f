#include "cli/ipman.hpp"

#include <memory>
#include <ostream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/ipman.hpp"

namespace tenure::cli {
namespace {

using json = nlohmann::ordered_json;

struct options {
  std::string socket = "/run/tenure/ipman.sock";
  std::string address;
  std::string workload;
  std::uint16_t port = 0;
  std::vector<std::string> labels;
  std::string netns;
  std::string tenancy;
  bool as_json = false;
};

std::string endpoint_text(const options& o) {
  if (o.port == 0) return o.address;
  const bool v6 = o.address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", o.address, v6 ? "]" : "", o.port);
}

outcome<agent::ipman_request> request_of(const options& o, agent::ipman_request::action verb) {
  agent::ipman_request r;
  r.verb = verb;
  r.endpoint = endpoint_text(o);
  r.workload = o.workload;
  r.netns = o.netns;
  r.tenancy = o.tenancy;
  for (const auto& label : o.labels) {
    const auto equals = label.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(trouble::usage, "--label: expected key=value, not '" + label + "'");
    r.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return r;
}

/// Sends it; @returns the reply's object, or the refusal that it brought.
outcome<json> call(const options& o, agent::ipman_request::action verb) {
  const auto request = request_of(o, verb);
  if (!request) return tl::unexpected(request.error());
  const auto line = agent::ipman_call(o.socket, *request);
  if (!line) return tl::unexpected(line.error());
  auto reply = json::parse(*line, nullptr, false);
  if (!reply.is_object() || !reply.contains("ok"))
    return fail(trouble::refused, "what listens on " + o.socket + " does not answer as an agent does");
  if (reply.value("ok", false)) return reply;
  const bool refused = reply.value("code", 2) == static_cast<int>(trouble::refused);
  return fail(refused ? trouble::refused : trouble::usage, reply.value("error", "refused without a reason"));
}

void print(std::ostream& out, const json& a) {
  std::string labels;
  for (const auto& [key, value] : a.at("labels").items())
    labels += fmt::format(" {}={}", key, value.get<std::string>());
  out << fmt::format("{:<40} {:<24} {:<24} {}{}\n", a.at("endpoint").get<std::string>(),
                     a.at("workload").get<std::string>(), a.at("tenancy").get<std::string>(),
                     a.at("netns").get<std::string>(), labels);
}

outcome<void> change(const options& o, agent::ipman_request::action verb, console& io) {
  const auto reply = call(o, verb);
  if (!reply) return tl::unexpected(reply.error());
  if (o.as_json)
    io.out << reply->at("assignment").dump() << "\n";
  else
    print(io.out, reply->at("assignment"));
  return {};
}

outcome<void> list(const options& o, console& io) {
  const auto reply = call(o, agent::ipman_request::action::list);
  if (!reply) return tl::unexpected(reply.error());
  for (const auto& a : reply->at("assignments")) {
    if (o.as_json)
      io.out << a.dump() << "\n";
    else
      print(io.out, a);
  }
  return {};
}

void add_common(command& c, options& o) {
  c.option("ipman-socket", o.socket, "the agent's socket").shown_as("PATH");
  c.flag("json", o.as_json, "print JSON, one assignment a line");
}

void add_endpoint(command& c, options& o) {
  c.positional("ADDRESS", o.address, "the address");
  c.option("port", o.port, "only this port of it; 0 is the whole address").shown_as("P");
  c.option("netns", o.netns, "the network namespace that has it; found when not given").shown_as("PATH");
}

}  // namespace

void add_ipman(command_line& line) {
  line.group("ipman", "assign addresses to workloads");

  auto set = std::make_shared<options>();
  auto& s = line.add("ipman set", "an address is a workload's from now on");
  add_endpoint(s, *set);
  s.positional("WORKLOAD", set->workload, "the workload's name");
  s.option("label", set->labels, "repeatable").shown_as("KEY=VALUE");
  add_common(s, *set);
  s.run([set](console& io) { return change(*set, agent::ipman_request::action::set, io); });

  auto del = std::make_shared<options>();
  auto& d = line.add("ipman del", "an address is about to be released");
  add_endpoint(d, *del);
  d.option("tenancy", del->tenancy, "only if it is still held by this tenancy").shown_as("ID");
  add_common(d, *del);
  d.run([del](console& io) { return change(*del, agent::ipman_request::action::del, io); });

  auto all = std::make_shared<options>();
  auto& l = line.add("ipman list", "print what is assigned on this host");
  add_common(l, *all);
  l.run([all](console& io) { return list(*all, io); });
}

}  // namespace tenure::cli
