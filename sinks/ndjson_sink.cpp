#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "sinks/json_names.hpp"
#include "sinks/sinks.hpp"
#include "sinks/write_text.hpp"

namespace tenure::sinks {

namespace {

/// What a line takes beyond its names: keys, numbers and stamps at their longest, with room to spare.
constexpr std::size_t most_without_names = 2'048;
/// Lines are handed to the storage in pieces of about this size.
constexpr std::size_t piece = (1U << 20) - (16U << 10);

std::string_view name_of(end_reason r) {
  switch (r) {
    case end_reason::idle_timeout:
      return "idle_timeout";
    case end_reason::active_timeout:
      return "active_timeout";
    case end_reason::end_of_flow:
      return "end_of_flow";
    case end_reason::forced_end:
      return "forced_end";
    case end_reason::lack_of_resources:
      return "lack_of_resources";
  }
  return "end_of_flow";
}

/// One end of a flow, as the record's source or destination.
struct end_of_record {
  const address& where;
  std::uint16_t port;
  std::string_view workload;  // JSON
  tenancy_id tenancy;
};

/// What the flows of one batch have in common, as text: most rows come in runs of one batch.
class batch_text {
 public:
  void of(const flow_id& id) {
    if (id.incarnation == incarnation_ && id.batch == batch_ && length_ > 0) return;
    incarnation_ = id.incarnation;
    batch_ = id.batch;
    char* at = write_hex(text_.data(), incarnation_);
    *at++ = '-';
    at = write_number(at, batch_);
    *at++ = '-';
    length_ = static_cast<std::size_t>(at - text_.data());
  }
  /// "00c0ffee00c0ffee-17-"
  char* write_batch(char* at) const {
    std::memcpy(at, text_.data(), text_.size());
    return at + length_;
  }
  /// "00c0ffee00c0ffee-". May write a little beyond it.
  char* write_incarnation(char* at, std::uint64_t n) const {
    constexpr std::size_t length = 17;
    if (n != incarnation_) {
      at = write_hex(at, n);
      *at = '-';
      return at + 1;
    }
    std::memcpy(at, text_.data(), length);
    return at + length;
  }

 private:
  std::uint64_t incarnation_ = 0;
  std::uint64_t batch_ = 0;
  std::size_t length_ = 0;
  std::array<char, 40> text_{};
};

char* write_tenancy(char* at, const tenancy_id& t, const batch_text& batch) {
  if (t.none()) return write(at, "null");
  *at++ = '"';
  at = batch.write_incarnation(at, t.incarnation);
  at = write_number(at, t.sequence);
  *at++ = '"';
  return at;
}

char* write_source(char* at, const end_of_record& e) {
  at = write_address(write(at, ",\"source_address\":\""), e.where);
  at = write_number(write(at, "\",\"source_port\":"), e.port);
  return write(write(at, ",\"source_workload\":"), e.workload);
}

char* write_destination(char* at, const end_of_record& e) {
  at = write_address(write(at, ",\"destination_address\":\""), e.where);
  at = write_number(write(at, "\",\"destination_port\":"), e.port);
  return write(write(at, ",\"destination_workload\":"), e.workload);
}

char* write_dialled(char* at, const endpoint& e) {
  if (e.port == 0) return write(at, ",\"dialled_address\":null,\"dialled_port\":null");
  at = write_address(write(at, ",\"dialled_address\":\""), e.address);
  return write_number(write(at, "\",\"dialled_port\":"), e.port);
}

char* write_answer(char* at, const verdict& v) {
  if (v.attributed()) {
    at = write(write(at, ",\"basis\":\""), to_string(v.basis));
    return write(at, "\",\"reason\":null");
  }
  at = write(write(at, ",\"basis\":null,\"reason\":\""), to_string(v.reason));
  return write(at, "\"");
}

char* write_counters(char* at, const flow_counters& c) {
  at = write_number(write(at, ",\"bytes_sent\":"), c.bytes_sent);
  at = write_number(write(at, ",\"bytes_received\":"), c.bytes_received);
  at = write_number(write(at, ",\"segments_sent\":"), c.segments_sent);
  at = write_number(write(at, ",\"segments_received\":"), c.segments_received);
  at = write_number(write(at, ",\"retransmits\":"), c.retransmits);
  at = write_number(write(at, ",\"srtt_us\":"), c.srtt_us);
  at = write_number(write(at, ",\"min_rtt_us\":"), c.min_rtt_us);
  return write_number(write(at, ",\"connect_us\":"), c.connect_us);
}

class ndjson_sink final : public record_sink {
 public:
  explicit ndjson_sink(std::unique_ptr<storage> where) : where_(std::move(where)) {}

  outcome<void> append(std::span<const flow_record> records, const record_context& context) override {
    if (region_.empty() || region_name_ != context.region) {
      region_name_ = context.region;
      region_ = fmt::format(",\"region\":{}", names_.text(region_name_));
    }
    for (const auto& r : records) {
      add(r, context);
      if (used_ < piece) continue;
      if (auto done = hand_over(); !done) return done;
    }
    return {};
  }

  outcome<void> make_durable() override {
    if (auto done = hand_over(); !done) return done;
    return where_->sync();
  }

  bool full() const override { return where_->waiting() > 0; }

 private:
  outcome<void> hand_over() {
    if (used_ == 0) return {};
    auto done = where_->append(std::string_view(lines_.data(), used_));
    used_ = 0;
    return done;
  }

  void add(const flow_record& r, const record_context& context) {
    const auto& f = r.flow;
    std::string_view near_name = names_.workload(f.near_workload, context.workloads);
    std::string_view far_name = names_.workload(r.far.workload, context.workloads);
    std::string_view agent = names_.text(r.agent);
    auto most = most_without_names + near_name.size() + far_name.size() + agent.size() + region_.size();
    if (lines_.size() - used_ < most) lines_.resize(std::max(lines_.size() * 2, used_ + most));
    char* at = lines_.data() + used_;

    end_of_record near{f.near_address, f.near_port, near_name, f.near_tenancy};
    end_of_record far{f.far_address, f.far_port, far_name, r.far.attributed() ? r.far.tenancy : tenancy_id{}};
    bool near_opened = f.reporter == reporter::source;
    const auto& source = near_opened ? near : far;
    const auto& destination = near_opened ? far : near;

    batch_.of(f.id);
    at = batch_.write_batch(write(at, "{\"flow_id\":\""));
    at = write_number(at, f.id.index);
    at = near_opened ? write(at, "\",\"reporter\":\"source\"") : write(at, "\",\"reporter\":\"destination\"");
    at = f.transport == transport_protocol::tcp ? write(at, ",\"transport\":\"tcp\"")
                                                : write(at, ",\"transport\":\"udp\"");
    at = write_destination(write_source(at, source), destination);
    at = write_tenancy(write(at, ",\"source_tenancy\":"), source.tenancy, batch_);
    at = write_tenancy(write(at, ",\"destination_tenancy\":"), destination.tenancy, batch_);
    at = write_answer(at, r.far);
    at = batch_.write_incarnation(write(at, ",\"connection_id\":\""), f.id.incarnation);
    at = write_number(at, f.connection);
    at = write_number(write(at, "\",\"part\":"), f.part);
    at = write_times(at, f.times, context.to_utc);
    at = write_counters(at, f.counters);
    at = write(write(write(at, ",\"end_reason\":\""), name_of(f.end)), "\"");
    at = write(write(at, ",\"agent\":"), agent);
    at = write(at, region_);
    at = write_dialled(at, f.dialled);
    at = write_number(write(at, ",\"connections\":"), f.connections);
    at = write_number(write(at, ",\"connect_errno\":"), f.connect_errno);
    at = write(at, "}\n");
    used_ = static_cast<std::size_t>(at - lines_.data());
  }

  char* write_times(char* at, const flow_times& t, nanos to_utc) {
    at = write_stamp(write(at, ",\"opened\":"), t.opened, to_utc);
    at = write_stamp(write(at, ",\"established\":"), t.is_established ? t.established : time_min, to_utc);
    at = write_stamp(write(at, ",\"last_received\":"), t.last_received, to_utc);
    return write_stamp(write(at, ",\"closed\":"), t.closed, to_utc);
  }

  char* write_stamp(char* at, nanos stamp, nanos to_utc) {
    if (stamp == time_min) return write(at, "null");
    *at++ = '"';
    at = time_.write(at, saturating_add(stamp, to_utc));
    *at++ = '"';
    return at;
  }

  std::unique_ptr<storage> where_;
  json_names names_;
  time_writer time_;
  std::string region_name_;
  std::string region_;  // as JSON, with its key
  batch_text batch_;
  std::string lines_;     // its size is the room there is
  std::size_t used_ = 0;  // of it
};

}  // namespace

std::unique_ptr<record_sink> make_ndjson_sink(std::unique_ptr<storage> where) {
  return std::make_unique<ndjson_sink>(std::move(where));
}

}  // namespace tenure::sinks
