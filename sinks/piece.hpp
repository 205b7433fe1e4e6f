#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>

namespace tenure::sinks {

/// Bytes on their way to a file, in memory from which a device can fetch them itself: they can be made to lie
/// there as they will lie in the file's blocks.
class piece {
 public:
  /// What devices and file systems ask of addresses, offsets and lengths is this or a part of it.
  static constexpr std::size_t block = 4096;

  piece() = default;
  /// @param room for so many bytes at least; throws std::bad_alloc
  explicit piece(std::size_t room);

  /// Empties it. @param offset in a block at which its first byte will be, less than `block`
  void begin_at(std::size_t offset);

  std::size_t capacity() const { return capacity_; }
  std::string_view bytes() const {
    return size_ == 0 ? std::string_view() : std::string_view(memory_.get() + begin_, size_);
  }
  std::size_t size() const { return size_; }
  /// Where more bytes may be written; then `add` says how many were.
  std::span<char> room() {
    if (!memory_) return {};
    return {memory_.get() + begin_ + size_, capacity_ - block - begin_ - size_};
  }
  void add(std::size_t bytes) { size_ += bytes; }
  /// The first of them are not to be written any more.
  void drop(std::size_t bytes);

  /// Puts what comes before its bytes in their block in front of them, and so has them lie as in the file.
  /// @param before less than a block @returns where the block begins, aligned to one
  char* lead_with(std::string_view before);

 private:
  struct freed {
    void operator()(char* p) const { std::free(p); }
  };
  std::unique_ptr<char[], freed> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = block;  // always in the second block
  std::size_t size_ = 0;
};

}  // namespace tenure::sinks
