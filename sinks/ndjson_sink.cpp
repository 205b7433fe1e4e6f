#include <span>
#include <string>
#include <utility>

#include "sinks/json_line.hpp"
#include "sinks/json_names.hpp"
#include "sinks/sinks.hpp"
#include "sinks/storage_sink.hpp"

namespace tenure::sinks {

namespace {

/// Lines are handed to the storage in pieces of about this size.
constexpr std::size_t piece = (1U << 20) - (16U << 10);

class ndjson_sink final : public storage_sink {
 public:
  explicit ndjson_sink(std::unique_ptr<storage> where) : storage_sink(std::move(where)) {}

  outcome<void> append(std::span<const flow_record> records, const record_context& context) override {
    for (const auto& r : records) {
      of_agent(r.agent, context);
      if (auto done = add(r.flow, r.far, context); !done) return done;
    }
    return added();
  }

  outcome<void> append_rows(const record_rows& rows, const record_context& context) override {
    of_agent(rows.agent, context);
    hold::row_cursor cursor(rows.base, rows.bytes.data());
    for (const auto& answer : rows.answers) {
      cursor.next(row_);
      if (auto done = add(row_, answer, context); !done) return done;
    }
    return added();
  }

 private:
  outcome<void> added() { return used_ < piece ? outcome<void>{} : hand_over(); }

  outcome<void> hand_over() override {
    lines_ = {};
    if (used_ == 0) return {};
    return where().take(std::exchange(used_, 0));
  }

  void of_agent(std::string_view agent, const record_context& context) {
    if (begun_ && agent == agent_ && context.region == region_) return;
    if (!begun_ || context.region != region_) {
      region_ = context.region;
      region_text_ = names_.text(region_);
    }
    agent_ = agent;
    line_.restart(names_.text(agent_), region_text_);
    begun_ = true;
  }

  outcome<void> add(const flow& f, const verdict& far, const record_context& context) {
    const auto near_name = names_.workload(f.near_workload, context.workloads);
    const auto far_name = names_.workload(far.workload, context.workloads);
    const std::size_t most = line_.most_bytes(near_name.size() + far_name.size());
    if (lines_.size() - used_ < most) {
      if (auto done = hand_over(); !done) return done;
      lines_ = where().room(most);
    }
    char* const at = lines_.data() + used_;
    char* const end = line_.write(at, f, far, near_name, far_name, context.to_utc);
    used_ += static_cast<std::size_t>(end - at);
    return {};
  }

  json_names names_;
  json_line line_;
  bool begun_ = false;  // of some agent and region
  std::string agent_;
  std::string region_;
  std::string region_text_;  // as JSON
  flow row_;                 // that was taken out last
  std::span<char> lines_;    // the storage's room
  std::size_t used_ = 0;     // of it
};

}  // namespace

std::unique_ptr<record_sink> make_ndjson_sink(std::unique_ptr<storage> where) {
  return std::make_unique<ndjson_sink>(std::move(where));
}

}  // namespace tenure::sinks
