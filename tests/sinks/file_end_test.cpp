#include "sinks/file_end.hpp"

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::sinks {
namespace {

class open_end {
 public:
  explicit open_end(const std::string& begun) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenure-end-XXXXXX").string();
    fd_ = ::mkstemp(pattern.data());
    path_ = pattern;
    std::ofstream(path_, std::ios::binary) << begun;
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_APPEND);
  }
  ~open_end() {
    ::close(fd_);
    std::filesystem::remove(path_);
  }
  open_end(const open_end&) = delete;
  open_end& operator=(const open_end&) = delete;

  int fd() const { return fd_; }
  void cut(std::size_t size) const { std::filesystem::resize_file(path_, size); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_, std::ios::binary).rdbuf();
    return out.str();
  }

 private:
  std::string path_;
  int fd_ = -1;
};

piece piece_of(const std::string& text, std::size_t offset) {
  piece p(text.size());
  p.begin_at(offset);
  std::memcpy(p.room().data(), text.data(), text.size());
  p.add(text.size());
  return p;
}

// Whatever came before, wherever the pieces lie in memory, whatever others cut off the file: what is written
// follows, and what does not fill a block comes with the next piece or when it is asked for.
RC_GTEST_PROP(file_end, what_is_written_follows_what_is_there, ()) {
  const auto length = [](std::size_t most) { return *rc::gen::inRange<std::size_t>(0, most); };
  std::string expected(length(10'000), 'b');
  const open_end file(expected);
  file_end end(file.fd());
  if (*rc::gen::arbitrary<bool>()) end.bypass_cache();
  std::size_t kept_before = 0;
  for (int n = *rc::gen::inRange(1, 8); n > 0; --n) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        RC_ASSERT(end.write_kept() == 0);
        RC_ASSERT(end.kept() == 0U);
        break;
      case 1:
        // What is kept is not in the file yet, and comes all the same.
        kept_before = end.kept();
        expected = expected.substr(0, length(expected.size() - kept_before + 1)) +
                   expected.substr(expected.size() - kept_before);
        file.cut(expected.size() - kept_before);
        break;
      default:
        std::string text(length(*rc::gen::arbitrary<bool>() ? 300'000 : 5'000), static_cast<char>('c' + n));
        auto p = piece_of(text, length(piece::block));
        RC_ASSERT(end.write(p) == 0);
        RC_ASSERT(p.size() == 0U);
        expected += text;
    }
    RC_ASSERT(end.kept() < piece::block);
    RC_ASSERT(file.text() == expected.substr(0, expected.size() - end.kept()));
  }
  RC_ASSERT(end.write_kept() == 0);
  RC_ASSERT(file.text() == expected);
}

TEST(piece, what_is_dropped_from_its_front_leaves_the_rest) {
  auto p = piece_of("abcdefgh", 4'090);
  p.drop(3);
  EXPECT_EQ(p.bytes(), "defgh");
  p.drop(5);
  EXPECT_EQ(p.bytes(), "");
}

TEST(piece, lies_behind_what_leads_it_as_in_the_file) {
  auto p = piece_of("new", 17);
  const char* const begin = p.lead_with("old");
  EXPECT_EQ(std::string_view(begin, 6), "oldnew");
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % piece::block, 0U);
}

}  // namespace
}  // namespace tenure::sinks
