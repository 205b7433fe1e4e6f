#pragma once

#include <cstddef>
#include <string>

namespace tenure::testing {

/// A file system of a few MiB that a test fills up: a tmpfs of its own, unmounted at the end.
class small_disk {
 public:
  explicit small_disk(std::size_t bytes);
  ~small_disk();
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  /// False where this process may not mount.
  bool mounted() const { return mounted_; }
  const std::string& path() const { return path_; }
  /// Takes room away, so that so many bytes are left; `empty` gives it back.
  void fill(std::size_t left) const;
  void empty() const;

 private:
  std::string path_;
  std::size_t bytes_;
  bool mounted_ = false;
};

}  // namespace tenure::testing
