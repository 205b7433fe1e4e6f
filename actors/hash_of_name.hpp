#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenure::actors {

/// For tables of names that agents bring: where a name lies follows from the key. Any thread.
std::size_t hash_of_name(std::string_view name, std::uint64_t key);

}  // namespace tenure::actors
