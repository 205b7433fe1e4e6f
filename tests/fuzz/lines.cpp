#include "tests/fuzz/lines.hpp"

#include <string>

#include "cli/evidence_line.hpp"
#include "cli/flow_line.hpp"
#include "cli/line_reader.hpp"
#include "ownership/attributor.hpp"
#include "ownership/invariant.hpp"

namespace tenure::fuzz {

void read_as_lines(const std::uint8_t* data, std::size_t size) {
  std::string padded(data, data + size);
  padded.append(cli::line_reader::padding, '\0');
  const std::string_view line(padded.data(), size);

  cli::evidence_line_reader evidence_reader;
  attributor who(prefix_set::everything());
  if (const auto e = evidence_reader.read(line)) {
    invariant(e->from_error >= 0 && e->until_error >= 0, "negative errors are refused");
    invariant(!e->tenancy.empty() && !e->workload.empty(), "empty names are refused");
    invariant(endpoint::parse(e->at.to_string()) == e->at, "an endpoint is read as it is written");
    who.merge({e->at, {0, 1}, workload_id{1}, e->from, e->until, e->from_error, e->until_error});
    const nanos middle = e->from / 2 + e->until / 2;
    who.attribute(e->at.address, e->at.port, {middle, middle, middle, middle, 0, 0, true});
  }

  cli::flow_line_reader flow_reader;
  if (const auto f = flow_reader.read(line)) {
    invariant(f->times.error >= 0 && f->times.transit >= 0, "negative spans are refused");
    invariant(!f->id.empty(), "a flow has an id");
    who.merge({{f->remote, 0}, {0, 2}, workload_id{1}, time_min, time_max, 0, 0});
    who.attribute(f->remote, f->remote_port, f->times);
  }
}

}  // namespace tenure::fuzz
