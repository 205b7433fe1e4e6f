#include "demo/catalogue.hpp"

#include <array>

namespace tenure::demo {
namespace {

enum shop : workload_index { gateway, checkout, catalog, cart, payment, inventory, search, accounts };

constexpr std::array gateway_calls{checkout + 0U, catalog + 0U, search + 0U, accounts + 0U};
constexpr std::array checkout_calls{cart + 0U, payment + 0U, inventory + 0U};
constexpr std::array catalog_calls{inventory + 0U, search + 0U};
constexpr std::array cart_calls{catalog + 0U, accounts + 0U};
constexpr std::array payment_calls{accounts + 0U};
constexpr std::array search_calls{catalog + 0U};
constexpr std::array inventory_calls{catalog + 0U};
constexpr std::array accounts_calls{payment + 0U};

constexpr std::array<workload_kind, 8> fleet{{
    {"gateway", gateway_calls, 3},
    {"checkout", checkout_calls, 3},
    {"catalog", catalog_calls, 3},
    {"cart", cart_calls, 2},
    {"payment", payment_calls, 2},
    {"inventory", inventory_calls, 2},
    {"search", search_calls, 2},
    {"accounts", accounts_calls, 2},
}};

}  // namespace

std::span<const workload_kind> catalogue() {
  return fleet;
}

}  // namespace tenure::demo
