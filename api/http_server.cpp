#include "api/http_server.hpp"

#include <httplib.h>
#include <thread>
#include <utility>

#include "transport/transport.hpp"

namespace tenure::api {
namespace {

class httplib_server final : public http_server {
 public:
  httplib_server(std::vector<http_page> pages, std::vector<http_action> actions) {
    server_.set_read_timeout(5);
    server_.set_write_timeout(5);
    server_.set_payload_max_length(64 * 1024);
    // The library's default shares the port with whoever asks (SO_REUSEPORT); a port in use is to be refused.
    server_.set_socket_options([](socket_t s) {
      const int yes = 1;
      ::setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.new_task_queue = [] { return new httplib::ThreadPool(2); };
    for (const auto& p : pages)
      server_.Get(p.path, [page = p](const httplib::Request&, httplib::Response& response) {
        response.set_content(page.text(), page.type);
      });
    for (const auto& a : actions)
      server_.Post(a.path, [action = a](const httplib::Request& request, httplib::Response& response) {
        const bool from_here = request.remote_addr == request.local_addr ||
                               request.remote_addr == "127.0.0.1" || request.remote_addr == "::1";
        if (!from_here || !request.has_header("Tenure-Command")) {
          response.status = 403;
          return;
        }
        response.status = 202;
        action.done();
      });
    server_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
  }

  ~httplib_server() override {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  bool bind(const transport::host_port& where) {
    if (where.port == 0) {
      const int port = server_.bind_to_any_port(where.host.c_str());
      if (port < 0) return false;
      port_ = static_cast<std::uint16_t>(port);
    } else {
      if (!server_.bind_to_port(where.host.c_str(), where.port)) return false;
      port_ = where.port;
    }
    thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    // stop() before the loop runs would be lost, and the destructor would wait for ever.
    while (!server_.is_running()) std::this_thread::yield();
    return true;
  }

  std::uint16_t port() const override { return port_; }

 private:
  httplib::Server server_;
  std::thread thread_;
  std::uint16_t port_ = 0;
};

}  // namespace

outcome<std::unique_ptr<http_server>> serve(const std::string& address, std::vector<http_page> pages,
                                            std::vector<http_action> actions) {
  const auto where = transport::parse_host_port(address);
  if (!where) return tl::unexpected(where.error());
  auto server = std::make_unique<httplib_server>(std::move(pages), std::move(actions));
  if (!server->bind(*where))
    return fail(trouble::refused,
                "cannot listen on " + address +
                    " for HTTP: the port is taken or not ours to take; choose another with --http");
  return server;
}

namespace {

failure nobody_at(const std::string& address) {
  return {trouble::refused, "nobody answers at " + address + "; say where the node's --http is with --http"};
}

}  // namespace

outcome<std::string> http_get(const std::string& address, const std::string& path) {
  const auto where = transport::parse_host_port(address);
  if (!where) return tl::unexpected(where.error());
  httplib::Client client(where->host, where->port);
  client.set_connection_timeout(5);
  client.set_read_timeout(10);
  const auto answer = client.Get(path);
  if (!answer) return tl::unexpected(nobody_at(address));
  if (answer->status != 200)
    return fail(trouble::refused, address + path + ": HTTP status " + std::to_string(answer->status));
  return answer->body;
}

outcome<void> http_do(const std::string& address, const std::string& path) {
  const auto where = transport::parse_host_port(address);
  if (!where) return tl::unexpected(where.error());
  httplib::Client client(where->host, where->port);
  client.set_connection_timeout(5);
  client.set_read_timeout(10);
  const auto answer = client.Post(path, httplib::Headers{{"Tenure-Command", "yes"}}, "", "text/plain");
  if (!answer) return tl::unexpected(nobody_at(address));
  if (answer->status == 403)
    return fail(trouble::refused, address + ": it takes commands from its own host only");
  if (answer->status != 202)
    return fail(trouble::refused, address + path + ": HTTP status " + std::to_string(answer->status));
  return {};
}

}  // namespace tenure::api
