#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <poll.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "sinks/storage.hpp"
#include "tests/sinks/small_disk.hpp"

namespace tenure::sinks {
namespace {

class file_storage_test : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenure-sinks-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    path = (folder / "out.ndjson").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void put(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  std::string get() {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }

  std::filesystem::path folder;
  std::string path;
};

TEST_F(file_storage_test, appends_to_what_is_there) {
  for (const char* line : {"one\n", "two\n"}) {
    auto file = open_file(path);
    ASSERT_TRUE(file) << file.error().text;
    ASSERT_TRUE((*file)->append(line));
    ASSERT_TRUE((*file)->sync());
  }
  EXPECT_EQ(get(), "one\ntwo\n");
}

TEST_F(file_storage_test, a_torn_last_line_is_cut_off_and_nothing_else) {
  const std::string long_line(10'000, 'x');
  const struct {
    std::string before, after;
  } cases[] = {{"", "new\n"},
               {"whole\n", "whole\nnew\n"},
               {"whole\ntor", "whole\nnew\n"},
               {"torn", "new\n"},
               {long_line + "\n" + long_line, long_line + "\nnew\n"}};
  for (const auto& c : cases) {
    put(c.before);
    auto file = open_file(path);
    ASSERT_TRUE(file) << file.error().text;
    ASSERT_TRUE((*file)->append("new\n"));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ(get(), c.after);
  }
}

// Large writes go past the page cache in whole blocks, small ones do not: whatever their order, and whatever
// others cut off in between, the file holds all that came since, in order.
TEST_F(file_storage_test, writes_of_any_length_follow_each_other) {
  put("begun\n");
  auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text;
  std::string expected = "begun\n";
  std::uint64_t seed = 7;
  for (int n = 0; n < 120; ++n) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    const std::size_t lengths[] = {1, 4'096, 70'000, 300'000, 1'500'000, (seed >> 33) % 200'000};
    std::string piece((lengths[(seed >> 20) % 6]), static_cast<char>('a' + n % 26));
    piece.back() = '\n';
    ASSERT_TRUE((*file)->append(piece));
    expected += piece;
    if (n % 3 == 0) {
      ASSERT_TRUE((*file)->sync());
      ASSERT_TRUE(get() == expected) << "after piece " << n;
    }
    if (n % 40 == 39) {
      ASSERT_TRUE((*file)->sync());
      expected.resize((seed >> 40) % 50'000);
      std::filesystem::resize_file(path, expected.size());
    }
  }
  ASSERT_TRUE((*file)->sync());
  EXPECT_TRUE(get() == expected);
}

// What is written into a storage's own room follows what was appended, though its last part may come only
// with the sync, whatever others cut off before that.
TEST_F(file_storage_test, what_was_written_into_its_room_follows_what_was_appended) {
  put("begun\n");
  auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text;
  std::string expected = "begun\n";
  std::uint64_t seed = 11;
  for (int n = 0; n < 60; ++n) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    const std::size_t lengths[] = {1, 4'096, 70'000, 300'000, 1'500'000, 3'000'000, (seed >> 33) % 200'000};
    std::string piece(lengths[(seed >> 20) % 7], static_cast<char>('a' + n % 26));
    piece.back() = '\n';
    if ((seed >> 50) % 4 == 0) {
      ASSERT_TRUE((*file)->append(piece));
    } else {
      const auto room = (*file)->room(piece.size());
      ASSERT_GE(room.size(), piece.size());
      std::memcpy(room.data(), piece.data(), piece.size());
      ASSERT_TRUE((*file)->take(piece.size()));
    }
    expected += piece;
    if (n % 5 == 0) {
      ASSERT_TRUE((*file)->sync());
      ASSERT_TRUE(get() == expected) << "after piece " << n;
    }
    if (n % 20 == 10) {
      expected.resize((seed >> 40) % 50'000);
      std::filesystem::resize_file(path, expected.size());
    }
  }
  ASSERT_TRUE((*file)->sync());
  EXPECT_TRUE(get() == expected);
}

// A pipe that nobody reads takes some, and whoever writes goes on all the same, told when it is enough.
TEST_F(file_storage_test, whoever_appends_does_not_stand_while_a_pipe_is_read_slowly) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text;
  std::string all;
  while (!(*file)->busy()) {
    ASSERT_LT(all.size(), std::size_t{64} << 20) << "it never says that it is enough";
    std::string line(1 << 20, static_cast<char>('a' + all.size() % 23));
    line.back() = '\n';
    ASSERT_TRUE((*file)->append(line));
    all += line;
  }
  EXPECT_EQ((*file)->waiting(), 0U) << "there is room, only later";
  std::promise<outcome<bool>> said;
  auto answer = said.get_future();
  (*file)->sync_then([&](outcome<bool> how) { said.set_value(std::move(how)); });
  std::string got;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; got.size() < all.size() && std::getline(in, line);) got += line + '\n';
  const auto how = answer.get();
  ASSERT_TRUE(how) << how.error().text;
  EXPECT_TRUE(*how);
  EXPECT_FALSE((*file)->busy());
  EXPECT_TRUE(got == all);
}

TEST_F(file_storage_test, a_pipe_that_nobody_reads_does_not_keep_it_from_ending) {
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text;
  ASSERT_TRUE((*file)->append(std::string(4 << 20, 'x')));
  pollfd readable{fd, POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 30'000), 1) << "its write has begun";
  file->reset();
  // Its thread is in that write still, and ends when the pipe has taken all of it.
  std::string got(64 << 10, '\0');
  std::size_t all = 0;
  while (::poll(&readable, 1, 30'000) == 1 && (readable.revents & POLLIN) != 0) {
    const auto count = ::read(fd, got.data(), got.size());
    if (count <= 0) break;
    all += static_cast<std::size_t>(count);
  }
  EXPECT_GT(all, 2U << 20);
  ::close(fd);
}

TEST_F(file_storage_test, a_sync_tells_of_what_came_before_it) {
  auto file = open_file(path);
  ASSERT_TRUE(file) << file.error().text;
  std::string expected;
  for (int n = 0; n < 8; ++n) {
    ASSERT_TRUE((*file)->append(std::string(n * 700'000, 'x') + "\n"));
    expected += std::string(n * 700'000, 'x') + "\n";
    std::promise<bool> said;
    (*file)->sync_then([&](const outcome<bool>& how) { said.set_value(how.value_or(false)); });
    const bool durable = said.get_future().get();
    EXPECT_TRUE(durable);
    ASSERT_TRUE(get() == expected) << "sync " << n;
  }
}

// An actor that nobody else holds ends with the message of its sync, on the thread that tells it.
TEST_F(file_storage_test, who_is_told_of_a_sync_may_end_it) {
  auto opened = open_file(path);
  ASSERT_TRUE(opened) << opened.error().text;
  auto file = std::make_shared<std::unique_ptr<storage>>(std::move(*opened));
  ASSERT_TRUE((*file)->append("x\n"));
  auto ended = std::make_shared<std::promise<void>>();
  (*file)->sync_then([file, ended](const outcome<bool>&) {
    file->reset();
    ended->set_value();
  });
  ended->get_future().wait();
  EXPECT_EQ(get(), "x\n");
}

TEST_F(file_storage_test, a_file_that_is_not_of_lines_is_left_alone) {
  const std::string binary(3 << 20, 'x');
  put(binary);
  auto file = open_file(path);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().trouble, trouble::usage);
  EXPECT_EQ(get(), binary);
}

TEST_F(file_storage_test, what_cannot_be_opened_is_named_with_the_reason) {
  for (const auto& where : {(folder / "absent" / "x").string(), folder.string()}) {
    auto file = open_file(where);
    ASSERT_FALSE(file) << where;
    EXPECT_EQ(file.error().trouble, trouble::usage);
    EXPECT_NE(file.error().text.find(where), std::string::npos);
  }
}

TEST_F(file_storage_test, a_failed_write_is_final) {
  auto file = open_file("/dev/full");
  ASSERT_TRUE(file) << file.error().text;
  ASSERT_TRUE((*file)->append("x\n"));
  auto first = (*file)->sync();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().trouble, trouble::refused);
  EXPECT_FALSE((*file)->append("x\n"));
  EXPECT_FALSE((*file)->sync()) << "it must not say durable after a failure";
}

// A file that takes what is written and knows no sync stands for a disk that fails to.
TEST_F(file_storage_test, a_failed_sync_is_final) {
  auto file = open_file("/proc/self/comm");
  ASSERT_TRUE(file) << file.error().text;
  ASSERT_TRUE((*file)->append("x\n"));
  const auto first = (*file)->sync();
  ASSERT_FALSE(first);
  EXPECT_NE(first.error().text.find("cannot make durable /proc/self/comm"), std::string::npos);
  EXPECT_FALSE((*file)->append("x\n"));
  EXPECT_FALSE((*file)->sync()) << "it must not say durable after a failure";
}

TEST_F(file_storage_test, a_full_disk_keeps_what_it_took_and_goes_on_when_there_is_room) {
  const tenure::testing::small_disk disk(1 << 20);
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  const std::string where = disk.path() + "/out";
  auto file = open_file(where);
  ASSERT_TRUE(file) << file.error().text;
  std::string all;
  const auto add = [&](std::size_t bytes) {
    std::string text(bytes - 1, static_cast<char>('a' + all.size() % 26));
    text += '\n';
    ASSERT_TRUE((*file)->append(text));
    all += text;
  };
  disk.fill(256 << 10);
  while ((*file)->waiting() == 0) {
    add(60'001);
    ASSERT_TRUE((*file)->sync());
  }
  ASSERT_TRUE((*file)->sync());
  EXPECT_GT((*file)->waiting(), 0U) << "a sync makes no room";
  add(5);
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ(std::filesystem::file_size(where) + (*file)->waiting(), all.size());
  disk.empty();
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->waiting(), 0U);
  add(7);
  ASSERT_TRUE((*file)->sync());
  std::ifstream in(where);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), all);
}

TEST_F(file_storage_test, what_a_full_disk_does_not_take_of_its_room_waits) {
  const tenure::testing::small_disk disk(4 << 20);
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  const std::string where = disk.path() + "/out";
  auto file = open_file(where);
  ASSERT_TRUE(file) << file.error().text;
  std::string all;
  const auto add = [&](std::size_t bytes) {
    std::string text(bytes - 1, static_cast<char>('a' + all.size() % 26));
    text += '\n';
    std::memcpy((*file)->room(bytes).data(), text.data(), bytes);
    ASSERT_TRUE((*file)->take(bytes));
    all += text;
  };
  disk.fill(1 << 20);
  while ((*file)->waiting() == 0) {
    add(600'001);
    ASSERT_TRUE((*file)->sync());
  }
  add(5);
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ(std::filesystem::file_size(where) + (*file)->waiting(), all.size());
  disk.empty();
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->waiting(), 0U);
  add(7);
  ASSERT_TRUE((*file)->sync());
  std::ifstream in(where);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), all);
}

TEST_F(file_storage_test, devices_and_pipes_need_no_sync) {
  auto file = open_file("/dev/null");
  ASSERT_TRUE(file) << file.error().text;
  EXPECT_TRUE((*file)->append("x\n"));
  EXPECT_TRUE((*file)->sync());
}

}  // namespace
}  // namespace tenure::sinks
