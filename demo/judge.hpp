#pragma once

#include <string>
#include <vector>

#include "demo/flow_line.hpp"
#include "demo/truth_book.hpp"

namespace tenure::demo {

/// What the truth says of one record.
struct judgement {
  bool explained = true;  ///< some instance's connection, or its addresses, account for the record
  bool near_named = false;
  bool far_named = false;
  bool misattributed = false;  ///< either end, by workload or by tenancy
  std::string why;             ///< with misattributed and without explained: in words
  instance_id far = 0;         ///< who the far end was, where that is one instance
  /// What most tools would have said: the far address's holder at the time when the record was written.
  bool current_owner_wrong = false;
  // The nasty ones, seen in this record:
  bool reset_by_next_owner = false;  ///< the peer vanished, and a RST of its address's next owner ended it
  bool opened_before_owner =
      false;  ///< the answering server got its address only after the first SYN was sent
  bool outlived_owner =
      false;  ///< the far end's address had another holder before this connection was closed
};

/// Holds one record against the truth, and notes in the book that its end of the connection was reported.
/// @param to_boot to add to the record's UTC stamps to have boot-time ones
judgement judge(const flow_line& record, nanos to_boot, truth_book& truth);

}  // namespace tenure::demo
