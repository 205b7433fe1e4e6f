#include "agent/take_over.hpp"

#include <cstring>

namespace tenure::agent {
namespace {

template <class Key>
void append(Key& key, std::size_t& at, const void* bytes, std::size_t size) {
  std::memcpy(key.data() + at, bytes, size);
  at += size;
}

// Who has not seen the connection begin may be off by the opening side's SYN.
bool near(std::uint32_t a, std::uint32_t b) {
  return a - b + 1U <= 2U;
}

}  // namespace

bool take_over::told_already(const tenure_socket_event& e, side by) {
  both_ends key;
  std::size_t at = 0;
  append(key, at, &e.cookie, sizeof e.cookie);
  append(key, at, e.near_address, sizeof e.near_address);
  append(key, at, e.far_address, sizeof e.far_address);
  append(key, at, &e.near_port, sizeof e.near_port);
  append(key, at, &e.far_port, sizeof e.far_port);
  static_assert(sizeof e.cookie + sizeof e.near_address + sizeof e.far_address + sizeof e.near_port +
                    sizeof e.far_port ==
                std::tuple_size_v<both_ends>);
  if (const auto it = seen_.find(key); it != seen_.end())
    for (const auto& s : it->second)
      if (s.by != by && s.far_sequence == e.far_initial_sequence &&
          near(s.near_sequence, e.near_initial_sequence))
        return true;
  if (remembered_ < most) {
    seen_[key].push_back({e.near_initial_sequence, e.far_initial_sequence, by});
    ++remembered_;
  }
  return false;
}

}  // namespace tenure::agent
