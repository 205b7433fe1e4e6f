#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>

#include "agent/ipman.hpp"
#include "agent/ipman_answer.hpp"

namespace tenure::agent {
namespace {

using local = asio::local::stream_protocol;

constexpr std::size_t max_line_bytes = 64U << 10;
constexpr std::size_t max_connections = 64;
// A platform keeps its connection; one that is silent for so long, or does not read its reply, is closed.
constexpr auto silence_bound = std::chrono::minutes{10};
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// One platform's connection: a line, its reply, the next line.
class conversation : public std::enable_shared_from_this<conversation> {
 public:
  conversation(local::socket socket, const ipman_server::handler& answer,
               std::function<void(conversation*)> over)
      : socket_(std::move(socket)), timer_(socket_.get_executor()), answer_(answer), over_(std::move(over)) {}
  ~conversation() { over_(this); }

  void listen() {
    watch();
    asio::async_read_until(socket_, asio::dynamic_buffer(buffer_, max_line_bytes), '\n',
                           [self = shared_from_this()](asio::error_code error, std::size_t length) {
                             self->timer_.cancel();
                             if (error == asio::error::not_found)
                               self->refuse_length();
                             else if (!error)
                               self->reply(length);
                           });
  }

  void close() {
    asio::error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

 private:
  void watch() {
    timer_.expires_after(silence_bound);
    timer_.async_wait([weak = weak_from_this()](asio::error_code error) {
      const auto self = weak.lock();
      if (self && !error) self->close();
    });
  }

  void refuse_length() {
    out_ = ipman_refusal({trouble::usage, "a line is at most 65536 bytes"}) + "\n";
    write(false);
  }

  void reply(std::size_t length) {
    const std::string line = buffer_.substr(0, length - 1);
    buffer_.erase(0, length);
    const auto request = parse_ipman_request(line);
    out_ = (request ? answer_(*request) : ipman_refusal(request.error())) + "\n";
    write(true);
  }

  void write(bool go_on) {
    watch();
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this(), go_on](asio::error_code error, std::size_t) {
                        self->timer_.cancel();
                        if (!error && go_on) self->listen();
                      });
  }

  local::socket socket_;
  asio::steady_timer timer_;
  const ipman_server::handler& answer_;
  std::function<void(conversation*)> over_;
  std::string buffer_;
  std::string out_;
};

class unix_server final : public ipman_server {
 public:
  unix_server(std::string path, handler answer)
      : path_(std::move(path)), answer_(std::move(answer)), acceptor_(io_), pause_(io_) {}

  ~unix_server() override {
    asio::post(io_, [this] {
      asio::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel();
      for (auto* c : std::set<conversation*>{open_}) c->close();
    });
    if (thread_.joinable()) thread_.join();
    if (bound_) ::unlink(path_.c_str());
  }

  outcome<void> begin() {
    asio::error_code error;
    acceptor_.open(local{}, error);
    if (!error) acceptor_.bind(local::endpoint{path_}, error);
    if (error) return refuse(error.message());
    bound_ = true;
    // Before anybody can connect: assigning addresses is for root alone.
    if (::chmod(path_.c_str(), 0600) != 0) return refuse(std::strerror(errno));
    acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return refuse(error.message());
    accept();
    thread_ = std::thread{[this] { io_.run(); }};
    return {};
  }

 private:
  tl::unexpected<failure> refuse(const std::string& why) const {
    return fail(trouble::refused, "cannot listen on the ipman socket " + path_ + ": " + why +
                                      "; choose another with --ipman-socket");
  }

  void accept() {
    acceptor_.async_accept([this](asio::error_code error, local::socket socket) {
      if (!acceptor_.is_open()) return;
      if (error) {
        // Out of descriptors, for example: others may close theirs.
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](asio::error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      if (open_.size() < max_connections) {
        auto c = std::make_shared<conversation>(std::move(socket), answer_,
                                                [this](conversation* ended) { open_.erase(ended); });
        open_.insert(c.get());
        c->listen();
      }
      accept();
    });
  }

  std::string path_;
  handler answer_;
  bool bound_ = false;
  std::set<conversation*> open_;
  asio::io_context io_{1};
  local::acceptor acceptor_;
  asio::steady_timer pause_;
  std::thread thread_;
};

/// A socket file on which nobody answers is what a killed agent left.
bool somebody_answers(const std::string& path) {
  asio::io_context io;
  local::socket probe{io};
  asio::error_code error;
  probe.connect(local::endpoint{path}, error);
  return !error;
}

}  // namespace

outcome<std::unique_ptr<ipman_server>> ipman_server::start(const std::string& path, handler h) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return fail(trouble::usage, "the path of the ipman socket is too long for a Unix socket: " + path);
  std::error_code error;
  const auto folder = std::filesystem::path{path}.parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error)
    return fail(trouble::refused, "cannot make the folder " + folder.string() + ": " + error.message());
  if (std::filesystem::is_socket(path, error)) {
    if (somebody_answers(path))
      return fail(trouble::refused,
                  "another agent listens on " + path + "; choose another with --ipman-socket");
    ::unlink(path.c_str());
  }
  auto server = std::make_unique<unix_server>(path, std::move(h));
  if (auto begun = server->begin(); !begun) return tl::unexpected(begun.error());
  return server;
}

}  // namespace tenure::agent
