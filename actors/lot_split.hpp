#pragma once

#include <memory>
#include <vector>

#include "actors/lot.hpp"

namespace tenure::actors {

/// What becomes of a lot that was asked about before its flows' time was over.
struct split_lot {
  std::shared_ptr<resolved_lot> goes;  ///< null: nothing
  std::shared_ptr<due_lot> stays;      ///< null: nothing
};

/// Splits a lot; each row is copied once, in its order.
/// @param verdicts of its flows
/// @param stays for each flow, whether it goes back to wait
split_lot split(const due_lot_ptr& lot, std::vector<verdict> verdicts, const std::vector<bool>& stays);

}  // namespace tenure::actors
