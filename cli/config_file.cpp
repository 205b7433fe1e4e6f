#include "cli/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include <toml++/toml.h>

namespace tenure::cli {

namespace {

using section = std::map<std::string, config_value>;

class reader {
 public:
  reader(std::string file, const known_keys& known, std::string command)
      : file_(std::move(file)), known_(known), command_(std::move(command)) {}

  // `path` is the words that lead to the table, separated by spaces; empty for the file itself.
  outcome<void> walk(const toml::table& table, const std::string& path) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string below = path.empty() ? name : path + ' ' + name;
      outcome<void> done;
      if (is_section(below)) {
        const auto* const inner = node.as_table();
        if (inner == nullptr) return refuse(key.source().begin.line, below, "expected a section");
        done = walk(*inner, below);
      } else if (is_key(path, name)) {
        done = take(path, name, node, key.source().begin.line);
      } else if (path.empty() && node.is_array_of_tables() && is_key_of_some(name)) {
        // For every command that has it: [[allow]].
        done = take(is_key(command_, name) ? command_ : path, name, node, key.source().begin.line);
      } else {
        return refuse(key.source().begin.line, below, node.is_table() ? "unknown section" : "unknown key");
      }
      if (!done) return done;
    }
    return {};
  }

  section take_section() { return std::move(section_); }

 private:
  bool is_section(const std::string& path) const {
    return std::any_of(known_.begin(), known_.end(), [&](const auto& command) {
      return command.first == path || command.first.starts_with(path + ' ');
    });
  }

  bool is_key(const std::string& path, const std::string& name) const {
    const auto command = known_.find(path);
    return command != known_.end() &&
           std::find(command->second.begin(), command->second.end(), name) != command->second.end();
  }

  bool is_key_of_some(const std::string& name) const {
    return std::any_of(known_.begin(), known_.end(),
                       [&](const auto& command) { return is_key(command.first, name); });
  }

  std::string place(toml::source_index line, std::string path) const {
    std::replace(path.begin(), path.end(), ' ', '.');
    return file_ + ':' + std::to_string(line) + ": " + path;
  }

  tl::unexpected<failure> refuse(toml::source_index line, const std::string& path,
                                 const std::string& why) const {
    return fail(trouble::usage, place(line, path) + ": " + why);
  }

  static std::optional<std::string> scalar(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
    if (const auto* number = node.as_floating_point()) return std::to_string(number->get());
    return std::nullopt;
  }

  /// A table is read as the words of a flag: "agent=a workloads=b workloads=c".
  static std::optional<std::string> words(const toml::table& table) {
    std::string all;
    for (const auto& [key, node] : table) {
      const auto* const list = node.as_array();
      const std::size_t count = list != nullptr ? list->size() : 1;
      for (std::size_t i = 0; i < count; ++i) {
        const auto text = scalar(list != nullptr ? *list->get(i) : node);
        if (!text || text->find(' ') != std::string::npos) return std::nullopt;
        all += (all.empty() ? "" : " ") + std::string(key.str()) + '=' + *text;
      }
    }
    return all;
  }

  outcome<void> take(const std::string& path, const std::string& name, const toml::node& node,
                     toml::source_index line) {
    config_value value;
    value.place = place(line, path + ' ' + name);
    if (const auto* list = node.as_array()) {
      value.array = true;
      for (const auto& element : *list) {
        const auto* const table = element.as_table();
        const auto text = table != nullptr ? words(*table) : scalar(element);
        if (!text)
          return fail(trouble::usage,
                      value.place + (table != nullptr ? ": expected texts without spaces"
                                                      : ": expected an array of texts or numbers"));
        value.texts.push_back(*text);
      }
    } else if (const auto text = scalar(node)) {
      value.texts.push_back(*text);
    } else {
      return fail(trouble::usage,
                  value.place + ": expected a text, a number, true, false or an array of them");
    }
    if (path != command_) return {};
    const std::string here = value.place;
    if (!section_.emplace(name, std::move(value)).second)
      return fail(trouble::usage, here + ": is said twice, for all commands and for this one");
    return {};
  }

  std::string file_;
  const known_keys& known_;
  std::string command_;
  section section_;
};

}  // namespace

outcome<section> read_config(const std::string& file, const known_keys& known, const std::string& command) {
  std::ifstream stream(file);
  std::ostringstream text;
  // Reading is what fails on a directory, which opens well.
  if (!stream || !(text << stream.rdbuf()))
    return fail(trouble::usage, file + ": cannot be read: " + std::strerror(errno));
  try {
    const toml::table table = toml::parse(text.str(), file);
    reader r(file, known, command);
    if (auto walked = r.walk(table, ""); !walked) return tl::unexpected(walked.error());
    return r.take_section();
  } catch (const toml::parse_error& e) {
    return fail(trouble::usage,
                file + ':' + std::to_string(e.source().begin.line) + ": " + std::string(e.description()));
  }
}

}  // namespace tenure::cli
