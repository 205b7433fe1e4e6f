#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/console.hpp"
#include "cli/option_value.hpp"
#include "ownership/outcome.hpp"

// CLI11 itself is known in cli/command_line.cpp alone: its header takes seconds to compile.
namespace CLI {
class App;
class Option;
}  // namespace CLI

/// The command line of `tenure`. Every option is a flag (`--hold`), an environment variable (`TENURE_HOLD`)
/// and a key of a TOML file (`--config FILE`, `hold` in the section named after the subcommand); flags beat
/// environment beats file.
///
/// To add a subcommand `foo`, write cli/foo.hpp with `void add_foo(command_line&);`, and in cli/foo.cpp:
///
///     void add_foo(command_line& line) {
///       auto o = std::make_shared<foo_options>();  // a struct whose initial values are the defaults
///       auto& c = line.add("foo", "say in one line what it does");
///       c.option("hold", o->hold, "how long a flow waits");  // std::chrono::nanoseconds: reads "10s"
///       c.option("node", o->nodes, "ADDR:PORT of a node");    // std::vector<std::string>: repeatable
///       c.flag("quiet", o->quiet, "say nothing");
///       c.run([o](console& io) -> outcome<void> { ... return fail(trouble::refused, "port 4740 is in use");
///       });
///     }
///
/// and name it in cli/commands.cpp. "sim run" is written as such; its section is [sim.run].
namespace tenure::cli {

/// Looks up an environment variable; null when it is not set.
using environment = std::function<const char*(const char* name)>;

/// One value that can be given from outside. Made by `command::option` and its like.
struct option_entry {
  std::string name;  ///< without dashes
  CLI::Option* flag = nullptr;
  bool list = false;
  bool required = false;
  const char* expected = "";
  /// Takes the texts that were given, all of one source; false when one of them cannot be read.
  std::function<bool(const std::vector<std::string>&)> assign;

  option_entry& must_be_given() {
    required = true;
    return *this;
  }
  /// What stands for the value in the help, instead of the type's name.
  option_entry& shown_as(const std::string& placeholder);
};

class command {
 public:
  command(CLI::App& app, std::string path);

  /// `--name VALUE`. What `target` holds now is the default; it must outlive the command line.
  template <class T>
  option_entry& option(const std::string& name, T& target, const std::string& help) {
    auto& o = add_single(name, option_value<T>::name, help, option_value<T>::text(target));
    return read_as<T>(o, [&target](T value) { target = std::move(value); });
  }
  /// `--name VALUE`, absent unless given.
  template <class T>
  option_entry& option(const std::string& name, std::optional<T>& target, const std::string& help) {
    auto& o = add_single(name, option_value<T>::name, help, "");
    return read_as<T>(o, [&target](T value) { target = std::move(value); });
  }
  /// `--name VALUE`, repeatable. In the environment values are separated by commas; in a file it is an array.
  template <class T>
  option_entry& option(const std::string& name, std::vector<T>& target, const std::string& help) {
    auto& o = add_list(name, option_value<T>::name, help);
    o.expected = option_value<T>::expected;
    o.assign = [&target](const std::vector<std::string>& texts) {
      std::vector<T> values;
      for (const auto& text : texts) {
        auto value = option_value<T>::parse(text);
        if (!value) return false;
        values.push_back(std::move(*value));
      }
      target = std::move(values);
      return true;
    };
    return o;
  }
  /// `--name`, false unless given.
  option_entry& flag(const std::string& name, bool& target, const std::string& help);
  /// `NAME`, by its place; not in the environment and not in files. Must be given where it is `needed`.
  template <class T>
  void positional(const std::string& name, T& target, const std::string& help, bool needed = true) {
    add_positional(name, help, needed, option_value<T>::expected, [&target](const std::string& text) {
      auto value = option_value<T>::parse(text);
      if (value) target = std::move(*value);
      return value.has_value();
    });
  }

  /// What the command does, once all options are read.
  void run(std::function<outcome<void>(console&)> action) { action_ = std::move(action); }

  /// Reads environment and file again, into the same targets; flags stay what they were. What neither names
  /// any more is not touched, and after a failure some targets may have changed: keep a copy. Only while the
  /// command runs; one thread.
  outcome<void> read_again() { return again_(); }
  /// The file that the options come from; empty: none.
  const std::string& file() const { return file_; }

  const std::string& path() const { return path_; }

 private:
  friend class command_line;

  option_entry& add_single(const std::string& name, const char* type, const std::string& help,
                           const std::string& shown_default);
  option_entry& add_list(const std::string& name, const char* type, const std::string& help);
  void add_positional(const std::string& name, const std::string& help, bool needed, const char* expected,
                      std::function<bool(const std::string&)> read);
  template <class T, class Set>
  option_entry& read_as(option_entry& o, Set set) {
    o.expected = option_value<T>::expected;
    o.assign = [set](const std::vector<std::string>& texts) {
      auto value = option_value<T>::parse(texts.back());
      if (value) set(std::move(*value));
      return value.has_value();
    };
    return o;
  }

  CLI::App& app_;
  std::string path_;  // words, separated by spaces
  std::string config_;
  std::string file_;
  std::function<outcome<void>()> again_;
  std::vector<std::unique_ptr<option_entry>> options_;
  std::function<outcome<void>(console&)> action_;
};

class command_line {
 public:
  command_line(const std::string& description, const std::string& version);
  ~command_line();

  /// @param path the words that select the command: "attribute", "sim run".
  command& add(const std::string& path, const std::string& description);
  /// One that the help does not list: for processes that Tenure starts itself.
  command& add_hidden(const std::string& path, const std::string& description);
  /// Describes the first word of commands that have two, before they are added.
  void group(const std::string& word, const std::string& description);

  /// Reads the arguments (without the program's name), runs the command that they select.
  /// @returns the exit code; a failure has been said in one line on `io.err`.
  int run(std::vector<std::string> arguments, const environment& env, console io);

 private:
  outcome<void> apply(command& c, const environment& env) const;

  std::unique_ptr<CLI::App> app_;
  std::map<std::string, std::unique_ptr<command>> commands_;  // by path
};

}  // namespace tenure::cli
