#include "transport/frame_reader.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenure::transport {

namespace {

constexpr std::size_t word = sizeof(frame::value_type);

/// What a frame gets at first, whatever length was announced; later it doubles.
constexpr std::size_t first_room_bytes = 64U << 10;

}  // namespace

bool frame_reader::read_length(std::span<const std::byte>& bytes) {
  auto take = std::min(length_bytes_.size() - length_filled_, bytes.size());
  std::copy_n(bytes.begin(), take, length_bytes_.begin() + static_cast<std::ptrdiff_t>(length_filled_));
  bytes = bytes.subspan(take);
  length_filled_ += take;
  if (length_filled_ < length_bytes_.size()) return false;
  length_ = 0;
  for (std::size_t i = 0; i < length_bytes_.size(); ++i) {
    length_ |= std::to_integer<std::size_t>(length_bytes_[i]) << (8 * i);
  }
  refused_ = length_ > max_frame_bytes || length_ % word != 0;
  filled_ = 0;
  return !refused_;
}

std::optional<frame> frame_reader::next(std::span<const std::byte>& bytes) {
  if (refused_) return {};
  if (length_filled_ < length_bytes_.size() && !read_length(bytes)) return {};
  auto take = std::min(length_ - filled_, bytes.size());
  if (auto needed = (filled_ + take + word - 1) / word; needed > frame_.size()) {
    frame_.resize(std::min(length_ / word, std::max({needed, frame_.size() * 2, first_room_bytes / word})));
  }
  if (take > 0) std::memcpy(reinterpret_cast<std::byte*>(frame_.data()) + filled_, bytes.data(), take);
  bytes = bytes.subspan(take);
  filled_ += take;
  if (filled_ < length_) return {};
  length_filled_ = 0;
  return std::exchange(frame_, {});
}

std::array<std::byte, 4> length_prefix(const frame& f) {
  auto length = f.size() * word;
  std::array<std::byte, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(length >> (8 * i));
  return out;
}

}  // namespace tenure::transport
