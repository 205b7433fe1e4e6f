#pragma once

#include <array>
#include <optional>
#include <vector>

#include "properties/history.hpp"

namespace tenure::history {

inline constexpr std::array<std::uint16_t, 2> ports{443, 80};

/// One connection, connect that failed, or exchange of datagrams with the address, segment by segment: what
/// was sent by whom, how long it was under way, what was accepted; and only from that the stamps. Nothing
/// when the attempt leaves no record at this end.
std::optional<seen_flow> converse(dice& d, broken assumption, const std::vector<held>& truth);

}  // namespace tenure::history
