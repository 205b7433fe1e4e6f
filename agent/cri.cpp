#include "agent/cri.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

#include "agent/file_descriptor.hpp"

namespace tenure::agent {
namespace {

constexpr std::size_t most_bytes = 4U << 20;
constexpr std::size_t prefix_bytes = 5;  // of a gRPC message: compressed or not, and its length

/// One conversation: a request, and what came of it.
struct exchange {
  int socket = -1;
  std::string request;  // with its prefix
  std::size_t sent = 0;
  std::string reply;
  std::string status;  // gRPC's, a trailer
  bool over = false;
  bool too_long = false;
};

exchange& of(void* user) {
  return *static_cast<exchange*>(user);
}

ssize_t send_bytes(nghttp2_session*, const std::uint8_t* bytes, std::size_t length, int, void* user) {
  const auto sent = ::send(of(user).socket, bytes, length, MSG_NOSIGNAL);
  if (sent >= 0) return sent;
  return errno == EAGAIN ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
}

ssize_t read_request(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t room,
                     std::uint32_t* flags, nghttp2_data_source*, void* user) {
  auto& e = of(user);
  const auto bytes = std::min(room, e.request.size() - e.sent);
  std::memcpy(into, e.request.data() + e.sent, bytes);
  e.sent += bytes;
  if (e.sent == e.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

int on_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t* name, std::size_t name_length,
              const std::uint8_t* value, std::size_t value_length, std::uint8_t, void* user) {
  if (std::string_view(reinterpret_cast<const char*>(name), name_length) == "grpc-status")
    of(user).status.assign(reinterpret_cast<const char*>(value), value_length);
  return 0;
}

int on_data(nghttp2_session*, std::uint8_t, std::int32_t, const std::uint8_t* bytes, std::size_t length,
            void* user) {
  auto& e = of(user);
  e.too_long = e.too_long || e.reply.size() + length > most_bytes;
  if (!e.too_long) e.reply.append(reinterpret_cast<const char*>(bytes), length);
  return e.too_long ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int on_close(nghttp2_session*, std::int32_t, std::uint32_t, void* user) {
  of(user).over = true;
  return 0;
}

nghttp2_nv header(const char* name, const std::string& value) {
  // The library copies them.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name)),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), std::strlen(name), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

using session_ptr = std::unique_ptr<nghttp2_session, void (*)(nghttp2_session*)>;

session_ptr begin(exchange& e, const std::string& method) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_send_callback(callbacks, send_bytes);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session* made = nullptr;
  nghttp2_session_client_new(&made, callbacks, &e);
  nghttp2_session_callbacks_del(callbacks);
  session_ptr session(made, nghttp2_session_del);
  nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, nullptr, 0);
  const std::string post = "POST", http = "http", localhost = "localhost", grpc = "application/grpc",
                    trailers = "trailers";
  const std::array all{header(":method", post),         header(":scheme", http),      header(":path", method),
                       header(":authority", localhost), header("content-type", grpc), header("te", trailers)};
  nghttp2_data_provider body{};
  body.read_callback = read_request;
  nghttp2_submit_request(made, nullptr, all.data(), all.size(), &body, nullptr);
  return session;
}

tl::unexpected<failure> refuse(const std::string& socket, const std::string& why) {
  return fail(trouble::refused, "the container runtime at " + socket + ": " + why);
}

/// @returns why it ended; empty when the reply is there
std::string talk(exchange& e, nghttp2_session* session, std::chrono::milliseconds bound) {
  const auto end = std::chrono::steady_clock::now() + bound;
  std::array<std::uint8_t, 16384> buffer;
  while (!e.over) {
    if (nghttp2_session_send(session) != 0) return "it does not speak HTTP/2";
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd waits{e.socket, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waits, 1, static_cast<int>(left.count())) == 0) return "timed out";
    const auto got = ::recv(e.socket, buffer.data(), buffer.size(), 0);
    if (got == 0) return "it closed the connection";
    if (got < 0 && errno != EAGAIN && errno != EINTR) return std::generic_category().message(errno);
    if (got > 0 && nghttp2_session_mem_recv(session, buffer.data(), static_cast<std::size_t>(got)) < 0)
      return e.too_long ? "its reply is too long" : "it does not speak HTTP/2";
  }
  return {};
}

}  // namespace

outcome<std::string> call_cri(const std::string& socket, const std::string& method,
                              const std::string& request, std::chrono::milliseconds bound) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (socket.size() >= sizeof where.sun_path) return refuse(socket, "its path is too long");
  std::memcpy(where.sun_path, socket.data(), socket.size());
  const file_descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    return refuse(socket, std::generic_category().message(errno));
  exchange e;
  e.socket = fd.get();
  const auto length = static_cast<std::uint32_t>(request.size());
  e.request = {0, static_cast<char>(length >> 24), static_cast<char>(length >> 16),
               static_cast<char>(length >> 8), static_cast<char>(length)};
  e.request += request;
  const auto session = begin(e, method);
  if (const auto why = talk(e, session.get(), bound); !why.empty()) return refuse(socket, why);
  if (e.status != "0") return refuse(socket, "it answers with gRPC status " + e.status);
  if (e.reply.size() < prefix_bytes || e.reply[0] != 0) return refuse(socket, "its reply cannot be read");
  return e.reply.substr(prefix_bytes);
}

}  // namespace tenure::agent
