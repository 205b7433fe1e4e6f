#include "actors/lot_parts.hpp"

#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

/// Numbers of all sizes, and those at both ends.
template <class Number>
rc::Gen<Number> any() {
  return rc::gen::oneOf(
      rc::gen::inRange<Number>(0, 200), rc::gen::arbitrary<Number>(),
      rc::gen::element(std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max()));
}

RC_GTEST_PROP(lot_parts, every_value_survives_in_its_order, ()) {
  std::vector<flow_origin_ptr> origins{nullptr};
  for (int i = 0; i < 12; ++i) origins.push_back(std::make_shared<flow_origin>());
  struct expected {
    flow_origin_ptr origin;
    lot_part part;
  };
  std::vector<expected> all;
  const auto count = *rc::gen::inRange(0, 60);
  for (int i = 0; i < count; ++i) {
    lot_part p;
    p.base = {*any<std::uint64_t>(), *any<std::uint64_t>(), *any<nanos>(), *rc::gen::element(0U, 1U)};
    p.ticket = *rc::gen::oneOf(rc::gen::just(p.base.batch), any<std::uint64_t>());
    p.flows = *any<std::uint32_t>();
    p.bytes = *any<std::uint32_t>();
    all.push_back({*rc::gen::elementOf(origins), p});
  }
  lot_parts parts;
  for (auto& e : all) {
    e.part.origin = &e.origin;
    parts.add(e.part);
  }
  RC_ASSERT(parts.size() == all.size());
  std::size_t i = 0;
  for (const auto& p : parts) {
    RC_ASSERT(i < all.size());
    RC_ASSERT(*p.origin == all[i].origin);
    RC_ASSERT(p.base == all[i].part.base);
    RC_ASSERT(p.ticket == all[i].part.ticket);
    RC_ASSERT(p.flows == all[i].part.flows);
    RC_ASSERT(p.bytes == all[i].part.bytes);
    ++i;
  }
  RC_ASSERT(i == all.size());
}

// As a node sees them: batches of some hundred sessions, a few of each at once.
TEST(lot_parts, heads_take_less_than_24_bytes_each) {
  std::vector<flow_origin_ptr> origins;
  for (int i = 0; i < 100; ++i) origins.push_back(std::make_shared<flow_origin>());
  lot_parts parts;
  for (std::uint64_t n = 0; n < 400; ++n) {
    const auto from = n / 4;
    const std::uint64_t batch = 70'000 + 37 * from + n % 4;
    const hold::row_base base{from * 0x9e37'79b9'7f4a'7c15ULL, batch,
                              static_cast<nanos>(from % 7 * 130 + n % 4) * millisecond, from};
    parts.add({&origins[from], base, batch, 25, 1'450});
  }
  EXPECT_LT(parts.bytes(), 24 * parts.size());
}

}  // namespace
}  // namespace tenure::actors
