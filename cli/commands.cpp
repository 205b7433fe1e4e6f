#include "cli/commands.hpp"

#include "cli/attribute.hpp"
#include "cli/bench.hpp"
#include "cli/bench_hold.hpp"
#include "cli/bench_load.hpp"
#include "cli/bench_node.hpp"
#include "cli/check.hpp"
#include "cli/demo.hpp"
#include "cli/explain.hpp"
#include "cli/ipman.hpp"
#include "cli/query.hpp"
#include "cli/read.hpp"
#include "cli/sim.hpp"
#include "cli/up.hpp"

namespace tenure::cli {

void add_commands(command_line& line) {
  add_up(line);
  add_demo(line);
  add_agent(line);
  add_node(line);
  add_ipman(line);
  add_attribute(line);
  add_explain(line);
  add_read(line);
  add_sim(line);
  add_check(line);
  add_query(line);
  add_bench(line);
  add_bench_hold(line);
  add_bench_load(line);
  add_bench_node(line);
}

}  // namespace tenure::cli
