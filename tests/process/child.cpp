#include "tests/process/child.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

extern char** environ;

namespace tenure::testing {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string fresh_file() {
  std::string path = "/tmp/tenure-test-XXXXXX";
  const int fd = ::mkstemp(path.data());
  EXPECT_GE(fd, 0);
  ::close(fd);
  return path;
}

}  // namespace

bool long_forms() {
  const char* text = std::getenv("TENURE_LONG");
  return text != nullptr && std::string_view{text} == "1";
}

void pause_between_looks() {
  ::poll(nullptr, 0, 5);
}

child::child(std::vector<std::string> arguments) : out_path_(fresh_file()), err_path_(fresh_file()) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, out_path_.c_str(), O_WRONLY | O_APPEND, 0);
  posix_spawn_file_actions_addopen(&files, 2, err_path_.c_str(), O_WRONLY | O_APPEND, 0);
  std::vector<char*> argv;
  for (auto& a : arguments) argv.push_back(a.data());
  argv.push_back(nullptr);
  const int error = ::posix_spawnp(&id_, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  EXPECT_EQ(error, 0) << arguments[0];
  if (error != 0) id_ = -1;
}

child::~child() {
  if (!ended()) {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  ::unlink(out_path_.c_str());
  ::unlink(err_path_.c_str());
}

bool child::ended() {
  if (id_ < 0) return true;
  int status = 0;
  if (::waitpid(id_, &status, WNOHANG) != id_) return false;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  id_ = -1;
  return true;
}

void child::signal(int number) const {
  if (id_ > 0) ::kill(id_, number);
}

int child::wait(std::chrono::seconds bound) {
  return eventually([this] { return ended(); }, bound) ? code_ : -1;
}

bool child::says(const std::string& text, std::chrono::seconds bound) {
  const auto said = [&] { return err().find(text) != std::string::npos; };
  eventually([&] { return said() || ended(); }, bound);
  return said();
}

std::string child::out() const {
  return read_file(out_path_);
}
std::string child::err() const {
  return read_file(err_path_);
}

temporary_folder::temporary_folder() {
  std::string path = "/tmp/tenure-test-XXXXXX";
  EXPECT_NE(::mkdtemp(path.data()), nullptr);
  path_ = path;
}

temporary_folder::~temporary_folder() {
  std::filesystem::remove_all(path_);
}

std::string tenure_binary() {
  return TENURE_BINARY;
}

std::string http_get(std::uint16_t port, const std::string& path, const std::string& host) {
  httplib::Client client(host, port);
  client.set_connection_timeout(5);
  client.set_read_timeout(5);
  const auto answer = client.Get(path.c_str());
  return answer && answer->status == 200 ? answer->body : "";
}

double metric(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(name + " ", 0) == 0) return std::stod(line.substr(name.size() + 1));
  return -1;
}

}  // namespace tenure::testing
