#include "sinks/storage.hpp"

namespace tenure::sinks {

void storage::sync_then(settled done) {
  if (const auto synced = sync(); !synced) return done(tl::unexpected(synced.error()));
  done(waiting() == 0);
}

std::span<char> storage::room(std::size_t at_least) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  if (room_.size() < at_least) room_.resize(at_least + piece);
  return room_;
}

outcome<void> storage::take(std::size_t bytes) {
  return append({room_.data(), bytes});
}

}  // namespace tenure::sinks
