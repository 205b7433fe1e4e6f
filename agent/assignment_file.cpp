#include "agent/assignment_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <system_error>
#include <tuple>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "agent/netns.hpp"

namespace tenure::agent {
namespace {

using json = nlohmann::json;

/// Beyond twice what there is, and this, the file is written anew.
constexpr std::size_t lines_to_spare = 1024;

std::string line_of(const ipman_request& r, std::uint64_t netns_cookie) {
  return json{{"netns_cookie", netns_cookie}, {"said", format_ipman_request(r)}}.dump(
             -1, ' ', false, json::error_handler_t::replace) +
         "\n";
}

/// A path that leads to this namespace now; empty when there is none.
std::string path_of(const std::string& before, std::uint64_t cookie, address_check& check) {
  const auto leads = [&](const std::string& path) {
    const auto there = check.open(path);
    return there && there->cookie == cookie;
  };
  if (leads(before)) return before;
  for (const auto& path : netns_paths())
    if (leads(path)) return path;
  return {};
}

}  // namespace

outcome<std::unique_ptr<assignment_file>> assignment_file::open(const std::string& path,
                                                                const std::string& host_start) {
  std::unique_ptr<assignment_file> result(new assignment_file(path, host_start));
  result->read();
  if (auto written = result->rewrite(); !written) return tl::unexpected(written.error());
  return result;
}

void assignment_file::read() {
  std::ifstream file(path_);
  std::string line;
  if (!std::getline(file, line) || line != host_start_) return;
  std::map<key, entry> there;
  while (std::getline(file, line)) {
    const auto object = json::parse(line, nullptr, false);
    if (!object.is_object() || !object.contains("netns_cookie") || !object.contains("said")) continue;
    const auto& cookie = object["netns_cookie"];
    const auto& said = object["said"];
    if (!cookie.is_number_unsigned() || !said.is_string()) continue;
    const auto request = parse_ipman_request(said.get<std::string>());
    if (!request || request->verb == ipman_request::action::list) continue;
    const key which{request->endpoint, cookie.get<std::uint64_t>()};
    if (request->verb == ipman_request::action::set)
      there.insert_or_assign(which, entry{*request, which.second});
    else
      there.erase(which);
  }
  for (auto& [which, what] : there) left_.push_back(std::move(what));
}

outcome<void> assignment_file::rewrite() {
  const auto next = path_ + ".next";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  file_ = file_ptr(fd >= 0 ? ::fdopen(fd, "w") : nullptr, std::fclose);
  bool done = file_ != nullptr && std::fputs((host_start_ + "\n").c_str(), file_.get()) >= 0;
  for (const auto& [which, line] : lines_) done = done && std::fputs(line.c_str(), file_.get()) >= 0;
  done = done && std::fflush(file_.get()) == 0 && std::rename(next.c_str(), path_.c_str()) == 0;
  written_ = lines_.size();
  if (done) return {};
  const int why = errno;
  file_.reset();
  // Rather nothing than what may have been taken back since.
  ::unlink(path_.c_str());
  return fail(trouble::refused,
              "cannot keep what is assigned in " + path_ + ": " + std::generic_category().message(why));
}

outcome<void> assignment_file::keep(const ipman_request& request, const std::string& reply) {
  if (request.verb == ipman_request::action::list) return {};
  const auto said = json::parse(reply, nullptr, false);
  if (!said.is_object() || !said.contains("assignment")) return {};
  const auto& done = said["assignment"];
  // As the agent understood it: of all the ways to write an endpoint there is one here.
  auto understood = request;
  understood.endpoint = done.value("endpoint", "");
  understood.netns = done.value("netns", "");
  understood.tenancy.clear();
  const key which{understood.endpoint, done.value("netns_cookie", std::uint64_t{0})};
  const auto line = line_of(understood, which.second);
  if (request.verb == ipman_request::action::set)
    lines_.insert_or_assign(which, line);
  else
    lines_.erase(which);
  return append(line);
}

std::size_t say_again(assignment_file& file, const std::set<identity_key>& held, address_check& check,
                      const std::function<std::string(const ipman_request&)>& ask) {
  std::size_t accepted = 0;
  for (const auto& [request, cookie] : file.left()) {
    const auto endpoint = endpoint::parse(request.endpoint);
    if (!endpoint || !held.contains({cookie, *endpoint})) continue;
    const auto path = path_of(request.netns, cookie, check);
    if (path.empty()) continue;
    auto again = request;
    again.netns = path;
    const auto reply = ask(again);
    const auto said = json::parse(reply, nullptr, false);
    if (!said.is_object() || !said.contains("assignment")) continue;
    if (said["assignment"].value("netns_cookie", std::uint64_t{0}) == cookie) {
      std::ignore = file.keep(again, reply);  // it is told at the next change
      ++accepted;
      continue;
    }
    // The path leads to another namespace since it was looked at.
    again.verb = ipman_request::action::del;
    (void)ask(again);
  }
  return accepted;
}

outcome<void> assignment_file::append(const std::string& line) {
  if (file_ == nullptr || written_ >= 2 * lines_.size() + lines_to_spare) return rewrite();
  ++written_;
  if (std::fputs(line.c_str(), file_.get()) < 0 || std::fflush(file_.get()) != 0) return rewrite();
  return {};
}

}  // namespace tenure::agent
