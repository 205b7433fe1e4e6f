#include "actors/hash_of_name.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace tenure::actors {

std::size_t hash_of_name(std::string_view name, std::uint64_t key) {
  return XXH3_64bits_withSeed(name.data(), name.size(), key);
}

}  // namespace tenure::actors
