#include "demo/line_tail.hpp"

#include <array>
#include <fcntl.h>

namespace tenure::demo {

void line_tail::read(const std::function<void(std::string_view)>& line) {
  if (!file_) file_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file_) return;
  std::array<char, 65536> chunk;
  for (;;) {
    const ssize_t size = ::read(file_.get(), chunk.data(), chunk.size());
    if (size <= 0) return;
    torn_.append(chunk.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end; (end = torn_.find('\n', begin)) != std::string::npos; begin = end + 1) {
      line(std::string_view(torn_).substr(begin, end - begin));
    }
    torn_.erase(0, begin);
  }
}

}  // namespace tenure::demo
