#include "cli/attribute.hpp"

#include <array>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/evidence_file.hpp"
#include "cli/explanation_text.hpp"
#include "cli/flow_line.hpp"
#include "cli/line_reader.hpp"
#include "cli/whole_output.hpp"
#include "ownership/attributor.hpp"

namespace tenure::cli {

namespace {

struct attribute_options {
  std::filesystem::path evidence;
  std::filesystem::path flows;
  std::string output = "-";
  std::vector<prefix> routable;
  bool explain = false;
};

struct tally {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::array<std::uint64_t, 9> unattributed{};  // by reason
};

// Names as JSON texts, escaped once; entry 0 is for none.
std::vector<std::string> json_texts(const name_table& names) {
  std::vector<std::string> texts{"null"};
  texts.reserve(names.size() + 1);
  for (std::uint32_t i = 1; i <= names.size(); ++i) texts.push_back(nlohmann::json(names.name(i)).dump());
  return texts;
}

class answer_writer {
 public:
  explicit answer_writer(const evidence_file& names)
      : tenancies_(json_texts(names.tenancies)), workloads_(json_texts(names.workloads)) {}

  /// @param why appended as `explanation`, unless it is empty.
  void append(std::string& out, std::string_view id, const verdict& v, const std::string& why) const {
    out += R"({"flow_id":)";
    out += id;
    out += R"(,"workload":)";
    out += workloads_[static_cast<std::uint32_t>(v.workload)];
    out += R"(,"tenancy":)";
    out += tenancies_[v.tenancy.sequence];
    out += R"(,"basis":)";
    append_or_null(out, v.attributed(), to_string(v.basis));
    out += R"(,"reason":)";
    append_or_null(out, !v.attributed(), to_string(v.reason));
    if (!why.empty()) {
      out += R"(,"explanation":)";
      out += nlohmann::json(why).dump();
    }
    out += "}\n";
  }

 private:
  static void append_or_null(std::string& out, bool present, std::string_view word) {
    if (!present) {
      out += "null";
      return;
    }
    out += '"';
    out += word;
    out += '"';
  }

  std::vector<std::string> tenancies_;
  std::vector<std::string> workloads_;
};

outcome<tally> answer_all(const attributor& who, const evidence_file& names, const attribute_options& o,
                          whole_output& output) {
  const answer_writer writer(names);
  auto lines = line_reader::open(o.flows.string());
  if (!lines) return tl::unexpected(lines.error());
  tally counts;
  flow_line_reader reader;
  for (;;) {
    const auto line = lines->next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) return counts;
    const auto flow = reader.read(**line);
    if (!flow) return fail(flow.error().trouble, lines->place() + ": " + flow.error().text);
    const verdict v = who.attribute(flow->remote, flow->remote_port, flow->times);
    ++counts.flows;
    ++(v.attributed() ? counts.attributed : counts.unattributed[static_cast<std::size_t>(v.reason)]);
    const std::string why =
        o.explain ? explanation_text(tenure::explain(who, flow->remote, flow->remote_port, flow->times),
                                     names, false)
                  : std::string();
    writer.append(output.buffer(), flow->id, v, why);
    if (auto flushed = output.flush_if_full(); !flushed) return tl::unexpected(flushed.error());
  }
}

void say(const tally& counts, console& io) {
  io.err << "tenure: " << counts.flows << " flows, " << counts.attributed << " attributed";
  const char* separator = "; ";
  for (std::size_t i = 0; i < counts.unattributed.size(); ++i) {
    if (counts.unattributed[i] == 0) continue;
    io.err << separator << counts.unattributed[i] << ' ' << to_string(static_cast<reason>(i));
    separator = ", ";
  }
  io.err << '\n';
}

outcome<void> attribute(const attribute_options& o, console& io) {
  const auto evidence = read_evidence_file(o.evidence.string());
  if (!evidence) return tl::unexpected(evidence.error());
  attributor who(o.routable.empty() ? prefix_set::everything() : prefix_set(o.routable));
  merge_evidence(who, *evidence, io);

  auto output = whole_output::create(o.output);
  if (!output) return tl::unexpected(output.error());
  const auto counts = answer_all(who, *evidence, o, **output);
  if (!counts) return tl::unexpected(counts.error());
  if (auto committed = (*output)->commit(); !committed) return committed;
  say(*counts, io);
  return {};
}

}  // namespace

void add_attribute(command_line& line) {
  auto o = std::make_shared<attribute_options>();
  auto& c = line.add("attribute", "apply the rule to files: who held the far end of each flow, then");
  c.option("evidence", o->evidence, "evidence, one JSON object a line").must_be_given();
  c.option("flows", o->flows, "flows, one JSON object a line").must_be_given();
  c.option("output", o->output, "answers, one JSON object a flow; - is stdout").shown_as("FILE");
  c.option("routable", o->routable, "addresses that count as the fleet's; all when none is given");
  c.flag("explain", o->explain, "add the proof to each answer, or what it lacks, as `explanation`");
  c.run([o](console& io) { return attribute(*o, io); });
}

}  // namespace tenure::cli
