#include "ownership/huge_allocator.hpp"

#include <cstdint>
#include <sys/mman.h>

namespace tenure {

namespace {

std::size_t rounded(std::size_t bytes) {
  return (bytes + huge_page - 1) / huge_page * huge_page;
}

}  // namespace

void* take_huge(std::size_t bytes) {
  // A page too many, so that there is a beginning of a huge page to cut out.
  const std::size_t wanted = rounded(bytes);
  const std::size_t mapped = wanted + huge_page;
  void* const place = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) throw std::bad_alloc();
  const std::size_t before =
      rounded(reinterpret_cast<std::uintptr_t>(place)) - reinterpret_cast<std::uintptr_t>(place);
  auto* const aligned = static_cast<std::byte*>(place) + before;
  if (before > 0) ::munmap(place, before);
  if (before < huge_page) ::munmap(aligned + wanted, huge_page - before);
  ::madvise(aligned, wanted, MADV_HUGEPAGE);  // a wish: without it everything works, slower
  return aligned;
}

void give_back_huge(void* place, std::size_t bytes) noexcept {
  ::munmap(place, rounded(bytes));
}

}  // namespace tenure
