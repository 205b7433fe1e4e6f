#include "cli/query.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http_server.hpp"

namespace tenure::cli {
namespace {

struct query_options {
  std::string http = "127.0.0.1:4741";
  bool json = false;
};

constexpr const char* row = "{:<24} {:>12} {:>10} {:>12} {:>12} {:>10} {:>10}{}\n";

std::string row_of(const std::string& name, const nlohmann::json& l) {
  std::uint64_t unattributed = 0;
  for (const auto& [reason, flows] : l.at("unattributed").items()) unattributed += flows.get<std::uint64_t>();
  const auto number = [&](const char* key) { return l.at(key).get<std::uint64_t>(); };
  return fmt::format(row, name, number("received"), number("repeated"), number("attributed"), unattributed,
                     number("held"), number("dropped"),
                     l.at("balances").get<bool>() ? "" : "  does not balance");
}

std::string table(const nlohmann::json& ledger) {
  auto text =
      fmt::format(row, "agent", "received", "repeated", "attributed", "unattributed", "held", "dropped", "");
  for (const auto& a : ledger.at("agents")) text += row_of(a.at("agent").get<std::string>(), a);
  return text + row_of("all", ledger.at("all"));
}

outcome<void> query_ledger(const query_options& o, console& io) {
  const auto text = api::http_get(o.http, "/v1/ledger");
  if (!text) return tl::unexpected(text.error());
  bool balances = false;
  try {
    const auto ledger = nlohmann::json::parse(*text);
    balances = ledger.at("all").at("balances").get<bool>();
    for (const auto& a : ledger.at("agents")) balances = balances && a.at("balances").get<bool>();
    io.out << (o.json ? *text : table(ledger));
  } catch (const nlohmann::json::exception& e) {
    return fail(trouble::refused, o.http + ": that is no ledger; is a node there? " + e.what());
  }
  if (balances) return {};
  return fail(trouble::check_failed,
              "received - repeated is not attributed + unattributed + held + dropped: a flow was lost, or "
              "counted twice");
}

std::string cluster_table(const nlohmann::json& cluster) {
  constexpr const char* line = "{:<24} {:<24} {:<10} {:<10} {:>7}\n";
  auto text = fmt::format(line, "node", "address", "member", "standing", "share");
  for (const auto& n : cluster.at("nodes"))
    text += fmt::format(line, n.at("name").get<std::string>(), n.at("address").get<std::string>(),
                        n.at("member").get<bool>() ? "yes" : "no", n.at("standing").get<std::string>(),
                        fmt::format("{:.1f} %", 100 * n.at("share").get<double>()));
  // A node of an earlier version does not say it.
  if (const auto h = cluster.find("handed_over");
      h != cluster.end() && h->at("times").get<std::uint64_t>() > 0) {
    const auto bytes = h->at("bytes").get<double>();
    const auto seconds = h->at("seconds").get<double>();
    text += fmt::format("handed over {} timelines, {:.1f} MB in {:.2f} s: {:.1f} MB/s\n",
                        h->at("timelines").get<std::uint64_t>(), bytes / 1e6, seconds,
                        seconds > 0 ? bytes / 1e6 / seconds : 0);
  }
  return text + fmt::format("as {} sees it, view {}, moved {} times\n", cluster.at("node").get<std::string>(),
                            cluster.at("epoch").get<std::uint64_t>(),
                            cluster.at("movements").get<std::uint64_t>());
}

outcome<void> query_cluster(const query_options& o, console& io) {
  const auto text = api::http_get(o.http, "/v1/cluster");
  if (!text) return fail(text.error().trouble, text.error().text + "; is a node of a cluster there?");
  try {
    const auto cluster = nlohmann::json::parse(*text);
    io.out << (o.json ? *text : cluster_table(cluster));
  } catch (const nlohmann::json::exception& e) {
    return fail(trouble::refused, o.http + ": that is no cluster; is a node there? " + e.what());
  }
  return {};
}

}  // namespace

void add_query(command_line& line) {
  line.group("query", "ask a running node");
  auto o = std::make_shared<query_options>();
  auto& c =
      line.add("query ledger",
               "what became of the flows of each agent: received - repeated = attributed + unattributed "
               "+ held + dropped");
  c.option("http", o->http, "where the node serves HTTP").shown_as("ADDR:PORT");
  c.flag("json", o->json, "as JSON, with the reasons");
  c.run([o](console& io) { return query_ledger(*o, io); });
  auto of_cluster = std::make_shared<query_options>();
  auto& q = line.add("query cluster", "which nodes a node sees: members, who answers, who owns how much");
  q.option("http", of_cluster->http, "where the node serves HTTP").shown_as("ADDR:PORT");
  q.flag("json", of_cluster->json, "as JSON");
  q.run([of_cluster](console& io) { return query_cluster(*of_cluster, io); });
}

}  // namespace tenure::cli
