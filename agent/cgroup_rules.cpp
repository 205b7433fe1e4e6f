#include "agent/cgroup_rules.hpp"

#include <algorithm>
#include <array>
#include <regex.h>

namespace tenure::agent {
namespace {

constexpr std::size_t longest_path = 4096;
constexpr std::size_t id_digits = 64;

/// What is asked for first is the most exact: a rule whose template the runtime cannot fill is passed over.
constexpr std::array built_in{
    // A pod's containers share its addresses, so all of them have the pod's name. With cgroupfs as driver a
    // pod's UID stands in the path as it is, with systemd with _ for -.
    // What watches a container is not in it.
    "/(libpod|crio)-conmon-[0-9a-f]{64} =>",
    "/kubepods[^/]*/.*pod[0-9a-f]{8}[-_] => ${namespace}/${pod}",
    "/kubepods[^/]*/.*pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}) => "
    "pod-$1",
    // Docker, Podman, containerd and CRI-O: docker-ID.scope, libpod-ID.scope, cri-containerd-ID.scope,
    // crio-ID.scope, /docker/ID, /libpod_parent/libpod-ID, /NAMESPACE/ID.
    "[-/][0-9a-f]{64}(\\.scope)?(/|$) => ${name}",
    "/([a-z][-a-z]*)[-/]([0-9a-f]{12})[0-9a-f]{52}(\\.scope)?(/|$) => $1-$2",
    "/([^/]+\\.service)(/|$) => $1",
};

/// In a unit's cgroup \\x2d stands for a dash that is no separator; a name says the dash.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 4) == "\\x2d") {
      out += '-';
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

/// What a placeholder stands for; absent: nothing says it. @param known whether there is such a placeholder
std::optional<std::string> said(std::string_view what, const container* runs, bool& known) {
  const container nothing;
  const auto& c = runs == nullptr ? nothing : *runs;
  const auto unless_empty = [](const std::string& s) { return s.empty() ? std::nullopt : std::optional(s); };
  if (what == "name") return unless_empty(c.name);
  if (what == "image") return unless_empty(c.image);
  if (what == "pod") return unless_empty(c.pod);
  if (what == "namespace") return unless_empty(c.pod_namespace);
  if (what.starts_with("label:")) {
    const auto key = what.substr(6);
    const auto found = std::ranges::find(c.labels, key, &std::pair<std::string, std::string>::first);
    return found == c.labels.end() ? std::nullopt : unless_empty(found->second);
  }
  known = false;
  return std::nullopt;
}

}  // namespace

std::string_view container_id_in(std::string_view path) {
  std::size_t digits = 0;
  for (std::size_t i = path.size(); i-- > 0;) {
    const char c = path[i];
    digits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? digits + 1 : 0;
    const bool alone = i == 0 || path[i - 1] == '-' || path[i - 1] == '/';
    if (digits == id_digits && alone) return path.substr(i, id_digits);
  }
  return {};
}

struct cgroup_rules::rule {
  std::shared_ptr<regex_t> pattern;
  std::size_t groups = 0;
  std::string name;

  /// @returns absent when something is asked for that nobody says.
  std::optional<std::string> fill(const std::string& path, const std::array<regmatch_t, 10>& at,
                                  const container* runs) const {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] != '$') {
        out += name[i];
        continue;
      }
      const char next = name[++i];  // `parse` has seen that it is there
      if (next == '$') {
        out += '$';
      } else if (next == '{') {
        const auto end = name.find('}', i);
        bool known = true;
        const auto text = said(std::string_view(name).substr(i + 1, end - i - 1), runs, known);
        if (!text) return std::nullopt;
        out += *text;
        i = end;
      } else {
        const auto& m = at[static_cast<std::size_t>(next - '0')];
        if (m.rm_so < 0) return std::nullopt;
        out += unescaped(std::string_view(path).substr(static_cast<std::size_t>(m.rm_so),
                                                       static_cast<std::size_t>(m.rm_eo - m.rm_so)));
      }
    }
    return out;
  }

  const char* wrong() const {
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i] != '$') continue;
      if (++i == name.size()) return "a dollar at the end of the name; $$ stands for one";
      const char next = name[i];
      if (next == '$') continue;
      if (next == '{') {
        const auto end = name.find('}', i);
        if (end == std::string::npos) return "a ${ without its }";
        bool known = true;
        (void)said(std::string_view(name).substr(i + 1, end - i - 1), nullptr, known);
        if (!known) return "known are ${name}, ${image}, ${pod}, ${namespace} and ${label:KEY}";
        i = end;
      } else if (next < '1' || next > '9' || static_cast<std::size_t>(next - '0') > groups) {
        return "a $ that stands for no parentheses of the pattern";
      }
    }
    return nullptr;
  }
};

cgroup_rules::cgroup_rules() = default;
cgroup_rules::~cgroup_rules() = default;

outcome<cgroup_rules::rule> cgroup_rules::parse(const std::string& text) {
  const auto arrow = text.find("=>");
  const auto refuse = [&](const std::string& why) {
    return fail(trouble::usage, "the cgroup rule '" + text + "': " + why);
  };
  if (arrow == std::string::npos) return refuse("expected PATTERN => NAME");
  const std::string pattern(trimmed(std::string_view(text).substr(0, arrow)));
  if (pattern.empty()) return refuse("expected a pattern before =>");
  rule r;
  r.name = trimmed(std::string_view(text).substr(arrow + 2));
  auto compiled = std::make_unique<regex_t>();
  if (const int error = ::regcomp(compiled.get(), pattern.c_str(), REG_EXTENDED); error != 0) {
    std::array<char, 128> why{};
    ::regerror(error, compiled.get(), why.data(), why.size());
    return refuse(why.data());
  }
  r.pattern = std::shared_ptr<regex_t>(compiled.release(), [](regex_t* x) {
    ::regfree(x);
    delete x;
  });
  r.groups = r.pattern->re_nsub;
  if (const char* wrong = r.wrong()) return refuse(wrong);
  return r;
}

outcome<std::shared_ptr<const cgroup_rules>> cgroup_rules::make(const std::vector<std::string>& own) {
  auto made = std::make_shared<cgroup_rules>();
  std::vector<std::string> all(own);
  all.insert(all.end(), built_in.begin(), built_in.end());
  for (const auto& text : all) {
    auto r = parse(text);
    if (!r) return tl::unexpected(r.error());
    made->rules_.push_back(std::move(*r));
  }
  return std::shared_ptr<const cgroup_rules>(std::move(made));
}

std::optional<wire::workload> cgroup_rules::workload_of(const std::string& path,
                                                        const container* runs) const {
  if (path.size() > longest_path) return std::nullopt;
  for (const auto& r : rules_) {
    std::array<regmatch_t, 10> at;
    at.fill({-1, -1});
    if (::regexec(r.pattern.get(), path.c_str(), at.size(), at.data(), 0) != 0) continue;
    if (r.name.empty()) return std::nullopt;
    auto name = r.fill(path, at, runs);
    if (!name) continue;
    if (name->empty() || !wire::valid_text(*name)) return std::nullopt;
    wire::workload w{std::move(*name), {}};
    if (runs != nullptr && !runs->image.empty() && wire::valid_text(runs->image))
      w.labels.emplace_back("image", runs->image);
    return w;
  }
  return std::nullopt;
}

}  // namespace tenure::agent
