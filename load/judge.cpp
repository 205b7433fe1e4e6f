#include "load/judge.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <simdjson.h>

#include <fmt/format.h>

namespace tenure::load {

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

/// An end that is named and whose tenancy cannot be read is an end of a tenancy that nobody has.
std::optional<judged_record::end> end_of(const simdjson::dom::element& record, bool source) {
  const auto workload = text_of(record, source ? "source_workload" : "destination_workload");
  if (!workload) return std::nullopt;
  const auto tenancy = text_of(record, source ? "source_tenancy" : "destination_tenancy");
  return judged_record::end{*workload, tenancy_id::parse(tenancy.value_or("")).value_or(tenancy_id{})};
}

std::optional<judged_record> read(simdjson::dom::parser& parser, std::string_view line) {
  simdjson::dom::element record;
  if (parser.parse(line.data(), line.size()).get(record) != simdjson::SUCCESS) return std::nullopt;
  const auto id = parse_flow_id(text_of(record, "flow_id").value_or(""));
  const auto reporter = text_of(record, "reporter");
  if (!id || !reporter) return std::nullopt;
  const bool source = *reporter == "source";
  return judged_record{*id, end_of(record, source), end_of(record, !source),
                       text_of(record, "reason").value_or("")};
}

std::string text_of(const judged_record& r) {
  const auto end = [](const std::optional<judged_record::end>& e) {
    return e ? fmt::format("{} by {}", e->workload, e->tenancy.to_string()) : std::string{"not named"};
  };
  return fmt::format("{}: near end {}, far end {}", r.id.to_string(), end(r.near), end(r.far));
}

bool names(const plan& p, const std::optional<holding>& truth, const judged_record::end& told) {
  return truth && told.workload == p.workload_name(truth->workload) && told.tenancy == truth->tenancy;
}

}  // namespace

judge::judge(const plan& p, const sealed_book& book, std::uint32_t flows_a_batch)
    : plan_(p), book_(book), flows_a_batch_(flows_a_batch), seen_(p.options().agents) {}

void judge::wrong(std::string what) {
  if (found_.wrong.size() < told_at_most) found_.wrong.push_back(std::move(what));
}

bool judge::check_ends(const planned_flow& truth, const judged_record& told) {
  bool right = true;
  if (told.far) {
    ++found_.attributed;
    right = names(plan_, truth.far, *told.far);
  } else {
    ++found_.unattributed[std::string{told.reason}];
  }
  return right && (!told.near || names(plan_, truth.near, *told.near));
}

const planned_batch& judge::batch_of(std::uint32_t agent, std::uint64_t number, nanos sealed) {
  if (!last_batch_ || last_batch_->number != number || last_batch_->agent != agent)
    last_batch_ = plan_.batch(agent, number, sealed);
  return *last_batch_;
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
  if (const auto record = read(parser, line)) return see(*record, line);
  ++found_.records;
  ++found_.unreadable;
  wrong("no record: " + std::string{line.substr(0, 200)});
}

void judge::see(const judged_record& r, std::string_view shown) {
  const auto told = [&] { return shown.empty() ? text_of(r) : std::string{shown}; };
  ++found_.records;
  const auto agent = plan_.agent_of(r.id.incarnation);
  const nanos sealed = agent ? book_.at(*agent, r.id.batch) : 0;
  if (sealed == 0 || r.id.index >= flows_a_batch_) {
    ++found_.strangers;
    return wrong("never reported: " + told());
  }
  auto& batches = seen_[*agent];
  if (batches.size() <= r.id.batch) batches.resize(r.id.batch + 1);
  auto& flows = batches[r.id.batch];
  flows.resize(flows_a_batch_);
  auto& sight_of_it = flows[r.id.index];
  ++(sight_of_it == none ? found_.flows : found_.repeats);
  if (r.far) sight_of_it = named;
  if (sight_of_it == none) sight_of_it = unnamed_for(r.reason);
  if (!check_ends(plan_.flow(batch_of(*agent, r.id.batch, sealed), r.id.index), r)) {
    ++found_.misattributed;
    wrong("another one held it: " + told());
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
