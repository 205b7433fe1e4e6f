#include "sim/scenario_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "sim/swarm.hpp"

namespace tenure::sim {
namespace {

using settings = std::vector<std::pair<std::string, std::string>>;

std::string place(const std::filesystem::path& file, const toml::node& n) {
  return fmt::format("{}:{}", file.string(), n.source().begin.line);
}

std::string text_of(const toml::node& n) {
  if (const auto* s = n.as_string()) return s->get();
  if (const auto* i = n.as_integer()) return std::to_string(i->get());
  if (const auto* d = n.as_floating_point()) return fmt::format("{}", d->get());
  if (const auto* b = n.as_boolean()) return b->get() ? "true" : "false";
  return {};
}

outcome<void> collect(const std::filesystem::path& file, const toml::table& table, const std::string& prefix,
                      settings& out) {
  for (const auto& [key, value] : table) {
    const std::string name = prefix + std::string{key.str()};
    if (const auto* inner = value.as_table()) {
      if (auto done = collect(file, *inner, name + ".", out); !done) return done;
      continue;
    }
    const auto text = text_of(value);
    scenario trial;
    if (name != "draw" && name != "name" && name != "seed") {
      if (auto done = set_option(trial, name, text); !done)
        return fail(trouble::usage, place(file, value) + ": " + done.error().text);
    }
    out.emplace_back(name, text);
  }
  return {};
}

}  // namespace

outcome<scenario_source> scenario_source::read(const std::filesystem::path& file) {
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& e) {
    return fail(trouble::usage,
                fmt::format("{}:{}: {}", file.string(), e.source().begin.line, e.description()));
  }
  scenario_source source;
  source.name_ = file.stem().string();
  settings all;
  if (auto done = collect(file, table, "", all); !done) return tl::unexpected(done.error());
  for (auto& [key, value] : all) {
    if (key == "name") {
      source.name_ = value;
    } else if (key == "seed") {
      source.seed_ = table["seed"].value<std::uint64_t>();
      if (!source.seed_) return fail(trouble::usage, file.string() + ": seed: expected a number");
    } else if (key == "draw") {
      if (value != "swarm")
        return fail(trouble::usage, file.string() + ": draw: expected \"swarm\", not '" + value + "'");
      source.drawn_ = true;
    } else {
      source.settings_.emplace_back(std::move(key), std::move(value));
    }
  }
  std::ranges::stable_partition(source.settings_, [](const auto& s) { return s.first == "preset"; });
  return source;
}

scenario_source scenario_source::plain(std::string name) {
  scenario_source source;
  source.name_ = std::move(name);
  source.settings_ = {{"fleet.workloads", "12"},
                      {"fleet.instances", "120"},
                      {"fleet.hosts", "12"},
                      {"fleet.addresses", "150"},
                      {"horizon", "30m"}};
  return source;
}

scenario scenario_source::make(std::uint64_t seed) const {
  scenario s = drawn_ ? swarm(seed) : scenario{};
  s.name = name_;
  for (const auto& [key, value] : settings_)
    invariant(set_option(s, key, value).has_value(), "settings were tried when they were read");
  return s;
}

outcome<void> scenario_source::set(const std::string& key, const std::string& value) {
  scenario trial;
  if (auto done = set_option(trial, key, value); !done) return done;
  settings_.emplace_back(key, value);
  return {};
}

}  // namespace tenure::sim
