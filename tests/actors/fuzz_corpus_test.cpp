#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fuzz/sessions.hpp"

namespace tenure::fuzz {
namespace {

using bytes = std::vector<std::uint8_t>;

// Each input that the fuzzer kept, and each with one byte in some turned over.
TEST(fuzz_corpus, every_session_ends_with_its_ledger_balanced) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(TENURE_SOURCE_DIR "/tests/fuzz/session_corpus"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 20U);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    bytes input{std::istreambuf_iterator<char>(stream), {}};
    play_session(input.data(), input.size());
    for (std::size_t i = 0; i < input.size(); i += 1 + input.size() / 16) {
      input[i] ^= 0x11;
      play_session(input.data(), input.size());
      input[i] ^= 0x11;
    }
  }
}

TEST(fuzz_corpus, sessions_drawn_at_random_end_well_too) {
  std::minstd_rand draw(4740);
  for (int i = 0; i < 300; ++i) {
    bytes input(draw() % 600);
    for (auto& b : input) b = static_cast<std::uint8_t>(draw() >> 8);
    play_session(input.data(), input.size());
  }
}

}  // namespace
}  // namespace tenure::fuzz
