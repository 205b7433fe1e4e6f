#include "cli/in_order.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cli/line_reader.hpp"

namespace tenure::cli {
namespace {

/// Collects lines; of one that is "broken" it complains, by "thrown" it is thrown off.
class collector final : public block_worker {
 public:
  explicit collector(std::vector<std::string>& all) : all_(all) {}

  outcome<void> read(line_block& lines) override {
    read_.clear();
    for (;;) {
      const auto line = lines.next();
      if (!line) return tl::unexpected(line.error());
      if (!*line) return {};
      if (**line == "broken") return fail(trouble::usage, "expected better");
      if (**line == "thrown") throw std::runtime_error("thrown off");
      read_.emplace_back(**line);
    }
  }
  outcome<void> hand_over() override {
    all_.insert(all_.end(), read_.begin(), read_.end());
    if (!all_.empty() && all_.back() == "full") return fail(trouble::refused, "no room");
    return {};
  }

 private:
  std::vector<std::string>& all_;
  std::vector<std::string> read_;
};

class InOrder : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "tenure-in-order-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    file_ = (folder_ / "lines").string();
    // Some megabytes: many blocks, with lines of all lengths, and blank ones.
    for (std::size_t i = 0; i < 40'000; ++i) {
      lines_.push_back("line " + std::to_string(i) + std::string(i * 37 % 211, '.'));
      if (i % 1'000 == 17) lines_.push_back(" \t\r");
      if (i % 10'000 == 23) lines_.push_back(std::string(700'000, 'x'));
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(bool ends_in_newline = true) const {
    std::ofstream file(file_, std::ios::binary);
    for (std::size_t i = 0; i < lines_.size(); ++i)
      file << lines_[i] << (i + 1 < lines_.size() || ends_in_newline ? "\n" : "");
  }
  std::vector<std::string> not_blank(std::size_t count) const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
      if (lines_[i].find_first_not_of(" \t\r") != std::string::npos) all.push_back(lines_[i]);
    return all;
  }
  outcome<void> read(unsigned workers) {
    read_.clear();
    std::vector<std::unique_ptr<block_worker>> all(workers);
    for (auto& w : all) w = std::make_unique<collector>(read_);
    return read_in_order(file_, all);
  }

  std::filesystem::path folder_;
  std::string file_;
  std::vector<std::string> lines_;
  std::vector<std::string> read_;
};

TEST_F(InOrder, AnyNumberOfWorkersGivesTheLinesInTheirOrder) {
  for (const bool ends_in_newline : {true, false}) {
    write(ends_in_newline);
    for (const unsigned workers : {1U, 2U, 5U}) {
      const auto done = read(workers);
      ASSERT_TRUE(done) << done.error().text;
      ASSERT_EQ(read_, not_blank(lines_.size()));
    }
  }
}

TEST_F(InOrder, OneLineAtATimeGivesTheSame) {
  write();
  auto reader = line_reader::open(file_);
  ASSERT_TRUE(reader);
  std::size_t number = 0;
  for (;;) {
    const auto line = reader->next();
    ASSERT_TRUE(line);
    if (!*line) break;
    do ++number;
    while (lines_[number - 1] == " \t\r");
    ASSERT_EQ(reader->number(), number);
    ASSERT_EQ(**line, lines_[number - 1]);
  }
  EXPECT_EQ(number, lines_.size());
}

TEST_F(InOrder, TheFirstFailureOfTheFileIsTheOneAndHasItsPlace) {
  lines_[20'000] = "broken";
  lines_[20'500] = "broken";
  lines_[35'000] = "broken";
  write();
  for (const unsigned workers : {1U, 2U, 5U}) {
    const auto done = read(workers);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().text, file_ + ":20001: expected better");
    // What was handed over are whole blocks before it.
    const auto before = not_blank(20'000);
    ASSERT_LE(read_.size(), before.size());
    EXPECT_GT(read_.size(), before.size() / 2);
    EXPECT_TRUE(std::equal(read_.begin(), read_.end(), before.begin()));
  }
}

TEST_F(InOrder, ALineThatIsTooLongHasItsPlaceToo) {
  lines_.emplace_back(line_block::longest_line + (2 << 20), 'x');
  write();
  for (const unsigned workers : {1U, 3U}) {
    const auto done = read(workers);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().text,
              file_ + ":" + std::to_string(lines_.size()) + ": expected a line of at most 16 MiB");
    EXPECT_EQ(read_, not_blank(lines_.size() - 1));
  }
}

TEST_F(InOrder, WhatTakesTheLinesMayStopItAndWhatIsThrownArrives) {
  write();
  std::filesystem::remove(file_);
  EXPECT_EQ(read(2).error().text, file_ + ": cannot be read: No such file or directory");
  lines_.assign({"a", "full"});
  write();
  EXPECT_EQ(read(2).error().text, "no room");
  lines_.assign({"a", "thrown"});
  write();
  EXPECT_THROW((void)read(1), std::runtime_error);
  EXPECT_THROW((void)read(4), std::runtime_error);
}

TEST_F(InOrder, NothingIsNothing) {
  lines_.clear();
  write();
  EXPECT_TRUE(read(3));
  EXPECT_TRUE(read_.empty());
}

}  // namespace
}  // namespace tenure::cli
