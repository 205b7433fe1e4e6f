#include "load/judge.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <simdjson.h>

#include <fmt/format.h>

namespace tenure::load {

/// Of a record, what the truth knows too.
struct named_ends {
  std::string_view id;
  std::optional<std::string_view> near_workload;
  std::optional<std::string_view> near_tenancy;
  std::optional<std::string_view> far_workload;
  std::optional<std::string_view> far_tenancy;
  std::string_view reason;
};

namespace {

constexpr std::size_t told_at_most = 20;

// "00c0ffee00c0ffee-17-3"
std::optional<flow_id> parse_flow_id(std::string_view text) {
  flow_id id;
  const char* const end = text.data() + text.size();
  const auto one = std::from_chars(text.data(), end, id.incarnation, 16);
  if (one.ec != std::errc{} || one.ptr == end || *one.ptr != '-') return std::nullopt;
  const auto two = std::from_chars(one.ptr + 1, end, id.batch);
  if (two.ec != std::errc{} || two.ptr == end || *two.ptr != '-') return std::nullopt;
  const auto three = std::from_chars(two.ptr + 1, end, id.index);
  if (three.ec != std::errc{} || three.ptr != end) return std::nullopt;
  return id;
}

std::optional<std::string_view> text_of(const simdjson::dom::element& record, std::string_view key) {
  std::string_view text;
  if (record[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<named_ends> read(simdjson::dom::parser& parser, std::string_view line) {
  simdjson::dom::element record;
  if (parser.parse(line.data(), line.size()).get(record) != simdjson::SUCCESS) return std::nullopt;
  const auto id = text_of(record, "flow_id");
  const auto reporter = text_of(record, "reporter");
  if (!id || !reporter) return std::nullopt;
  named_ends out;
  out.id = *id;
  const bool source = *reporter == "source";
  out.near_workload = text_of(record, source ? "source_workload" : "destination_workload");
  out.near_tenancy = text_of(record, source ? "source_tenancy" : "destination_tenancy");
  out.far_workload = text_of(record, source ? "destination_workload" : "source_workload");
  out.far_tenancy = text_of(record, source ? "destination_tenancy" : "source_tenancy");
  out.reason = text_of(record, "reason").value_or("");
  return out;
}

bool names(const plan& p, const std::optional<holding>& truth,
           const std::optional<std::string_view>& workload, const std::optional<std::string_view>& tenancy) {
  return truth && workload == p.workload_name(truth->workload) && tenancy == truth->tenancy.to_string();
}

}  // namespace

judge::judge(const plan& p, const sealed_book& book, std::uint32_t flows_a_batch)
    : plan_(p), book_(book), flows_a_batch_(flows_a_batch), seen_(p.options().agents) {}

void judge::wrong(std::string what) {
  if (found_.wrong.size() < told_at_most) found_.wrong.push_back(std::move(what));
}

bool judge::check_ends(const planned_flow& truth, const named_ends& told) {
  bool right = true;
  if (told.far_workload) {
    ++found_.attributed;
    right = names(plan_, truth.far, told.far_workload, told.far_tenancy);
  } else {
    ++found_.unattributed[std::string{told.reason}];
  }
  return right && (!told.near_workload || names(plan_, truth.near, told.near_workload, told.near_tenancy));
}

judge::sight judge::unnamed_for(std::string_view reason) {
  auto found = std::find(reasons_.begin(), reasons_.end(), reason);
  // There are fewer than twenty; more would be another program's output.
  if (found == reasons_.end() && reasons_.size() < 200) found = reasons_.insert(found, std::string{reason});
  if (found == reasons_.end()) --found;
  return static_cast<sight>(named + 1 + (found - reasons_.begin()));
}

void judge::see(std::string_view line) {
  static thread_local simdjson::dom::parser parser;
  ++found_.records;
  const auto ends = read(parser, line);
  const auto id = ends ? parse_flow_id(ends->id) : std::nullopt;
  if (!id) {
    ++found_.unreadable;
    return wrong("no record: " + std::string{line.substr(0, 200)});
  }
  const auto agent = plan_.agent_of(id->incarnation);
  const nanos sealed = agent ? book_.at(*agent, id->batch) : 0;
  if (sealed == 0 || id->index >= flows_a_batch_) {
    ++found_.strangers;
    return wrong("never reported: " + std::string{line});
  }
  auto& batches = seen_[*agent];
  if (batches.size() <= id->batch) batches.resize(id->batch + 1);
  auto& flows = batches[id->batch];
  flows.resize(flows_a_batch_);
  auto& sight_of_it = flows[id->index];
  ++(sight_of_it == none ? found_.flows : found_.repeats);
  if (ends->far_workload) sight_of_it = named;
  if (sight_of_it == none) sight_of_it = unnamed_for(ends->reason);
  const auto batch = plan_.batch(*agent, id->batch, sealed);
  if (!check_ends(plan_.flow(batch, id->index), *ends)) {
    ++found_.misattributed;
    wrong("another one held it: " + std::string{line});
  }
}

bool judge::see_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) see(line);
  return !file.bad();
}

findings judge::conclude() {
  const auto& sealed = book_.all();
  for (std::size_t a = 0; a < sealed.size(); ++a)
    for (std::size_t b = 0; b < sealed[a].size(); ++b) {
      if (sealed[a][b] == 0) continue;
      auto& of_then = found_.sealed_at[sealed[a][b]];
      for (std::uint32_t i = 0; i < flows_a_batch_; ++i) {
        const bool known = b < seen_[a].size() && i < seen_[a][b].size();
        const auto it = known ? seen_[a][b][i] : none;
        ++of_then.flows;
        of_then.named += it == named ? 1U : 0U;
        if (it > named) ++of_then.unnamed[reasons_[it - named - 1U]];
        if (it != none) continue;
        ++found_.lost;
        wrong("lost: " + flow_id{plan_.incarnation(static_cast<std::uint32_t>(a)), b, i}.to_string());
      }
    }
  return std::move(found_);
}

std::string share::to_string() const {
  std::string text = fmt::format("{:.2f} % of {} attributed", percent(), flows);
  for (const auto& [reason, of_it] : unnamed) text += fmt::format(", {} {}", of_it, reason);
  return text;
}

share findings::covered(nanos from, nanos until) const {
  share sum;
  for (auto it = sealed_at.lower_bound(from); it != sealed_at.end() && it->first < until; ++it) {
    sum.flows += it->second.flows;
    sum.named += it->second.named;
    for (const auto& [reason, of_it] : it->second.unnamed) sum.unnamed[reason] += of_it;
  }
  return sum;
}

}  // namespace tenure::load
