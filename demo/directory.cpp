#include "demo/directory.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace tenure::demo {

void directory::unmap::operator()(table* t) const {
  ::munmap(t, sizeof(table));
}

outcome<directory> directory::map(unique_fd memory) {
  void* at = ::mmap(nullptr, sizeof(table), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  if (at == MAP_FAILED) {
    return fail(trouble::refused, std::string("cannot map the fleet's directory: ") + std::strerror(errno));
  }
  directory d;
  d.memory_ = std::move(memory);
  d.table_.reset(static_cast<table*>(at));
  return d;
}

outcome<directory> directory::create() {
  unique_fd memory{::memfd_create("tenure-demo-directory", MFD_CLOEXEC)};
  if (!memory || ::ftruncate(memory.get(), sizeof(table)) != 0) {
    return fail(trouble::refused, std::string("cannot make the fleet's directory: ") + std::strerror(errno));
  }
  return map(std::move(memory));
}

outcome<directory> directory::attach(unique_fd memory) {
  return map(std::move(memory));
}

std::optional<workload_index> directory::at(slot_index s) const {
  const std::uint32_t said = table_->said[s].load(std::memory_order_relaxed);
  return said == 0 ? std::nullopt : std::optional(said - 1);
}

}  // namespace tenure::demo
