#include "cli/sim_export.hpp"

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/whole_output.hpp"

namespace tenure::cli {
namespace {

// In the order in which they are written, for those who read them by eye.
using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

class line_file {
 public:
  static outcome<line_file> create(const std::filesystem::path& file) {
    auto output = whole_output::create(file.string());
    if (!output) return tl::unexpected(output.error());
    return line_file(std::move(*output));
  }
  outcome<void> write(const json& line) {
    output_->buffer() += line.dump();
    output_->buffer() += '\n';
    return output_->flush_if_full();
  }
  outcome<void> commit() { return output_->commit(); }

 private:
  explicit line_file(std::unique_ptr<whole_output> output) : output_(std::move(output)) {}
  std::unique_ptr<whole_output> output_;
};

json line_of(const sim::kept_history::statement& s) {
  const auto& e = s.said;
  return {{"endpoint", e.endpoint.to_string()},
          {"tenancy", e.tenancy.to_string()},
          {"workload", s.workload},
          {"from_ns", e.from},
          {"until_ns", e.until},
          {"from_error_ns", e.from_error},
          {"until_error_ns", e.until_error}};
}

json line_of_flow(const sim::kept_history::answered& a) {
  const auto& t = a.times;
  const bool established = t.is_established && a.transport == transport_protocol::tcp;
  json line = {{"flow_id", a.id.to_string()},
               {"transport", a.transport == transport_protocol::udp ? "udp" : "tcp"},
               {"remote_address", a.far.to_string()},
               {"remote_port", a.far_port},
               {"opened_ns", t.opened},
               {"established_ns", nullptr},
               {"last_received_ns", nullptr},
               {"closed_ns", t.closed},
               {"transit_ns", t.transit},
               {"error_ns", t.error}};
  if (established) line["established_ns"] = t.established;
  if (established || t.last_received != time_min) line["last_received_ns"] = t.last_received;
  return line;
}

json line_of_answer(const sim::kept_history::answered& a) {
  const bool attributed = !a.workload.empty();
  return {{"flow_id", a.id.to_string()},
          {"workload", text_or_null(a.workload)},
          {"tenancy", attributed ? json(a.tenancy.to_string()) : json(nullptr)},
          {"basis", attributed ? json(to_string(basis::tenancy)) : json(nullptr)},
          {"reason", attributed ? json(nullptr) : json(to_string(a.reason))}};
}

json line_of(const sim::kept_history::fact& f) {
  return {{"flow_id", f.id.to_string()},
          {"workload", text_or_null(f.workload)},
          {"instance", f.instance < 0 ? json(nullptr) : json(f.instance)}};
}

json line_of(const sim::kept_history::holding& h) {
  return {{"instance", h.instance},
          {"endpoint", h.endpoint.to_string()},
          {"workload", h.workload},
          {"from_ns", h.from},
          {"until_ns", h.until == time_max ? json(nullptr) : json(h.until)}};
}

template <class Items, class Line>
outcome<void> write_all(const std::filesystem::path& file, const Items& items, const Line& line) {
  auto out = line_file::create(file);
  if (!out) return tl::unexpected(out.error());
  for (const auto& item : items)
    if (auto written = out->write(line(item)); !written) return written;
  return out->commit();
}

}  // namespace

outcome<void> export_history(const std::filesystem::path& folder, const sim::kept_history& history) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return fail(trouble::refused, folder.string() + ": " + failed.message());
  const auto by_itself = [](const auto& item) { return line_of(item); };
  const auto flow = [](const auto& each) { return line_of_flow(each.second); };
  const auto answer = [](const auto& each) { return line_of_answer(each.second); };
  if (auto w = write_all(folder / "evidence.ndjson", history.evidence, by_itself); !w) return w;
  if (auto w = write_all(folder / "flows.ndjson", history.flows, flow); !w) return w;
  if (auto w = write_all(folder / "answers.ndjson", history.flows, answer); !w) return w;
  if (auto w = write_all(folder / "truth.ndjson", history.facts, by_itself); !w) return w;
  return write_all(folder / "holdings.ndjson", history.holdings, by_itself);
}

}  // namespace tenure::cli
