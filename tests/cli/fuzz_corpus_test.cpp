#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "tests/fuzz/lines.hpp"

namespace tenure::fuzz {
namespace {

std::vector<std::filesystem::path> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TENURE_SOURCE_DIR "/tests/fuzz/line_corpus"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// Each input, each of its beginnings, and each with one byte turned over: a refusal or an answer, and no
// crash.
TEST(FuzzCorpus, EveryLineIsRefusedOrAnswered) {
  const auto files = corpus();
  ASSERT_GE(files.size(), 6U);
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
    for (std::size_t size = 0; size <= bytes.size(); ++size) read_as_lines(bytes.data(), size);
    for (auto& byte : bytes) {
      byte ^= 0x20;
      read_as_lines(bytes.data(), bytes.size());
      byte ^= 0x20;
    }
  }
}

}  // namespace
}  // namespace tenure::fuzz
