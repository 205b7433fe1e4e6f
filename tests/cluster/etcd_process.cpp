#include "tests/cluster/etcd_process.hpp"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tenure::cluster {

namespace {

constexpr std::chrono::seconds patience{30};

std::string program() {
  const std::string unpacked = TENURE_PACKAGES "/usr/bin/etcd";
  if (::access(unpacked.c_str(), X_OK) == 0) return unpacked;
  throw std::runtime_error("etcd is not at " + unpacked +
                           ": run `make install-packages`, which unpacks it there without installing it");
}

/// One that was free a moment ago.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  ::bind(fd, reinterpret_cast<sockaddr*>(&where), length);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &length);
  ::close(fd);
  return ntohs(where.sin_port);
}

}  // namespace

etcd_process::etcd_process(std::string host, std::vector<std::string> wrapper, etcd_tls own)
    : host_(std::move(host)), wrapper_(std::move(wrapper)), own_(std::move(own)) {
  // As `tenure` does: etcd ends connections that we still write to.
  std::signal(SIGPIPE, SIG_IGN);
  std::string name = std::filesystem::temp_directory_path() / "tenure-etcd-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for etcd");
  folder_ = name;
  // Somebody may take a port between our look and etcd's.
  for (int attempt = 0; attempt < 5; ++attempt) {
    client_port_ = free_port();
    peer_port_ = free_port();
    if (start()) return;
    kill();
    std::filesystem::remove_all(folder_ + "/data");
  }
  throw std::runtime_error("etcd does not start; see " + folder_);
}

etcd_process::~etcd_process() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<etcd_client> etcd_process::client() const {
  return std::move(*etcd_client::make(endpoint(), std::chrono::milliseconds(2'000), own_));
}

bool etcd_process::start() {
  const auto peer = "http://127.0.0.1:" + std::to_string(peer_port_);
  auto words = wrapper_;
  for (const std::string& word : std::vector<std::string>{
           program(), "--name", "test", "--data-dir", folder_ + "/data", "--listen-client-urls", endpoint(),
           "--advertise-client-urls", endpoint(), "--listen-peer-urls", peer, "--initial-advertise-peer-urls",
           peer, "--initial-cluster", "test=" + peer, "--heartbeat-interval", "20", "--election-timeout",
           "200"})
    words.push_back(word);
  if (!own_.empty())
    for (const std::string& word :
         std::vector<std::string>{"--cert-file", own_.certificate, "--key-file", own_.key,
                                  "--trusted-ca-file", own_.authority, "--client-cert-auth"})
      words.push_back(word);
  std::vector<char*> arguments;
  for (auto& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  const auto log = folder_ + "/log";
  id_ = ::fork();
  if (id_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  const auto asks = client();
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    if (::waitpid(id_, nullptr, WNOHANG) == id_) {
      id_ = -1;
      return false;
    }
    if (asks->put("ready", "yes", 0)) return true;
    ::poll(nullptr, 0, 5);
  }
  return false;
}

void etcd_process::kill() {
  if (id_ <= 0) return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
  id_ = -1;
}

void etcd_process::start_again(bool emptied) {
  if (emptied) std::filesystem::remove_all(folder_ + "/data");
  if (!start()) throw std::runtime_error("etcd does not come back; see " + folder_);
}

}  // namespace tenure::cluster
