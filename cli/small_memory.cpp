#include "cli/small_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/types.h>
#include <vector>

// jemalloc's; absent where a program is not linked with it.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size, void* value,
                                     std::size_t size);

namespace tenure::cli {
namespace {

struct mapping {
  std::uintptr_t from = 0;
  std::uintptr_t to = 0;
  bool of_a_file = false;
  bool writable = false;
  bool shared = false;
  std::size_t our_own_kib = 0;  // what is not in the file, as the linker's relocations
};

/// "from-to rwxp offset device inode path", as a mapping begins in /proc/PID/smaps.
bool read_head(const std::string& line, mapping& m) {
  std::istringstream in(line);
  std::string mode, offset, device, inode;
  char dash = 0;
  if (!(in >> std::hex >> m.from >> dash >> m.to >> mode >> offset >> device >> inode)) return false;
  if (dash != '-' || mode.size() != 4) return false;
  m.of_a_file = inode != "0";
  m.writable = mode[1] == 'w';
  m.shared = mode[3] == 's';
  return true;
}

std::vector<mapping> mappings() {
  std::vector<mapping> all;
  std::ifstream file("/proc/self/smaps");
  for (std::string line; std::getline(file, line);) {
    if (mapping m; read_head(line, m)) all.push_back(m);
    std::istringstream in(line);
    std::string name;
    std::size_t kib = 0;
    if (in >> name >> kib && (name == "Private_Dirty:" || name == "Anonymous:") && !all.empty())
      all.back().our_own_kib += kib;
  }
  return all;
}

/// What only starting up needed of the program and its libraries. The file has all of it: what is needed yet
/// is mapped again at its first use.
void let_go_of_code() {
  for (const auto& m : mappings())
    if (m.of_a_file && !m.writable && !m.shared && m.our_own_kib == 0)
      ::madvise(reinterpret_cast<void*>(m.from), m.to - m.from, MADV_DONTNEED);
}

}  // namespace

void keep_memory_small() {
  let_go_of_code();
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
