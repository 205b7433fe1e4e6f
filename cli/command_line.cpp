#include "cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

#include "cli/config_file.hpp"
#include "ownership/invariant.hpp"

namespace tenure::cli {

namespace {

constexpr int usage_error = static_cast<int>(trouble::usage);

std::string variable_of(const std::string& option) {
  std::string name = "TENURE_" + option;
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return name;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',', start)) {
    parts.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "'" : ", '") + text + '\'';
  return all.empty() ? "nothing" : all;
}

outcome<void> assign(const option_entry& o, const std::vector<std::string>& texts, const std::string& place) {
  if (o.assign(texts)) return {};
  return fail(trouble::usage, place + ": expected " + o.expected + ", not " + quoted(texts));
}

// One line, whatever a library's message or a file's name has in it.
std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

int say(console& io, int code, const std::string& text) {
  io.err << "tenure: " << one_line(text) << '\n';
  return code;
}

}  // namespace

option_entry& option_entry::shown_as(const std::string& placeholder) {
  flag->type_name(placeholder);
  return *this;
}

command::command(CLI::App& app, std::string path) : app_(app), path_(std::move(path)) {
  app_.add_option("--config", config_, "TOML file with the section of this command")->type_name("FILE");
  std::string section = path_;
  std::replace(section.begin(), section.end(), ' ', '.');
  app_.footer(
      "Every option can also be given by the environment (TENURE_ and its name) and by the section [" +
      section + "] of the --config file; flags come first, then the environment, then the file.\n");
}

option_entry& command::add_single(const std::string& name, const char* type, const std::string& help,
                                  const std::string& shown_default) {
  auto& o = *options_.emplace_back(std::make_unique<option_entry>());
  o.name = name;
  // The value is read later, with those of the other sources; CLI11 only takes its text.
  o.flag = app_.add_option_function<std::string>(
      "--" + name, [](const std::string&) {}, help);
  o.flag->type_name(type)->default_str(shown_default);
  return o;
}

option_entry& command::add_list(const std::string& name, const char* type, const std::string& help) {
  auto& o = *options_.emplace_back(std::make_unique<option_entry>());
  o.name = name;
  o.list = true;
  o.flag = app_.add_option_function<std::vector<std::string>>(
      "--" + name, [](const std::vector<std::string>&) {}, help + " (repeatable)");
  o.flag->type_name(type)->allow_extra_args(false);
  return o;
}

option_entry& command::flag(const std::string& name, bool& target, const std::string& help) {
  auto& o = *options_.emplace_back(std::make_unique<option_entry>());
  o.name = name;
  o.flag = app_.add_flag_function(
      "--" + name, [](std::int64_t) {}, help);
  return read_as<bool>(o, [&target](bool value) { target = value; });
}

void command::add_positional(const std::string& name, const std::string& help, bool needed,
                             const char* expected, std::function<bool(const std::string&)> read) {
  app_.add_option_function<std::string>(
          name,
          [name, expected, read = std::move(read)](const std::string& text) {
            if (!read(text))
              throw CLI::ValidationError(name, std::string("expected ") + expected + ", not '" + text + "'");
          },
          help)
      ->required(needed)
      ->type_name("");
}

command_line::command_line(const std::string& description, const std::string& version)
    : app_(std::make_unique<CLI::App>(description, "tenure")) {
  app_->require_subcommand(0, 1);
  app_->set_version_flag("--version", "tenure " + version, "print the version");
  app_->set_help_flag("-h,--help", "print this help");
}

command_line::~command_line() = default;

void command_line::group(const std::string& word, const std::string& description) {
  app_->add_subcommand(word, description)->require_subcommand(1);
}

command& command_line::add(const std::string& path, const std::string& description) {
  const auto space = path.find(' ');
  CLI::App* parent = app_.get();
  if (space != std::string::npos) parent = app_->get_subcommand(path.substr(0, space));
  CLI::App* const app =
      parent->add_subcommand(space == std::string::npos ? path : path.substr(space + 1), description);
  auto& c = commands_[path];
  invariant(c == nullptr, "a command is added once");
  c = std::make_unique<command>(*app, path);
  return *c;
}

command& command_line::add_hidden(const std::string& path, const std::string& description) {
  auto& c = add(path, description);
  c.app_.group("");  // CLI11's way of leaving it out of the help
  return c;
}

outcome<void> command_line::apply(command& c, const environment& env) const {
  std::string file = c.config_;
  if (const char* const named = env("TENURE_CONFIG"); file.empty() && named != nullptr) file = named;
  c.file_ = file;
  std::map<std::string, config_value> section;
  if (!file.empty()) {
    known_keys known;
    for (const auto& [path, each] : commands_)
      for (auto& keys = known[path]; const auto& o : each->options_) keys.push_back(o->name);
    auto read = read_config(file, known, c.path());
    if (!read) return tl::unexpected(read.error());
    section = std::move(*read);
  }

  for (const auto& o : c.options_) {
    const std::string variable = variable_of(o->name);
    const char* const value = env(variable.c_str());
    const auto in_file = section.find(o->name);
    outcome<void> done;
    if (o->flag->count() > 0) {
      done = assign(*o, o->flag->results(), "--" + o->name);
    } else if (value != nullptr && *value != '\0') {
      done = assign(*o, o->list ? split_at_commas(value) : std::vector<std::string>{value}, variable);
    } else if (in_file != section.end()) {
      if (in_file->second.array && !o->list)
        return fail(trouble::usage, in_file->second.place + ": expected " + o->expected + ", not an array");
      done = assign(*o, in_file->second.texts, in_file->second.place);
    } else if (o->required) {
      return fail(trouble::usage,
                  "--" + o->name + " is required; `tenure " + c.path() + " --help` says more");
    }
    if (!done) return done;
  }
  return {};
}

int command_line::run(std::vector<std::string> arguments, const environment& env, console io) {
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app_->parse(std::move(arguments));
  } catch (const CLI::Success& e) {
    return app_->exit(e, io.out, io.err);  // help or version, which are data
  } catch (const CLI::ParseError& e) {
    return say(io, usage_error, std::string(e.what()) + "; `tenure --help` says more");
  }

  std::string path;
  for (const CLI::App* app = app_.get(); !app->get_subcommands().empty();) {
    app = app->get_subcommands().front();
    path += (path.empty() ? "" : " ") + app->get_name();
  }
  const auto chosen = commands_.find(path);
  if (chosen == commands_.end())
    return say(io, usage_error, "no command was given; `tenure --help` lists them");
  command& c = *chosen->second;
  c.again_ = [&] { return apply(c, env); };
  auto done = apply(c, env);
  if (done) done = c.action_(io);
  if (!done) return say(io, static_cast<int>(done.error().trouble), done.error().text);
  return 0;
}

}  // namespace tenure::cli
