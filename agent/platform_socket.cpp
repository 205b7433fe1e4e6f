#include "agent/platform_socket.hpp"

#include <utility>

#include "agent/host_addresses.hpp"
#include "agent/ipman_answer.hpp"

namespace tenure::agent {

outcome<std::unique_ptr<platform_socket>> platform_socket::start(const std::string& path,
                                                                 const std::string& host_start,
                                                                 const std::set<identity_key>& held,
                                                                 ipman_server::handler answer,
                                                                 std::function<void(const failure&)> unkept) {
  std::unique_ptr<platform_socket> result(new platform_socket);
  result->answer_ = std::move(answer);
  result->unkept_ = std::move(unkept);
  // The socket first: it is refused where another agent listens, whose file this is then.
  const std::scoped_lock lock(result->mutex_);
  auto server =
      ipman_server::start(path, [self = result.get()](const ipman_request& r) { return self->hear(r); });
  if (!server) return tl::unexpected(server.error());
  result->server_ = std::move(*server);
  auto file = assignment_file::open(path + ".assigned", host_start);
  if (!file) return tl::unexpected(file.error());
  result->file_ = std::move(*file);
  result->said_again_ = say_again(*result->file_, held, *make_address_check(), result->answer_);
  return result;
}

platform_socket::~platform_socket() {
  server_.reset();
}

std::string platform_socket::hear(const ipman_request& request) {
  const std::scoped_lock lock(mutex_);
  if (file_ == nullptr) return ipman_refusal({trouble::refused, "the agent is ending"});
  auto reply = answer_(request);
  if (auto kept = file_->keep(request, reply); !kept) unkept_(kept.error());
  return reply;
}

}  // namespace tenure::agent
