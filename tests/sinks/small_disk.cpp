#include "tests/sinks/small_disk.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tenure::testing {

small_disk::small_disk(std::size_t bytes) : bytes_(bytes) {
  std::string pattern = (std::filesystem::temp_directory_path() / "tenure-disk-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return;
  path_ = pattern;
  const std::string options = "mode=0700,size=" + std::to_string(bytes_);
  mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", MS_NODEV | MS_NOSUID, options.c_str()) == 0;
}

small_disk::~small_disk() {
  if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  if (!path_.empty()) ::rmdir(path_.c_str());
}

void small_disk::fill(std::size_t left) const {
  struct statvfs now {};
  ASSERT_EQ(::statvfs(path_.c_str(), &now), 0);
  const std::size_t free = now.f_bavail * now.f_frsize;
  ASSERT_GT(free, left);
  const int fd = ::open((path_ + "/ballast").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(::posix_fallocate(fd, 0, static_cast<off_t>(free - left)), 0);
  ::close(fd);
}

void small_disk::empty() const {
  EXPECT_EQ(::unlink((path_ + "/ballast").c_str()), 0);
}

}  // namespace tenure::testing
