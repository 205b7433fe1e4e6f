#include "sinks/json_line.hpp"

#include "sinks/write_number.hpp"

namespace tenure::sinks {

namespace {

constexpr std::string_view usual_end =
    ",\"dialled_address\":null,\"dialled_port\":null,\"connections\":1,\"connect_errno\":0}\n";

/// Behind the index, up to the source's address; by reporter, and then by whether it is UDP.
constexpr auto reported = [] {
  std::array<text_piece<64>, 4> out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] += "\",\"reporter\":";
    out[i] += i / 2 == 0 ? "\"source\"" : "\"destination\"";
    out[i] += i % 2 == 0 ? ",\"transport\":\"tcp\"" : ",\"transport\":\"udp\"";
    out[i] += ",\"source_address\":\"";
  }
  return out;
}();

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

/// By what the answer rests on and by why there is none, up to the connection's id.
struct answer_texts {
  std::array<text_piece<64>, static_cast<std::size_t>(basis::paired) + 1> bases{};
  std::array<text_piece<64>, static_cast<std::size_t>(reason::between) + 1> reasons{};
  std::array<text_piece<64>, 8> ends{};  ///< by end_reason

  answer_texts() {
    constexpr std::string_view connection = ",\"connection_id\":\"";
    for (std::size_t i = 0; i < bases.size(); ++i) {
      bases[i] += ",\"basis\":\"";
      bases[i] += to_string(static_cast<basis>(i));
      bases[i] += "\",\"reason\":null";
      bases[i] += connection;
    }
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      reasons[i] += ",\"basis\":null,\"reason\":\"";
      reasons[i] += to_string(static_cast<reason>(i));
      reasons[i] += "\"";
      reasons[i] += connection;
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      ends[i] += ",\"end_reason\":\"";
      ends[i] += name_of(static_cast<end_reason>(i));
      ends[i] += "\"";
    }
  }
};
const answer_texts texts;

/// One end of a flow, as the record's source or destination.
struct end_of_record {
  const address& where;
  std::uint16_t port;
  std::string_view workload;  // JSON
  tenancy_id tenancy;
};

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

}  // namespace

void json_line::restart(std::string_view agent, std::string_view region) {
  end_ = ",\"agent\":";
  end_ += agent;
  end_ += ",\"region\":";
  end_ += region;
  region_end_ = end_.size();
  end_ += usual_end;
  usual_end_ = end_.size();
  end_.append(text_slack, ' ');
}

void json_line::of_batch(const flow_id& id) {
  if (id.incarnation == incarnation_ && id.batch == batch_ && flow_id_.length > 0) return;
  incarnation_ = id.incarnation;
  batch_ = id.batch;
  char* const incarnation = in_incarnation_.text.data();
  char* at = write_hex(incarnation, incarnation_);
  *at++ = '-';
  in_incarnation_.length = static_cast<std::size_t>(at - incarnation);
  at = write_number(in_incarnation_.write(sinks::write(flow_id_.text.data(), "{\"flow_id\":\"")), batch_);
  *at++ = '-';
  flow_id_.length = static_cast<std::size_t>(at - flow_id_.text.data());
}

char* json_line::write_tenancy(char* at, const tenancy_id& t) const {
  if (t.none()) return sinks::write(at, "null");
  *at++ = '"';
  if (t.incarnation == incarnation_) {
    at = in_incarnation_.write(at);
  } else {
    at = write_hex(at, t.incarnation);
    *at++ = '-';
  }
  at = write_number(at, t.sequence);
  *at++ = '"';
  return at;
}

char* json_line::write_times(char* at, const flow_times& t, nanos to_utc) {
  const auto stamp = [&](nanos of) {
    if (of == time_min) {
      at = sinks::write(at, "null");
      return;
    }
    *at++ = '"';
    at = time_.write(at, saturating_add(of, to_utc));
    *at++ = '"';
  };
  at = sinks::write(at, ",\"opened\":");
  stamp(t.opened);
  at = sinks::write(at, ",\"established\":");
  stamp(t.is_established ? t.established : time_min);
  at = sinks::write(at, ",\"last_received\":");
  stamp(t.last_received);
  at = sinks::write(at, ",\"closed\":");
  stamp(t.closed);
  return at;
}

char* json_line::write_end(char* at, const flow& f) const {
  at = texts.ends[static_cast<std::size_t>(f.end) % texts.ends.size()].write(at);
  if (f.dialled.port == 0 && f.connections == 1 && f.connect_errno == 0)
    return write_padded(at, {end_.data(), usual_end_});
  at = write_padded(at, {end_.data(), region_end_});
  if (f.dialled.port == 0) {
    at = sinks::write(at, ",\"dialled_address\":null,\"dialled_port\":null");
  } else {
    at = write_address(sinks::write(at, ",\"dialled_address\":\""), f.dialled.address);
    at = write_number(sinks::write(at, "\",\"dialled_port\":"), f.dialled.port);
  }
  at = write_number(sinks::write(at, ",\"connections\":"), f.connections);
  at = write_number(sinks::write(at, ",\"connect_errno\":"), f.connect_errno);
  return sinks::write(at, "}\n");
}

char* json_line::write(char* at, const flow& f, const verdict& far_end, std::string_view near_name,
                       std::string_view far_name, nanos to_utc) {
  const bool attributed = far_end.attributed();
  const end_of_record near{f.near_address, f.near_port, near_name, f.near_tenancy};
  const end_of_record far{f.far_address, f.far_port, far_name, attributed ? far_end.tenancy : tenancy_id{}};
  const bool near_opened = f.reporter == reporter::source;
  const auto& source = near_opened ? near : far;
  const auto& destination = near_opened ? far : near;

  of_batch(f.id);
  at = write_number(flow_id_.write(at), f.id.index);
  at = reported[(near_opened ? 0U : 2U) | (f.transport == transport_protocol::tcp ? 0U : 1U)].write(at);
  at = write_address(at, source.where);
  at = write_number(sinks::write(at, "\",\"source_port\":"), source.port);
  at = write_padded(sinks::write(at, ",\"source_workload\":"), source.workload);
  at = write_address(sinks::write(at, ",\"destination_address\":\""), destination.where);
  at = write_number(sinks::write(at, "\",\"destination_port\":"), destination.port);
  at = write_padded(sinks::write(at, ",\"destination_workload\":"), destination.workload);
  at = write_tenancy(sinks::write(at, ",\"source_tenancy\":"), source.tenancy);
  at = write_tenancy(sinks::write(at, ",\"destination_tenancy\":"), destination.tenancy);
  at = (attributed ? texts.bases[static_cast<std::size_t>(far_end.basis)]
                   : texts.reasons[static_cast<std::size_t>(far_end.reason)])
           .write(at);
  at = write_number(in_incarnation_.write(at), f.connection);
  at = write_number(sinks::write(at, "\",\"part\":"), f.part);
  at = write_times(at, f.times, to_utc);
  return write_end(write_counters(at, f.counters), f);
}

}  // namespace tenure::sinks
