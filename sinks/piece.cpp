#include "sinks/piece.hpp"

#include <cstring>
#include <new>
#include <sys/mman.h>

#include "ownership/invariant.hpp"

namespace tenure::sinks {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

// A block before it for what it is led with, and one behind it, so that it can be moved by less than a block.
piece::piece(std::size_t room) : capacity_((room + 3 * block + huge_page - 1) / huge_page * huge_page) {
  memory_.reset(static_cast<char*>(std::aligned_alloc(huge_page, capacity_)));
  if (!memory_) throw std::bad_alloc();
  ::madvise(memory_.get(), capacity_, MADV_HUGEPAGE);  // only advice: fewer pages to pin for each write
}

void piece::begin_at(std::size_t offset) {
  invariant(offset < block, "an offset in a block is less than a block");
  begin_ = block + offset;
  size_ = 0;
}

void piece::drop(std::size_t bytes) {
  invariant(bytes <= size_, "only what is there is dropped");
  // Again in the second block, where there is room in front of it.
  const std::size_t first = begin_ + bytes;
  begin_ = block + first % block;
  size_ -= bytes;
  if (size_ > 0) std::memmove(memory_.get() + begin_, memory_.get() + first, size_);
}

char* piece::lead_with(std::string_view before) {
  invariant(before.size() < block, "what comes before in a block is less than a block");
  const std::size_t begin = block + before.size();
  if (begin != begin_) std::memmove(memory_.get() + begin, memory_.get() + begin_, size_);
  begin_ = begin;
  std::memcpy(memory_.get() + block, before.data(), before.size());
  return memory_.get() + block;
}

}  // namespace tenure::sinks
