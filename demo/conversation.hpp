#pragma once

#include <cstdint>
#include <string>

#include "demo/truth_message.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// One connection of an instance, as the instance sees it. Framework-free; driven by the instance's poll
/// loop.
class conversation {
 public:
  enum class fate { goes_on, ended };

  /// What a client means to do: `requests`, one after the other, with a pause of `think` in between.
  struct intent {
    std::uint32_t requests = 1;
    nanos think = 0;
    nanos give_up = 0;  ///< boot-time clock: closed then, whatever is open
  };

  conversation(unique_fd socket, demo::side s, const connection_tuple& tuple, std::uint32_t number,
               instance_id self, nanos now);
  void intend(intent i, std::string host);

  /// The socket has something to say (`events` as poll gave them), or a time has come.
  fate advance(short events, nanos now);
  short wants() const;
  /// When advance() is due without any event.
  nanos due() const;

  int descriptor() const { return socket_.get(); }
  std::uint32_t number() const { return number_; }
  const connection_tuple& tuple() const { return tuple_; }
  demo::side side() const { return side_; }
  /// Why it ended, errno; 0 in good order.
  int error() const { return error_; }
  /// The other end's name once it said it, else 0.
  instance_id peer() const { return peer_; }

 private:
  fate read_all();
  fate take_messages(nanos now);
  fate write_all();
  fate end(int error);
  void say_next();

  unique_fd socket_;
  demo::side side_;
  connection_tuple tuple_;
  std::uint32_t number_;
  instance_id self_;
  instance_id peer_ = 0;
  intent intent_;
  std::string host_;
  std::string in_;
  std::string out_;
  bool connecting_ = false;
  bool waiting_ = false;  // a client: for a response
  nanos next_request_ = 0;
  nanos idle_until_ = 0;  // a server's patience
  int error_ = 0;
};

}  // namespace tenure::demo
