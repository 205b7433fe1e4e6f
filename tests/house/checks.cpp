#include "tests/house/checks.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string_view>

namespace tenure::house {
namespace {

using words = std::set<std::string_view>;

std::string at(const source_file& f, std::size_t line, std::string_view what) {
  return f.path + ":" + std::to_string(line) + ": " + std::string(what);
}

/// Applies `pattern` to each line; a finding for each match. @param code_only leave comments and strings out.
findings search(const source_file& f, const std::regex& pattern, bool code_only, std::string_view advice) {
  findings result;
  std::size_t number = 0;
  for (const auto line : f.lines()) {
    ++number;
    const std::string text = code_only ? only_code(line) : std::string(line);
    if (std::smatch m; std::regex_search(text, m, pattern)) {
      result.push_back(at(f, number, "'" + m.str() + "': " + std::string(advice)));
    }
  }
  return result;
}

/// The implementations of our interfaces to the world, each with what makes it one.
const std::map<std::string_view, std::string_view> touches_the_world = {
    {"transport/asio_link.cpp", "bounds the silence of real sockets"},
    {"transport/udp_link.cpp", "bounds the silence of real sockets"},
    {"transport/udp_transport.cpp", "draws connection numbers that nobody can guess"},
    {"agent/cri.cpp", "bounds its wait for a real socket"},
    {"bench/agent/main.cpp", "a main: it parses arguments"},
    {"docs/examples/properties/main.cpp", "a main: it parses arguments"},
    {"bench/agent/measured_agent.cpp", "reads the processor time of another process"},
    {"bench/netflow/main.cpp", "a main: it paces packets by the clock"},
    {"demo/clock.cpp", "the ground truth's clock, which is the kernel's"},
    {"demo/clock.cpp", "stamps the truth, on the clock that the kernel stamps flows with"},
};

/// Which folders a folder may include, besides itself; see docs/architecture.md.
const std::map<std::string_view, words> may_know = {
    {"ownership", {}},
    {"properties", {"ownership"}},
    {"hold", {"ownership"}},
    {"bpf", {}},
    {"capnp", {"ownership", "hold"}},
    {"transport", {"ownership"}},
    {"sinks", {"ownership", "hold"}},
    {"cluster", {"ownership", "capnp", "transport"}},
    {"agent", {"ownership", "capnp", "bpf", "transport"}},
    {"actors", {"ownership", "hold", "capnp", "transport", "cluster", "sinks", "agent"}},
    {"api", {"ownership", "transport", "sinks", "agent", "actors"}},
    {"load", {"ownership", "capnp", "transport", "agent"}},
};
const words know_everything = {"cli", "demo", "bench", "tests", "sim", "docs"};

/// Where a framework may be included: by the first part of the header's path.
const std::map<std::string_view, words> frameworks = {
    {"caf", {"actors", "sim", "demo", "cli"}},
    {"asio", {"transport", "agent"}},
    {"asio.hpp", {"transport"}},
    {"capnp", {"capnp"}},
    {"kj", {"capnp"}},
    {"bpf", {"agent", "bpf"}},
    {"CLI", {"cli"}},
    {"nghttp2", {"agent"}},
    {"google", {"agent"}},
};

/// What ownership/ may include from outside: the standard library, whose headers have neither slash nor dot,
/// and these (the second only reads and writes addresses as text, the third takes memory).
const words ownership_may_include = {"tl/expected.hpp", "arpa/inet.h", "sys/mman.h"};

bool generated(std::string_view header) {
  return header.ends_with(".capnp.h") || header.ends_with(".skel.h") || header == "vmlinux.h";
}

std::string_view first_part(std::string_view path) {
  return path.substr(0, path.find('/'));
}

std::string why_not_include(const source_file& f, std::string_view header, bool quoted) {
  const auto folder = f.folder();
  if (generated(header)) return {};
  if (quoted) {
    if (header.find('/') == std::string_view::npos) return "write it from the top of the tree";
    const auto other = first_part(header);
    if (other == "tests")
      return folder == "tests" || folder == "bench" ? "" : "only tests and benchmarks include tests";
    if (other == folder || know_everything.contains(folder)) return {};
    const auto known = may_know.find(folder);
    if (known == may_know.end()) return "this folder is not in the table of who may know whom";
    return known->second.contains(other) ? ""
                                         : std::string(folder) + "/ may not know " + std::string(other) + "/";
  }
  if (folder == "ownership" && header.find_first_of("/.") != std::string_view::npos &&
      !ownership_may_include.contains(header)) {
    return "ownership/ knows no framework";
  }
  const auto framework = frameworks.find(first_part(header));
  if (framework == frameworks.end() || folder == "tests" || folder == "bench") return {};
  return framework->second.contains(folder) ? "" : "this framework stays out of " + std::string(folder) + "/";
}

}  // namespace

findings reads_the_world(const source_file& f) {
  if (!f.code() || f.folder() == "cli" || f.folder() == "bpf" || touches_the_world.contains(f.path))
    return {};
  static const std::regex in_code(
      R"(\b(system_clock|steady_clock::now|high_resolution_clock|clock_gettime|clock_nanosleep|gettimeofday|random_device|getrandom)\b)"
      R"(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)|\bs?rand\s*\(|\bsleep_(for|until)\b|\b(u|nano)?sleep\s*\()"
      R"(|\bgetenv\b|\bCLI::|\bargv\b)");
  // Tests may bound their waits by a real clock; waiting itself, and chance, they may not.
  static const std::regex in_tests(
      R"(\b(system_clock|gettimeofday|random_device|getrandom)\b|\bs?rand\s*\(|\bsleep_(for|until)\b)"
      R"(|\b(u|nano)?sleep\s*\()");
  return search(f, f.folder() == "tests" ? in_tests : in_code, true,
                "comes in from outside (see CONTRIBUTING.md)");
}

findings knows_too_much(const source_file& f) {
  if (!f.code()) return {};
  static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  findings result;
  std::size_t number = 0;
  for (const auto line : f.lines()) {
    ++number;
    std::match_results<std::string_view::const_iterator> m;
    if (!std::regex_search(line.begin(), line.end(), m, include)) continue;
    const auto header = m.str(2);
    const auto why = why_not_include(f, header, m.str(1) == "\"");
    if (!why.empty()) result.push_back(at(f, number, header + ": " + why));
  }
  return result;
}

findings grows_too_long(const source_file& f) {
  constexpr std::size_t limit = 400;
  const auto count = f.lines().size();
  if (!f.code() || count <= limit) return {};
  return {f.path + ": " + std::to_string(count) + " lines, more than " + std::to_string(limit) +
          ": look for a seam"};
}

findings names_nothing(const source_file& f) {
  if (!f.code()) return {};
  static const std::regex empty_word(
      R"((^|_|:)(util|utils|utility|utilities|helper|helpers|manager|managers|misc)(_|$))");
  static const std::regex declared(R"(\b(class|struct|namespace)\s+([A-Za-z_:]+))");
  findings result;
  if (const std::string stem(f.stem()); std::regex_search(stem, empty_word)) {
    result.push_back(f.path + ": the file's name says nothing");
  }
  std::size_t number = 0;
  for (const auto line : f.lines()) {
    ++number;
    const auto text = only_code(line);
    std::smatch m;
    if (!std::regex_search(text, m, declared)) continue;
    const auto name = m.str(2);
    if (std::regex_search(name, empty_word))
      result.push_back(at(f, number, name + ": the name says nothing"));
  }
  return result;
}

findings leaves_open(const source_file& f) {
  if (f.extension() == ".md") return {};
  // Put together here, so that this file does not find itself.
  static const std::regex marks(
      "\\b(TO"
      "DO|FIX"
      "ME|XX"
      "X|HA"
      "CK)\\b|not imple"
      "mented|unimple"
      "mented");
  return search(f, marks, false, "finish it, or write an issue");
}

findings names_a_machine(const source_file& f) {
  static const std::regex paths(
      "(^|[^A-Za-z0-9_.}/])/(wo"
      "rk|ro"
      "ot|ho"
      "me|Users|tmp/h[0-9])/");
  return search(f, paths, false, "a path that only one machine has");
}

findings starts_badly(const source_file& f) {
  if (!f.code() || f.text.empty()) return {};
  const auto lines = f.lines();
  std::size_t first = 0;
  // The kernel's programs say their licence first, as is the custom there.
  if (f.folder() == "bpf" && lines[0].starts_with("// SPDX-License-Identifier: ")) first = 1;
  while (first < lines.size() && lines[first].empty()) ++first;
  if (first == lines.size()) return {f.path + ": empty"};
  const std::string line(lines[first]);
  if (f.extension() == ".hpp") {
    return line == "#pragma once" ? findings{} : findings{f.path + ": a header starts with #pragma once"};
  }
  static const std::regex banner(R"(^/\*|^//\s*[-=*/#]{3}|^//.*([Cc]opyright|All rights reserved|SPDX))");
  static const std::regex start(R"(^#(include|pragma once|ifndef)\b|^//+ )");
  if (std::regex_search(line, banner) || !std::regex_search(line, start)) {
    return {at(f, first + 1, "starts with neither an include nor a sentence")};
  }
  return {};
}

findings links_nowhere(const source_file& f, const std::vector<source_file>& tree) {
  if (f.extension() != ".md") return {};
  namespace fs = std::filesystem;
  static const std::regex link(R"(\]\(([^)#\s]+)(#[^)]*)?\))");
  static const std::regex named(R"(`([a-z]+/[a-z_./-]+\.(hpp|cpp|h|c|capnp|sh|toml|txt|md|suppressions))`)");
  const auto there = [&](const std::string& path) {
    return std::any_of(tree.begin(), tree.end(), [&](const source_file& other) {
      return other.path == path || other.path.starts_with(path.ends_with('/') ? path : path + '/');
    });
  };
  const auto folder = fs::path(f.path).parent_path();
  findings result;
  std::size_t number = 0;
  for (const auto line : f.lines()) {
    ++number;
    const std::string text(line);
    const std::sregex_iterator end;
    for (std::sregex_iterator m(text.begin(), text.end(), link); m != end; ++m) {
      const auto target = (*m)[1].str();
      if (target.find("://") != std::string::npos) continue;
      if (!there((folder / target).lexically_normal().generic_string()))
        result.push_back(at(f, number, "links to " + target + ", which is not there"));
    }
    for (std::sregex_iterator m(text.begin(), text.end(), named); m != end; ++m)
      if (!there((*m)[1].str()))
        result.push_back(at(f, number, "names " + (*m)[1].str() + ", which is not there"));
  }
  return result;
}

}  // namespace tenure::house
