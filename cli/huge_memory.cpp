#include "cli/huge_memory.hpp"

#include <cstddef>
#include <jemalloc/jemalloc.h>
#include <string>
#include <sys/mman.h>
#include <sys/types.h>

// Absent where a program is not linked with jemalloc.
extern "C" [[gnu::weak]] decltype(mallctl) mallctl;

namespace tenure::cli {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr ssize_t kept_ms = 600'000;

extent_hooks_t* usual = nullptr;
extent_hooks_t advised{};

void* allocate(extent_hooks_t*, void* where, std::size_t size, std::size_t alignment, bool* zero,
               bool* commit, unsigned arena) {
  void* const at = usual->alloc(usual, where, size, alignment, zero, commit, arena);
  if (at != nullptr && size >= huge_page) ::madvise(at, size, MADV_HUGEPAGE);  // only advice
  return at;
}

}  // namespace

void take_huge_pages() {
  if (mallctl == nullptr) return;
  std::size_t size = sizeof usual;
  if (mallctl("arena.0.extent_hooks", &usual, &size, nullptr, 0) != 0) return;
  unsigned arenas = 0;
  size = sizeof arenas;
  if (mallctl("arenas.narenas", &arenas, &size, nullptr, 0) != 0) return;
  advised = *usual;
  advised.alloc = allocate;
  for (unsigned i = 0; i < arenas; ++i) {
    const auto arena = "arena." + std::to_string(i);
    auto* hooks = &advised;
    mallctl((arena + ".extent_hooks").c_str(), nullptr, nullptr, &hooks, sizeof hooks);
    ssize_t kept = kept_ms;
    mallctl((arena + ".dirty_decay_ms").c_str(), nullptr, nullptr, &kept, sizeof kept);
  }
}

}  // namespace tenure::cli
