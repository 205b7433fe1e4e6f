#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace tenure {

/// What a vector grows by stays as the memory was, where no value is given: for buffers that are filled right
/// away, and whose clearing would cost as much as that.
template <class Number>
struct raw_allocator : std::allocator<Number> {
  static_assert(std::is_trivial_v<Number>);
  raw_allocator() = default;
  template <class Other>
  explicit raw_allocator(const raw_allocator<Other>& /*all are one*/) {}
  template <class Other>
  struct rebind {
    using other = raw_allocator<Other>;
  };

  void construct(Number* at) { ::new (static_cast<void*>(at)) Number; }
  template <class... Values>
  void construct(Number* at, Values&&... values) {
    ::new (static_cast<void*>(at)) Number(std::forward<Values>(values)...);
  }
};

template <class Number>
using raw_vector = std::vector<Number, raw_allocator<Number>>;

}  // namespace tenure
