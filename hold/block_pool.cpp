#include "hold/block_pool.hpp"

#include <algorithm>
#include <new>
#include <sys/mman.h>

namespace tenure::hold {

namespace {

// Whole huge pages, where the system has them: a fleet's hold is thousands of blocks, walked once a minute.
constexpr std::size_t slab_bytes = std::size_t{4} << 20;
constexpr std::size_t huge_page = std::size_t{2} << 20;

block map(std::size_t bytes) {
  void* const at = ::mmap(nullptr, bytes + huge_page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  auto* const begin = static_cast<std::byte*>(at);
  const std::size_t skip = (huge_page - reinterpret_cast<std::uintptr_t>(at) % huge_page) % huge_page;
  if (skip > 0) ::munmap(begin, skip);
  if (skip < huge_page) ::munmap(begin + skip + bytes, huge_page - skip);
  block b{begin + skip, bytes};
  ::madvise(b.data, b.size, MADV_HUGEPAGE);  // only advice
  for (std::size_t i = 0; i < b.size; i += 4096) b.data[i] = std::byte{0};
  return b;
}

}  // namespace

block_ptr block_of(raw_vector<std::byte> bytes) {
  struct owner {
    raw_vector<std::byte> bytes;
    block whole;
  };
  auto all = std::make_shared<owner>(owner{std::move(bytes), {}});
  all->whole = {all->bytes.data(), all->bytes.size()};
  return {all, &all->whole};
}

std::shared_ptr<block_pool> block_pool::make(std::size_t touched) {
  std::shared_ptr<block_pool> pool(new block_pool);
  if (touched > 0) pool->grow((touched + block_bytes - 1) / block_bytes);
  return pool;
}

block_pool::~block_pool() {
  for (const auto& s : slabs_) ::munmap(s.data, s.size);
}

void block_pool::grow(std::size_t blocks) {
  const std::size_t bytes = (blocks * block_bytes + slab_bytes - 1) / slab_bytes * slab_bytes;
  const block slab = map(bytes);
  slabs_.push_back(slab);
  bytes_ += bytes;
  for (std::size_t at = bytes; at > 0; at -= block_bytes)
    free_.push_back({slab.data + at - block_bytes, block_bytes});
}

block_ptr block_pool::take(std::size_t bytes) {
  block b;
  if (bytes > block_bytes) {
    b = map((bytes + huge_page - 1) / huge_page * huge_page);
    bytes_ += b.size;
  } else {
    std::lock_guard lock(mutex_);
    if (free_.empty()) grow(1);
    b = free_.back();
    free_.pop_back();
  }
  taken_ += b.size;
  auto give_back = [pool = shared_from_this()](const block* p) {
    pool->give_back(*p);
    delete p;
  };
  return {new block(b), std::move(give_back)};
}

void block_pool::give_back(block b) {
  taken_ -= b.size;
  if (b.size > block_bytes) {
    ::munmap(b.data, b.size);
    bytes_ -= b.size;
    return;
  }
  std::lock_guard lock(mutex_);
  free_.push_back(b);
}

}  // namespace tenure::hold
