#include "bench/agent/web_pair.hpp"

#include <fstream>
#include <poll.h>
#include <regex>
#include <sstream>
#include <unistd.h>

#include <fmt/format.h>

namespace tenure::bench {
namespace {

constexpr const char* nginx = "/usr/sbin/nginx";
constexpr const char* wrk = "/usr/bin/wrk";
constexpr const char* ip = "/usr/sbin/ip";

void write_configuration(const std::string& path, const std::string& folder) {
  std::ofstream(path) << fmt::format(
      "daemon off;\nworker_processes 1;\nuser root;\npid {0}/nginx.pid;\nerror_log {0}/nginx-error.log;\n"
      "events {{ worker_connections 4096; }}\n"
      "http {{\n  access_log off;\n  keepalive_timeout 0;\n"
      "  client_body_temp_path {0}/b;\n  proxy_temp_path {0}/p;\n  fastcgi_temp_path {0}/f;\n"
      "  uwsgi_temp_path {0}/u;\n  scgi_temp_path {0}/s;\n"
      "  server {{ listen 10.79.0.2:8080 backlog=16384; location / {{ return 200 'ok'; }} }}\n}}\n",
      folder);
}

std::string name_of(const std::string& netns_path) {
  return netns_path.substr(netns_path.rfind('/') + 1);
}

}  // namespace

outcome<std::unique_ptr<web_pair>> web_pair::start(const arena& where, const std::string& folder) {
  for (const char* program : {nginx, wrk, ip})
    if (::access(program, X_OK) != 0)
      return fail(trouble::refused, fmt::format("{} is missing: apt-get install nginx-light wrk", program));
  std::unique_ptr<web_pair> pair{new web_pair};
  pair->folder_ = folder;
  pair->client_ = name_of(where.client_path());
  const std::string configuration = folder + "/nginx.conf";
  write_configuration(configuration, folder);
  auto started = demo::child_process::start(
      {ip, "netns", "exec", name_of(where.server_path()), nginx, "-p", folder, "-c", configuration},
      folder + "/nginx.log");
  if (!started) return tl::unexpected(started.error());
  pair->nginx_ = std::move(*started);
  for (int i = 0; i < 200; ++i) {
    if (std::ifstream(folder + "/nginx.pid").peek() != std::ifstream::traits_type::eof()) return pair;
    if (pair->nginx_->ended()) break;
    ::poll(nullptr, 0, 20);
  }
  return fail(trouble::refused, "nginx did not start: see " + folder);
}

web_pair::~web_pair() {
  if (!nginx_) return;
  nginx_->ask_to_end();
  for (int i = 0; i < 200 && !nginx_->ended(); ++i) ::poll(nullptr, 0, 10);
}

outcome<double> web_pair::run(int seconds) {
  const std::string report = folder_ + "/wrk.log";
  ::unlink(report.c_str());
  auto load = demo::child_process::start(
      {ip, "netns", "exec", client_, wrk, "-t1", "-c32", fmt::format("-d{}s", seconds), "-H",
       "Connection: close", "http://10.79.0.2:8080/"},
      report);
  if (!load) return tl::unexpected(load.error());
  for (int i = 0; i < (seconds + 20) * 50 && !(*load)->ended(); ++i) ::poll(nullptr, 0, 20);
  std::ostringstream text;
  text << std::ifstream(report).rdbuf();
  const std::string said = text.str();
  std::smatch found;
  if (said.find("Socket errors") != std::string::npos ||
      !std::regex_search(said, found, std::regex{"Requests/sec:\\s*([0-9.]+)"}))
    return fail(trouble::refused, "wrk did not run clean: " + said);
  return std::stod(found[1]);
}

}  // namespace tenure::bench
