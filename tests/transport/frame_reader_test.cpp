#include "transport/frame_reader.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::transport {
namespace {

using bytes = std::vector<std::byte>;

bytes on_wire(const std::vector<frame>& frames) {
  bytes out;
  for (const auto& f : frames) {
    auto prefix = length_prefix(f);
    out.insert(out.end(), prefix.begin(), prefix.end());
    auto body = std::as_bytes(std::span(f));
    out.insert(out.end(), body.begin(), body.end());
  }
  return out;
}

/// What comes of bytes that arrive in the given pieces.
std::vector<frame> read_in_pieces(frame_reader& reader, const bytes& all,
                                  const std::vector<std::size_t>& sizes) {
  std::vector<frame> out;
  std::span<const std::byte> rest(all);
  for (auto size : sizes) {
    auto piece = rest.first(std::min(size, rest.size()));
    rest = rest.subspan(piece.size());
    while (auto f = reader.next(piece)) out.push_back(std::move(*f));
  }
  while (auto f = reader.next(rest)) out.push_back(std::move(*f));
  return out;
}

TEST(frame_reader, any_split_in_two_gives_the_same_frames) {
  const std::vector<frame> frames = {{1, 2, 3}, {}, {~0ULL}, {7, 7, 7, 7, 7}};
  auto all = on_wire(frames);
  for (std::size_t split = 0; split <= all.size(); ++split) {
    frame_reader reader;
    EXPECT_EQ(read_in_pieces(reader, all, {split}), frames) << "split at " << split;
    EXPECT_FALSE(reader.within_frame());
  }
}

RC_GTEST_PROP(frame_reader, any_pieces_give_the_same_frames,
              (const std::vector<frame>& frames, const std::vector<std::uint8_t>& pieces)) {
  frame_reader reader;
  std::vector<std::size_t> sizes(pieces.begin(), pieces.end());
  RC_ASSERT(read_in_pieces(reader, on_wire(frames), sizes) == frames);
  RC_ASSERT(!reader.within_frame());
}

TEST(frame_reader, the_longest_frame_comes_whole) {
  frame longest(max_frame_bytes / 8);
  for (std::size_t i = 0; i < longest.size(); ++i) longest[i] = i * 0x9e37'79b9ULL;
  frame_reader reader;
  auto got = read_in_pieces(reader, on_wire({longest, {5}}), std::vector<std::size_t>(100, 50'001));
  ASSERT_EQ(got.size(), 2U);
  EXPECT_TRUE(got[0] == longest);
  EXPECT_EQ(got[1], frame{5});
}

TEST(frame_reader, a_length_too_long_or_not_of_words_is_refused_for_good) {
  for (std::uint32_t length : {4U, 7U, 9U, static_cast<std::uint32_t>(max_frame_bytes) + 8, 0xffff'fff8U}) {
    bytes all;
    for (int i = 0; i < 4; ++i) all.push_back(static_cast<std::byte>(length >> (8 * i)));
    auto good = on_wire({{1}});
    all.insert(all.end(), good.begin(), good.end());
    frame_reader reader;
    std::span<const std::byte> rest(all);
    EXPECT_FALSE(reader.next(rest));
    EXPECT_TRUE(reader.refused()) << length;
    EXPECT_FALSE(reader.next(rest));
  }
}

TEST(frame_reader, an_end_of_the_stream_cuts_a_frame_anywhere_but_between_two) {
  auto all = on_wire({{1, 2}});
  for (std::size_t end = 0; end <= all.size(); ++end) {
    frame_reader reader;
    std::span<const std::byte> rest(all.data(), end);
    (void)reader.next(rest);
    EXPECT_EQ(reader.within_frame(), end != 0 && end != all.size()) << end;
  }
}

}  // namespace
}  // namespace tenure::transport
