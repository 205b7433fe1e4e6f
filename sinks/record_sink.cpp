#include "sinks/record_sink.hpp"

#include <algorithm>

namespace tenure::sinks {

namespace {

// So few that they stay in the processor's cache between being taken out and written.
constexpr std::size_t records_at_a_time = 64;

}  // namespace

void record_sink::make_durable_then(settled done) {
  if (const auto durable = make_durable(); !durable) return done(tl::unexpected(durable.error()));
  done(!full());
}

outcome<void> record_sink::append_rows(const record_rows& rows, const record_context& context) {
  hold::row_cursor cursor(rows.base, rows.bytes.data());
  for (std::size_t begin = 0; begin < rows.answers.size(); begin += records_at_a_time) {
    const auto answers =
        rows.answers.subspan(begin, std::min(records_at_a_time, rows.answers.size() - begin));
    if (few_.size() < answers.size()) few_.resize(answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      cursor.next(few_[i].flow);
      few_[i].far = answers[i];
      few_[i].agent = rows.agent;
    }
    if (auto done = append({few_.data(), answers.size()}, context); !done) return done;
  }
  return {};
}

}  // namespace tenure::sinks
