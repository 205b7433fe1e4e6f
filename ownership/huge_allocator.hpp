#pragma once

#include <cstddef>
#include <limits>
#include <new>

namespace tenure {

/// Fresh memory that begins on a huge page, and lies on huge pages where the system gives them; otherwise on
/// ordinary ones. Random questions miss the processor's table of pages more often than its caches, and that
/// costs more. @throws std::bad_alloc
void* take_huge(std::size_t bytes);
/// @pre `place` and `bytes` are those of take_huge
void give_back_huge(void* place, std::size_t bytes) noexcept;

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

/// For vectors that grow large: from a huge page on, theirs begin on one.
template <class T>
class huge_allocator {
 public:
  using value_type = T;
  huge_allocator() = default;
  template <class U>
  huge_allocator(const huge_allocator<U>&) {}  // NOLINT(google-explicit-constructor): as of any allocator

  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    const std::size_t bytes = count * sizeof(T);
    if (bytes >= huge_page) return static_cast<T*>(take_huge(bytes));
    return static_cast<T*>(::operator new (bytes, std::align_val_t{alignof(T)}));
  }
  void deallocate(T* place, std::size_t count) noexcept {
    const std::size_t bytes = count * sizeof(T);
    if (bytes >= huge_page)
      give_back_huge(place, bytes);
    else
      ::operator delete (place, std::align_val_t{alignof(T)});
  }
  friend bool operator==(const huge_allocator&, const huge_allocator&) { return true; }
};

}  // namespace tenure
