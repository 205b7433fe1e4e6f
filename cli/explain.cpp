#include "cli/explain.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/evidence_file.hpp"
#include "cli/explanation_text.hpp"
#include "cli/flow_line.hpp"
#include "cli/line_reader.hpp"
#include "ownership/attributor.hpp"

namespace tenure::cli {

namespace {

struct explain_options {
  std::filesystem::path evidence;
  std::filesystem::path flows;
  std::optional<std::string> flow;
  std::vector<prefix> routable;
};

bool is_wanted(std::string_view id, const std::optional<std::string>& wanted) {
  return !wanted || id == *wanted || id == '"' + *wanted + '"';
}

outcome<void> explain_all(const explain_options& o, console& io) {
  attributor who(o.routable.empty() ? prefix_set::everything() : prefix_set(o.routable));
  const auto names = merge_evidence_file(o.evidence.string(), 0, who, io);
  if (!names) return tl::unexpected(names.error());
  auto lines = line_reader::open(o.flows.string());
  if (!lines) return tl::unexpected(lines.error());
  flow_line_reader reader;
  bool any = false;
  for (;;) {
    const auto line = lines->next();
    if (!line) return tl::unexpected(line.error());
    if (!*line) break;
    const auto flow = reader.read(**line);
    if (!flow) return fail(flow.error().trouble, lines->place() + ": " + flow.error().text);
    if (!is_wanted(flow->id, o.flow)) continue;
    any = true;
    const auto x = explain(who, flow->remote, flow->remote_port, flow->times);
    io.out << "Flow " << flow->id << " with " << endpoint{flow->remote, flow->remote_port}.to_string() << ": "
           << explanation_text(x, *names, true) << '\n';
  }
  if (o.flow && !any) return fail(trouble::usage, o.flows.string() + ": no flow has the flow_id " + *o.flow);
  return {};
}

}  // namespace

void add_explain(command_line& line) {
  auto o = std::make_shared<explain_options>();
  auto& c = line.add("explain", "say why each flow of a file is attributed, or why not, with the proof");
  c.option("evidence", o->evidence, "evidence, one JSON object a line").must_be_given();
  c.option("flows", o->flows, "flows, one JSON object a line").must_be_given();
  c.option("flow", o->flow, "the flow_id of the one to explain; all when not given").shown_as("ID");
  c.option("routable", o->routable, "addresses that count as the fleet's; all when none is given");
  c.run([o](console& io) { return explain_all(*o, io); });
}

}  // namespace tenure::cli
