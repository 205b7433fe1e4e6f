#include <algorithm>
#include <string>
#include <utility>

#include "sinks/json_names.hpp"
#include "sinks/sinks.hpp"
#include "sinks/write_text.hpp"

namespace tenure::sinks {

namespace {

/// What a line takes beyond its names: keys, numbers and stamps at their longest, with room to spare.
constexpr std::size_t most_without_names = 2'048;
/// Lines are handed to the storage in pieces of about this size.
constexpr std::size_t piece = (1U << 20) - (16U << 10);

std::string_view name_of(transport_protocol t) {
  return t == transport_protocol::tcp ? "tcp" : "udp";
}

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

char* write_tenancy(char* at, const tenancy_id& t) {
  if (t.none()) return write(at, "null");
  *at++ = '"';
  at = write_hex(at, t.incarnation);
  *at++ = '-';
  at = write_number(at, t.sequence);
  *at++ = '"';
  return at;
}

char* write_flow_id(char* at, const flow_id& id) {
  at = write_hex(at, id.incarnation);
  *at++ = '-';
  at = write_number(at, id.batch);
  *at++ = '-';
  return write_number(at, id.index);
}

char* write_end(char* at, std::string_view which, const end_of_record& e) {
  at = write(write(write(at, ",\""), which), "_address\":\"");
  at = write_address(at, e.where);
  at = write(write(write(at, "\",\""), which), "_port\":");
  at = write_number(at, e.port);
  at = write(write(write(at, ",\""), which), "_workload\":");
  return write(at, e.workload);
}

char* write_answer(char* at, const verdict& v) {
  at = write(at, ",\"basis\":");
  at = v.attributed() ? write(write(write(at, "\""), to_string(v.basis)), "\"") : write(at, "null");
  at = write(at, ",\"reason\":");
  return v.attributed() ? write(at, "null") : write(write(write(at, "\""), to_string(v.reason)), "\"");
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
      region_ = names_.text(region_name_);
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

    at = write_flow_id(write(at, "{\"flow_id\":\""), f.id);
    at = write(write(at, "\",\"reporter\":\""), near_opened ? "source" : "destination");
    at = write(write(write(at, "\",\"transport\":\""), name_of(f.transport)), "\"");
    at = write_end(at, "source", source);
    at = write_end(at, "destination", destination);
    at = write_tenancy(write(at, ",\"source_tenancy\":"), source.tenancy);
    at = write_tenancy(write(at, ",\"destination_tenancy\":"), destination.tenancy);
    at = write_answer(at, r.far);
    at = write_hex(write(at, ",\"connection_id\":\""), f.id.incarnation);
    *at++ = '-';
    at = write_number(at, f.connection);
    at = write_number(write(at, "\",\"part\":"), f.part);
    at = write_times(at, f.times, context.to_utc);
    at = write_counters(at, f.counters);
    at = write(write(write(at, ",\"end_reason\":\""), name_of(f.end)), "\"");
    at = write(write(at, ",\"agent\":"), agent);
    at = write(write(at, ",\"region\":"), region_);
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
  std::string region_;    // as JSON
  std::string lines_;     // its size is the room there is
  std::size_t used_ = 0;  // of it
};

}  // namespace

std::unique_ptr<record_sink> make_ndjson_sink(std::unique_ptr<storage> where) {
  return std::make_unique<ndjson_sink>(std::move(where));
}

}  // namespace tenure::sinks
