#include "ownership/huge_list.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure {
namespace {

/// Thirty-two to a page.
struct large {
  std::uint32_t value = 0;
  std::array<std::byte, huge_page / 32 - sizeof(std::uint32_t)> rest;

  explicit large(std::uint32_t v) : value(v) {}
};

RC_GTEST_PROP(HugeList, IsAVectorThatNeverMovesAFullPage, ()) {
  huge_list<large> list;
  std::vector<std::uint32_t> expected;
  std::vector<const large*> places;
  const auto steps = *rc::gen::inRange(0, 40);
  for (int i = 0; i < steps; ++i) {
    const auto many = *rc::gen::inRange(0U, 20U);
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        for (std::uint32_t n = 0; n < many && !expected.empty(); ++n) {
          RC_ASSERT(list.back().value == expected.back());
          list.pop_back();
          expected.pop_back();
        }
        break;
      case 1:
        list.shrink();
        RC_ASSERT(list.capacity() <= list.size() + list.size() / 8 || list.capacity() - list.size() < 32);
        if (list.capacity() <= 32) places.clear();
        break;
      case 2: {
        huge_list<large> other = std::move(list);
        list = std::move(other);
        break;
      }
      default:
        for (std::uint32_t n = 0; n < many; ++n) {
          list.push_back(large{n + 100 * static_cast<std::uint32_t>(i)});
          expected.push_back(n + 100 * static_cast<std::uint32_t>(i));
        }
    }
    RC_ASSERT(list.size() == expected.size());
    RC_ASSERT(list.capacity() >= list.size());
    places.resize(std::min(places.size(), expected.size()));
    for (std::size_t at = 0; at < expected.size(); ++at) RC_ASSERT(list[at].value == expected[at]);
    for (std::size_t at = 0; at < places.size(); ++at) RC_ASSERT(places[at] == &list[at]);
    if (list.capacity() < 32) continue;
    for (std::size_t at = places.size(); at < expected.size(); ++at) places.push_back(&list[at]);
  }
}

}  // namespace
}  // namespace tenure
