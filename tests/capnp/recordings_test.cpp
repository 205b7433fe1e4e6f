#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "tests/capnp/samples.hpp"

// Messages that earlier versions sent, byte for byte, and what was in them: today's reader has to find the
// same. A folder a version; to add today's, before the schema grows, with
// TENURE_RECORD_TO=tests/capnp/recordings/DAY: build/tests/test_capnp --gtest_also_run_disabled_tests
// --gtest_filter=recordings.DISABLED_are_made
namespace tenure::wire {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t of_each_kind = 2;
constexpr std::size_t most_in_a_list = 3;

std::string kind_of(const std::string& told) {
  return told.substr(0, told.find_first_of(" \n"));
}

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

frame as_frame(const std::string& bytes) {
  frame words(bytes.size() / sizeof(frame::value_type));
  std::copy_n(bytes.data(), words.size() * sizeof(frame::value_type), reinterpret_cast<char*>(words.data()));
  return words;
}

/// What has come to a message since stands at the ends of its lines.
void expect_holds(const std::string& today, const std::string& then, const fs::path& where) {
  const auto now = lines_of(today);
  const auto before = lines_of(then);
  ASSERT_EQ(now.size(), before.size()) << where;
  for (std::size_t i = 0; i < now.size(); ++i)
    EXPECT_TRUE(now[i] == before[i] || now[i].starts_with(before[i] + " "))
        << where << "\nthen  " << before[i] << "\ntoday " << now[i];
}

TEST(recordings, of_every_earlier_version_are_read_as_they_were_meant) {
  for (const auto& version : fs::directory_iterator(TENURE_SOURCE_DIR "/tests/capnp/recordings")) {
    std::set<std::string> kinds;
    for (const auto& entry : fs::directory_iterator(version)) {
      if (entry.path().extension() != ".frame") continue;
      auto text = entry.path();
      const auto told = read_file(text.replace_extension(".txt"));
      const auto got = decode(as_frame(read_file(entry.path())), samples::incarnation);
      ASSERT_TRUE(got) << entry.path() << ": " << got.error().text;
      expect_holds(samples::describe(*got), told, entry.path());
      kinds.insert(kind_of(told));
    }
    EXPECT_GE(kinds.size(), 12U) << version;
  }
}

void record(const fs::path& to, const std::string& name, const frame& bytes, const std::string& told) {
  std::ofstream(to / (name + ".frame"), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size() * sizeof(bytes[0])));
  std::ofstream(to / (name + ".txt"), std::ios::binary) << told;
}

TEST(recordings, DISABLED_are_made) {
  const char* const to = std::getenv("TENURE_RECORD_TO");
  ASSERT_NE(to, nullptr) << "TENURE_RECORD_TO=FOLDER";
  fs::create_directories(to);
  std::map<std::string, std::size_t> made;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const auto message = samples::any_message(seed, most_in_a_list);
    const auto told = samples::describe(message);
    auto& number = made[kind_of(told)];
    if (number == of_each_kind) continue;
    const auto of_kind = "-" + std::to_string(number++);
    record(to, kind_of(told) + of_kind, encode(message), told);
    if (const auto* const b = std::get_if<batch>(&message)) {
      const auto packed = encode_packed(*b);
      record(to, "packed" + of_kind, packed, samples::describe(*decode(packed, samples::incarnation)));
    }
  }
}

}  // namespace
}  // namespace tenure::wire
