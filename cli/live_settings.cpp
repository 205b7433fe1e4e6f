#include "cli/live_settings.hpp"

#include <functional>
#include <map>
#include <sstream>
#include <utility>

#include <spdlog/spdlog.h>
#include <toml++/toml.h>

namespace tenure::cli {
namespace {

template <class T>
bool read(const toml::node& from, std::optional<T>& into) {
  std::optional<std::string> text = from.value<std::string>();
  if (!text)
    if (const auto number = from.value<std::int64_t>()) text = std::to_string(*number);
  if (!text) return false;
  into = option_value<T>::parse(*text);
  return into.has_value();
}

bool read(const toml::node& from, std::optional<std::vector<prefix>>& into) {
  const auto* all = from.as_array();
  if (all == nullptr) return false;
  into.emplace();
  for (const auto& one : *all) {
    std::optional<prefix> value;
    if (!read(one, value)) return false;
    into->push_back(*value);
  }
  return true;
}

}  // namespace

outcome<pushed_settings> pushed_settings::parse(const std::string& text) {
  pushed_settings out;
  const std::map<std::string, std::function<bool(const toml::node&)>> known{
      {"log-level", [&](const toml::node& n) { return read(n, out.log_level); }},
      {"heartbeat", [&](const toml::node& n) { return read(n, out.heartbeat); }},
      {"linger", [&](const toml::node& n) { return read(n, out.linger); }},
      {"active-timeout", [&](const toml::node& n) { return read(n, out.active_timeout); }},
      {"idle-timeout", [&](const toml::node& n) { return read(n, out.idle_timeout); }},
      {"sample", [&](const toml::node& n) { return read(n, out.sample); }},
      {"leave-out", [&](const toml::node& n) { return read(n, out.leave_out); }}};
  try {
    const toml::table table = toml::parse(text);
    for (const auto& [key, value] : table) {
      const std::string name(key.str());
      const auto it = known.find(name);
      if (it == known.end()) return fail(trouble::usage, "'" + name + "' is nothing that a node may set");
      if (!it->second(value)) return fail(trouble::usage, name + ": this is no value for it");
    }
  } catch (const toml::parse_error& e) {
    std::ostringstream where;
    where << "line " << e.source().begin.line << ": " << e.description();
    return fail(trouble::usage, where.str());
  }
  if (out.log_level && *out.log_level != "off" &&
      spdlog::level::from_str(*out.log_level) == spdlog::level::off)
    return fail(trouble::usage, "log-level: expected debug, info, warn, error or off");
  return out;
}

outcome<void> live_settings::own(const agent_options& o) {
  const std::scoped_lock lock(mutex_);
  return take(o, pushed_);
}

outcome<void> live_settings::push(const std::string& toml) {
  auto wanted = pushed_settings::parse(toml);
  if (!wanted) return tl::unexpected(wanted.error());
  const std::scoped_lock lock(mutex_);
  return take(own_, *wanted);
}

outcome<void> live_settings::take(const agent_options& own, const pushed_settings& pushed) {
  constexpr std::chrono::milliseconds shortest{1};
  const auto heartbeat = pushed.heartbeat.value_or(own.heartbeat);
  const auto linger = pushed.linger.value_or(own.linger);
  const auto idle = pushed.idle_timeout.value_or(own.idle_timeout);
  if (heartbeat < shortest || linger < shortest || idle < shortest)
    return fail(trouble::usage, "--heartbeat, --linger and --idle-timeout: expected at least 1ms");
  const auto sample = pushed.sample.value_or(own.sample);
  if (sample == 0) return fail(trouble::usage, "--sample: expected at least 1");
  auto cookies = cookies_of(own.netns);
  if (!cookies) return tl::unexpected(cookies.error());
  pace_->heartbeat = heartbeat.count();
  pace_->linger = linger.count();
  filter_->set({std::move(*cookies), pushed.leave_out.value_or(own.leave_out), sample});
  own_ = own;
  pushed_ = pushed;
  if (source_ != nullptr)
    source_->set_timeouts(pushed.active_timeout.value_or(own.active_timeout).count(), idle.count());
  if (pushed.log_level) spdlog::set_level(spdlog::level::from_str(*pushed.log_level));
  return {};
}

void live_settings::follow(agent::flow_source& source) {
  const std::scoped_lock lock(mutex_);
  source_ = &source;
}

}  // namespace tenure::cli
