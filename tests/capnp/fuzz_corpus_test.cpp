#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "tests/capnp/samples.hpp"
#include "tests/fuzz/frames.hpp"

namespace tenure::fuzz {
namespace {

using bytes = std::vector<std::uint8_t>;

std::vector<bytes> corpus() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TENURE_SOURCE_DIR "/tests/fuzz/frame_corpus"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<bytes> all;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    all.push_back({std::istreambuf_iterator<char>(stream), {}});
  }
  return all;
}

void read_with_each_byte_turned(bytes input, std::uint8_t how) {
  for (auto& byte : input) {
    byte ^= how;
    read_as_frame(input.data(), input.size());
    byte ^= how;
  }
}

// Each input, each of its beginnings, and each with one byte turned over: a refusal, or the same timelines
// forwards and backwards.
TEST(FuzzCorpus, EveryFrameIsRefusedOrMerged) {
  const auto all = corpus();
  ASSERT_GE(all.size(), 6U);
  for (const auto& input : all) {
    for (std::size_t size = 0; size <= input.size(); ++size) read_as_frame(input.data(), size);
    read_with_each_byte_turned(input, 0x01);
    read_with_each_byte_turned(input, 0x80);
  }
}

TEST(FuzzCorpus, FramesOfEveryKindAreReadAndMerged) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto batch = wire::samples::any_batch(seed, 8);
    const auto frame = seed % 2 == 0 ? wire::encode(batch) : wire::encode_packed(batch);
    const auto* const first = reinterpret_cast<const std::uint8_t*>(frame.data());
    const bytes input(first, first + frame.size() * 8);
    read_as_frame(input.data(), input.size());
    read_with_each_byte_turned(input, 0x40);
  }
}

}  // namespace
}  // namespace tenure::fuzz
