#include "transport/socket_watch.hpp"

#include <array>
#include <functional>
#include <numeric>
#include <sys/socket.h>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/transport/recorder.hpp"
#include "transport/stream_end.hpp"

namespace tenure::transport {
namespace {

/// Both ends of a stream, neither of which waits.
struct stream_pair {
  explicit stream_pair(int room = 0) {
    std::array<int, 2> both{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both.data()) != 0) std::abort();
    if (room > 0) ::setsockopt(both[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    here = stream_end(both[0]);
    there = stream_end(both[1]);
  }
  void say(std::size_t bytes) const {
    std::vector<std::byte> some(bytes);
    iovec piece{some.data(), some.size()};
    std::span<iovec> all(&piece, 1);
    std::error_code error;
    there.write(all, error);
  }
  stream_end here;
  stream_end there;
};

/// Does what a test says.
class listener_of_one final : public watched {
 public:
  std::function<void()> on_readable = [] {};
  std::function<void()> on_writable = [] {};
  void readable() override { on_readable(); }
  void writable() override { on_writable(); }
};

class socket_watched : public testing::Test {
 protected:
  std::shared_ptr<listener_of_one> watch_it(const stream_pair& s, socket_watch::ticket& t) {
    auto who = std::make_shared<listener_of_one>();
    t = watch.add(s.here.handle(), who);
    EXPECT_NE(t, 0U);
    return who;
  }
  asio::io_context io{1};
  socket_watch watch{io};
};

TEST_F(socket_watched, what_is_left_unread_is_told_again_and_without_sockets_there_is_no_work) {
  const stream_pair s;
  socket_watch::ticket t = 0;
  auto who = watch_it(s, t);
  int left = 3;
  who->on_readable = [&] {
    std::byte one{};
    std::error_code error;
    EXPECT_EQ(s.here.read({&one, 1}, error), 1U);
    if (--left == 0) watch.remove(t, s.here.handle());
  };
  s.say(3);
  io.run_for(patience);
  EXPECT_EQ(left, 0);
}

TEST_F(socket_watched, one_that_is_removed_while_others_are_told_hears_nothing) {
  const std::array<stream_pair, 2> pairs;
  std::array<socket_watch::ticket, 2> tickets{};
  int told = 0;
  std::array<std::shared_ptr<listener_of_one>, 2> who;
  for (std::size_t i = 0; i < 2; ++i) {
    who[i] = watch_it(pairs[i], tickets[i]);
    who[i]->on_readable = [&] {
      ++told;
      for (std::size_t j = 0; j < 2; ++j) watch.remove(tickets[j], pairs[j].here.handle());
    };
  }
  for (const auto& s : pairs) s.say(1);
  io.run_for(patience);
  EXPECT_EQ(told, 1);
}

TEST_F(socket_watched, room_is_told_only_while_it_is_asked_for) {
  const stream_pair s;
  socket_watch::ticket t = 0;
  auto who = watch_it(s, t);
  int rooms = 0;
  int after = 0;
  who->on_writable = [&] {
    ++rooms;
    EXPECT_TRUE(watch.ask_for_room(t, s.here.handle(), false));
    s.say(1);
  };
  who->on_readable = [&] {
    // What is left unread lets it look once more.
    if (rooms > 0) return ++after == 2 ? watch.remove(t, s.here.handle()) : void();
    std::byte one{};
    std::error_code error;
    s.here.read({&one, 1}, error);
    EXPECT_TRUE(watch.ask_for_room(t, s.here.handle(), true));
  };
  s.say(1);
  io.run_for(patience);
  EXPECT_EQ(rooms, 1);
}

TEST_F(socket_watched, it_serves_again_after_all_were_removed) {
  for (int round = 0; round < 3; ++round) {
    const stream_pair s;
    socket_watch::ticket t = 0;
    auto who = watch_it(s, t);
    watch.remove(t, s.here.handle());
    bool told = false;
    who = watch_it(s, t);
    who->on_readable = [&] {
      told = true;
      watch.remove(t, s.here.handle());
    };
    s.say(1);
    io.run_for(patience);
    io.restart();
    EXPECT_TRUE(told);
  }
}

RC_GTEST_PROP(stream_end, any_pieces_come_whole_and_in_order_through_little_room, ()) {
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(1, 9'000));
  const stream_pair s(4'096);
  std::vector<std::byte> bytes(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 251);
  std::vector<iovec> pieces;
  for (std::size_t at = 0; const auto size : sizes) {
    pieces.push_back({bytes.data() + at, size});
    at += size;
  }
  std::span<iovec> left(pieces);
  std::vector<std::byte> came;
  std::array<std::byte, 1'000> room{};
  while (came.size() < bytes.size()) {
    std::error_code error;
    if (!left.empty()) s.here.write(left, error);
    RC_ASSERT(!error || error == std::errc::operation_would_block);
    const auto got = s.there.read(room, error);
    RC_ASSERT(!error || error == std::errc::operation_would_block);
    came.insert(came.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(got));
  }
  RC_ASSERT(left.empty());
  RC_ASSERT(came == bytes);
}

}  // namespace
}  // namespace tenure::transport
