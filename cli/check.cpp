#include "cli/check.hpp"

#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/json_object_reader.hpp"
#include "cli/line_reader.hpp"

namespace tenure::cli {
namespace {

struct check_options {
  std::string truth;
  std::string answers;
  std::string json;
  std::uint64_t show = 10;
};

/// What a line of either file says: a flow and its workload, empty for none. More keys may be there.
struct named_flow {
  std::string id;
  std::string workload;
};

class named_flow_reader {
 public:
  outcome<named_flow> read(std::string_view line) {
    static constexpr std::array<std::string_view, 2> keys{"flow_id", "workload"};
    named_flow f;
    const auto seen = object_.read(line, keys, [&f](std::size_t index, json_value value) {
      return index == 0 ? read_id(value, f.id) : read_workload(value, f.workload);
    });
    if (!seen) return tl::unexpected(seen.error());
    if (auto complete = require_keys(*seen, 3U, keys); !complete) return tl::unexpected(complete.error());
    return f;
  }

 private:
  /// A number stays as it is written; a text is told from it by a quote.
  static expectation read_id(json_value value, std::string& into) {
    const std::string_view token = value.raw_json_token();
    std::string_view text;
    double number = 0;
    if (token.starts_with('"') && value.get_string().get(text) == simdjson::SUCCESS)
      into = '"' + std::string(text);
    else if (!token.starts_with('"') && value.get_double().get(number) == simdjson::SUCCESS)
      into = token.substr(0, token.find_last_not_of(" \t\r") + 1);
    else
      return "a text or a number";
    return nullptr;
  }
  static expectation read_workload(json_value value, std::string& into) {
    bool null = false;
    if (value.is_null().get(null) == simdjson::SUCCESS && null) return nullptr;
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS || text.empty())
      return "a text that is not empty, or null";
    into = text;
    return nullptr;
  }

  json_object_reader object_;
};

struct fact {
  std::string workload;
  bool answered = false;
  bool attributed = false;
};
using facts = std::unordered_map<std::string, fact>;

struct wrong_line {
  std::uint64_t line = 0;
  std::string id;
  std::string said;
  std::string truth;
};

struct findings {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::uint64_t unattributed = 0;   ///< also those without any answer
  std::uint64_t unanswered = 0;     ///< of them
  std::uint64_t misattributed = 0;  ///< answers, so that of two about one flow both count
  std::uint64_t repeated = 0;
  std::uint64_t unknown = 0;  ///< about no flow of the truth
  std::vector<wrong_line> wrong;

  bool good() const { return misattributed == 0 && unknown == 0; }
  double coverage() const {
    return flows == 0 ? 0 : static_cast<double>(attributed) / static_cast<double>(flows);
  }
};

/// Calls `take(flow, line)` for each line of a file.
template <class Take>
outcome<void> each_line(const std::string& file, Take take) {
  auto lines = line_reader::open(file);
  if (!lines) return tl::unexpected(lines.error());
  named_flow_reader reader;
  for (;;) {
    const auto line = lines->next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) return {};
    auto flow = reader.read(**line);
    if (!flow) return fail(flow.error().trouble, lines->place() + ": " + flow.error().text);
    if (auto taken = take(std::move(*flow), *lines); !taken) return taken;
  }
}

outcome<facts> read_truth(const std::string& file) {
  facts all;
  auto read = each_line(file, [&](named_flow f, const line_reader& lines) -> outcome<void> {
    if (!all.try_emplace(f.id, fact{std::move(f.workload)}).second)
      return fail(trouble::usage, lines.place() + ": expected each flow_id once");
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return all;
}

outcome<findings> judge(const std::string& file, facts& truth, std::uint64_t show) {
  findings found;
  auto read = each_line(file, [&](const named_flow& said, const line_reader& lines) -> outcome<void> {
    const auto known = truth.find(said.id);
    const bool unknown = known == truth.end();
    const bool wrong = !unknown && !said.workload.empty() && said.workload != known->second.workload;
    found.unknown += unknown;
    found.misattributed += wrong;
    if ((wrong || unknown) && found.wrong.size() < show)
      found.wrong.push_back({lines.number(), said.id, said.workload,
                             unknown ? std::string{"no such flow"} : known->second.workload});
    if (unknown) return {};
    found.repeated += known->second.answered;
    known->second.answered = true;
    known->second.attributed |= !said.workload.empty();
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  found.flows = truth.size();
  for (const auto& [id, f] : truth) {
    ++(f.attributed ? found.attributed : found.unattributed);
    found.unanswered += !f.answered;
  }
  return found;
}

std::string shown_id(const std::string& id) {
  return id.starts_with('"') ? id.substr(1) : id;
}

void say(console& io, const check_options& o, const findings& f) {
  for (const auto& w : f.wrong)
    io.err << fmt::format("{}:{}: flow {}: said {}, but it was {}\n", o.answers, w.line, shown_id(w.id),
                          w.said.empty() ? "nobody" : w.said, w.truth.empty() ? "nobody's" : w.truth);
  const auto more = f.misattributed + f.unknown - f.wrong.size();
  if (more > 0) io.err << fmt::format("and {} more\n", more);
  io.out << fmt::format("{} flows, {} attributed ({:.2f} %), {} unattributed, {} of them without an answer\n",
                        f.flows, f.attributed, 100 * f.coverage(), f.unattributed, f.unanswered);
  io.out << fmt::format("misattributed: {}, about no such flow: {}, repeated: {}\n", f.misattributed,
                        f.unknown, f.repeated);
}

outcome<void> write_json(const std::string& path, const findings& f) {
  if (path.empty()) return {};
  nlohmann::json wrong = nlohmann::json::array();
  for (const auto& w : f.wrong)
    wrong.push_back({{"line", w.line}, {"flow_id", shown_id(w.id)}, {"said", w.said}, {"truth", w.truth}});
  const nlohmann::json all = {
      {"flows", f.flows},           {"attributed", f.attributed},       {"unattributed", f.unattributed},
      {"unanswered", f.unanswered}, {"misattributed", f.misattributed}, {"repeated", f.repeated},
      {"unknown", f.unknown},       {"coverage", f.coverage()},         {"wrong", wrong}};
  std::ofstream file(path);
  file << all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  file.close();
  if (!file) return fail(trouble::refused, path + ": cannot be written");
  return {};
}

outcome<void> check(const check_options& o, console& io) {
  auto truth = read_truth(o.truth);
  if (!truth) return tl::unexpected(truth.error());
  const auto found = judge(o.answers, *truth, o.show);
  if (!found) return tl::unexpected(found.error());
  say(io, o, *found);
  if (auto written = write_json(o.json, *found); !written) return written;
  if (found->good()) return {};
  return fail(trouble::check_failed,
              fmt::format("{}: {} answers are wrong", o.answers, found->misattributed + found->unknown));
}

}  // namespace

void add_check(command_line& line) {
  auto o = std::make_shared<check_options>();
  auto& c = line.add("check", "judge answers, anyone's, by the truth that sim run --export wrote");
  c.option("truth", o->truth, "flows with their workloads, one JSON object a line").must_be_given();
  c.positional("answers", o->answers,
               "as `tenure attribute` writes them; flow_id and workload are looked at");
  c.option("show", o->show, "how many wrong answers to show");
  c.option("json", o->json, "where to write the findings as one JSON object").shown_as("FILE");
  c.run([o](console& io) { return check(*o, io); });
}

}  // namespace tenure::cli
