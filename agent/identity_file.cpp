#include "agent/identity_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <toml++/toml.h>

#include "transport/svid.hpp"

namespace tenure::agent {

namespace {

tl::unexpected<failure> at(const std::string& name, const toml::source_region& where,
                           const std::string& what) {
  return fail(trouble::usage, name + ":" + std::to_string(where.begin.line) + ": " + what);
}

bool is_name(const std::string& s) {
  return !s.empty() && s.size() <= wire::max_name_bytes;
}

outcome<std::vector<address>> read_addresses(const toml::node& node, const std::string& name) {
  const auto* list = node.as_array();
  if (list == nullptr || list->empty())
    return at(name, node.source(), "`addresses` is a list of addresses, one at least");
  std::vector<address> result;
  for (const auto& element : *list) {
    const auto a = address::parse(element.value_or(std::string{}));
    if (!a) return at(name, element.source(), "expected an address such as \"10.1.2.3\" or \"2001:db8::3\"");
    if (a->is_host_local())
      return at(name, element.source(), a->to_string() + " means another host wherever it is said");
    if (std::ranges::count(result, *a) == 0) result.push_back(*a);
  }
  return result;
}

outcome<std::vector<std::pair<std::string, std::string>>> read_labels(const toml::node& node,
                                                                      const std::string& name) {
  const auto* table = node.as_table();
  if (table == nullptr) return at(name, node.source(), "`labels` is a table such as { zone = \"b\" }");
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& [key, value] : *table) {
    const auto text = value.value<std::string>();
    const std::string label(key.str());
    if (!text || !is_name(label) || text->size() > wire::max_name_bytes)
      return at(name, value.source(), "label `" + label + "` is a string of at most 256 bytes");
    result.emplace_back(label, *text);
  }
  return result;
}

outcome<host_identity> read(const toml::table& table, const std::string& name) {
  host_identity result;
  for (const auto& [key, value] : table) {
    if (key == "workload") {
      result.workload.name = value.value_or(std::string{});
      if (!is_name(result.workload.name))
        return at(name, value.source(), "`workload` is a name of 1 to 256 bytes");
    } else if (key == "addresses") {
      auto addresses = read_addresses(value, name);
      if (!addresses) return tl::unexpected(addresses.error());
      result.addresses = std::move(*addresses);
    } else if (key == "labels") {
      auto labels = read_labels(value, name);
      if (!labels) return tl::unexpected(labels.error());
      result.workload.labels = std::move(*labels);
    } else {
      return at(name, key.source(),
                "unknown key `" + std::string(key.str()) + "`; known are workload, addresses, labels");
    }
  }
  if (result.workload.name.empty()) return fail(trouble::usage, name + ": `workload` is missing");
  return result;
}

}  // namespace

outcome<host_identity> parse_identity(std::string_view text, const std::string& name) {
  if (transport::is_pem(text)) {
    const auto id = transport::read_svid(text, name);
    if (!id) return tl::unexpected(id.error());
    if (!is_name(*id)) return fail(trouble::usage, name + ": a workload's name is at most 256 bytes");
    return host_identity{{*id, {}}, {}};
  }
  try {
    return read(toml::parse(text, name), name);
  } catch (const toml::parse_error& e) {
    return at(name, e.source(), std::string(e.description()));
  }
}

outcome<host_identity> load_identity_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in.good() && !in.eof())
    return fail(trouble::usage, path + ": cannot be read: " + std::strerror(errno));
  return parse_identity(text, path);
}

}  // namespace tenure::agent
