#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sinks/flow_record.hpp"
#include "sinks/text_piece.hpp"
#include "sinks/write_text.hpp"

namespace tenure::sinks {

/// Writes records as lines, keys as in docs/record.md. What the lines of a batch have in common is made once.
/// One thread at a time.
class json_line {
 public:
  /// From now on lines are of this agent's records and say this region: JSON, both.
  void restart(std::string_view agent, std::string_view region);

  /// No line whose names are so long together takes more room; some of it is what may be written beyond it.
  std::size_t most_bytes(std::size_t names) const { return most_without_names + names + end_.size(); }

  /// @param near_name, far_name JSON, with text_slack readable bytes behind them
  /// @param to_utc as in record_context
  /// @returns behind the line
  char* write(char* at, const flow& f, const verdict& far, std::string_view near_name,
              std::string_view far_name, nanos to_utc);

 private:
  /// What a line takes beyond its names: keys, numbers and stamps at their longest, with room to spare.
  static constexpr std::size_t most_without_names = 2'048;

  void of_batch(const flow_id& id);
  char* write_tenancy(char* at, const tenancy_id& t) const;
  char* write_times(char* at, const flow_times& t, nanos to_utc);
  char* write_end(char* at, const flow& f) const;

  time_writer time_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t batch_ = 0;
  text_piece<64> flow_id_;         ///< {"flow_id":"00c0ffee00c0ffee-17-
  text_piece<32> in_incarnation_;  ///< 00c0ffee00c0ffee-
  /// From the agent on, for most records to the line's end; with text_slack bytes behind it.
  std::string end_;
  std::size_t usual_end_ = 0;  ///< of it without the slack
  std::size_t region_end_ = 0;
};

}  // namespace tenure::sinks
