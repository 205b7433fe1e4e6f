#include "cli/small_memory.hpp"

#include <cstddef>
#include <string>
#include <sys/types.h>

// jemalloc's; absent where a program is not linked with it.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* value,
                                     std::size_t size);

namespace tenure::cli {

void keep_memory_small() {
  if (mallctl == nullptr) return;
  unsigned arenas = 0;
  std::size_t size = sizeof arenas;
  if (mallctl("arenas.narenas", &arenas, &size, nullptr, 0) != 0) return;
  for (unsigned i = 0; i < arenas; ++i) {
    const auto arena = "arena." + std::to_string(i);
    ssize_t milliseconds = 1000;
    mallctl((arena + ".dirty_decay_ms").c_str(), nullptr, nullptr, &milliseconds, sizeof milliseconds);
  }
  // A thread of its own, for an agent allocates too little to do it by the way. It has the capabilities that
  // the caller has by now.
  bool yes = true;
  mallctl("background_thread", nullptr, nullptr, &yes, sizeof yes);
}

}  // namespace tenure::cli
