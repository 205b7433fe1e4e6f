#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "ownership/huge_allocator.hpp"

namespace tenure {

/// A vector for what grows large one by one: from its second huge page on nothing that is there is moved, and
/// no more than a page stands empty. A larger piece in place of each one that is full, as a vector takes it,
/// would clear three times the memory that there is in the end, which costs more than to fill it.
template <class T>
class huge_list {
  static_assert(std::is_trivially_copyable_v<T> && huge_page % sizeof(T) == 0);

 public:
  static constexpr std::size_t in_a_page = huge_page / sizeof(T);
  static_assert((in_a_page & (in_a_page - 1)) == 0, "places are found by a shift");

  huge_list() = default;
  huge_list(huge_list&& other) noexcept
      : pages_(std::move(other.pages_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {
    other.pages_.clear();
  }
  huge_list& operator=(huge_list&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  huge_list(const huge_list&) = delete;
  huge_list& operator=(const huge_list&) = delete;
  ~huge_list() {
    for (T* const page : pages_) memory_.deallocate(page, room_of_a_page());
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  /// @pre index < size()
  T& operator[](std::size_t index) { return pages_[index / in_a_page][index % in_a_page]; }
  const T& operator[](std::size_t index) const { return pages_[index / in_a_page][index % in_a_page]; }
  /// @pre size() > 0
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& value) {
    if (size_ == capacity_) grow();
    std::construct_at(&pages_[size_ / in_a_page][size_ % in_a_page], value);
    ++size_;
  }
  /// @pre size() > 0
  void pop_back() { --size_; }

  /// Gives back what stands empty: whole pages, and of a first one that is the only one what is more than an
  /// eighth.
  void shrink() {
    const std::size_t needed = std::max((size_ + in_a_page - 1) / in_a_page, std::size_t{1});
    while (pages_.size() > needed) {
      memory_.deallocate(pages_.back(), in_a_page);
      pages_.pop_back();
      capacity_ -= in_a_page;
    }
    if (capacity_ <= in_a_page && capacity_ > size_ + size_ / 8) replace_first(size_);
  }

 private:
  static constexpr std::size_t fewest = 16;

  std::size_t room_of_a_page() const { return std::min(capacity_, in_a_page); }

  void grow() {
    if (capacity_ >= in_a_page) {
      pages_.push_back(memory_.allocate(in_a_page));
      capacity_ += in_a_page;
      return;
    }
    // By eighths: what is copied is less than a page, and little stands empty.
    replace_first(std::min(std::max(capacity_ + capacity_ / 8, fewest), in_a_page));
  }
  void replace_first(std::size_t room) {
    T* const page = room == 0 ? nullptr : memory_.allocate(room);
    if (!pages_.empty()) {
      if (page != nullptr) std::uninitialized_copy_n(pages_[0], size_, page);
      memory_.deallocate(pages_[0], capacity_);
    }
    pages_.clear();
    if (page != nullptr) pages_.push_back(page);
    capacity_ = room;
  }

  [[no_unique_address]] huge_allocator<T> memory_;
  std::vector<T*> pages_;  // each full but the last; the first may be smaller while it is the only one
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tenure
