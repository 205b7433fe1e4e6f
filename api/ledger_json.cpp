#include "api/ledger_json.hpp"

#include <nlohmann/json.hpp>

namespace tenure::api {
namespace {

nlohmann::ordered_json as_json(const actors::flow_ledger& l) {
  auto reasons = nlohmann::ordered_json::object();
  for (std::size_t i = 1; i < l.answers.size(); ++i)
    if (l.answers[i] > 0) reasons[std::string{to_string(static_cast<reason>(i))}] = l.answers[i];
  return {{"received", l.received},  {"repeated", l.repeated},   {"attributed", l.attributed()},
          {"unattributed", reasons}, {"forwarded", l.forwarded}, {"held", l.held},
          {"dropped", l.dropped},    {"balances", l.balances()}};
}

}  // namespace

std::string ledger_json(const actors::ledger_book::reading& read) {
  auto agents = nlohmann::ordered_json::array();
  for (const auto& [name, ledger] : read.agents) {
    nlohmann::ordered_json one{{"agent", name}};
    one.update(as_json(ledger));
    agents.push_back(std::move(one));
  }
  return nlohmann::ordered_json{{"all", as_json(read.all)}, {"agents", std::move(agents)}}.dump(2) + "\n";
}

}  // namespace tenure::api
