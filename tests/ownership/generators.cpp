#include "tests/ownership/generators.hpp"

namespace tenure::generators {

namespace {

// RapidCheck draws ranges smaller at small sizes, and sizes count elements here: so each part has its own.
template <class T>
rc::Gen<T> full(rc::Gen<T> gen) {
  return rc::gen::resize(rc::kNominalSize, std::move(gen));
}

rc::Gen<nanos> instant() {
  return full(rc::gen::inRange<nanos>(-2, 24));
}
rc::Gen<nanos> small_error() {
  return rc::gen::weightedOneOf<nanos>({{6, rc::gen::just<nanos>(0)},
                                        {6, full(rc::gen::inRange<nanos>(0, 5))},
                                        {1, rc::gen::just(unknown_error)}});
}

}  // namespace

rc::Gen<evidence> some_evidence() {
  return rc::gen::build<evidence>(
      rc::gen::set(&evidence::endpoint,
                   rc::gen::element(endpoint{here, 0}, endpoint{here, port}, endpoint{here, 80})),
      rc::gen::set(&evidence::tenancy, rc::gen::map(full(rc::gen::inRange<std::uint64_t>(1, 5)),
                                                    [](std::uint64_t n) {
                                                      return tenancy_id{n % 2, n};
                                                    })),
      rc::gen::set(&evidence::workload, rc::gen::element(workload_id{1}, workload_id{1}, workload_id{2})),
      rc::gen::set(&evidence::from, instant()), rc::gen::set(&evidence::until, instant()),
      rc::gen::set(&evidence::from_error, small_error()),
      rc::gen::set(&evidence::until_error, small_error()));
}

rc::Gen<std::vector<evidence>> much_evidence() {
  return rc::gen::resize(12, rc::gen::container<std::vector<evidence>>(some_evidence()));
}

rc::Gen<flow_times> some_times() {
  return rc::gen::build<flow_times>(
      rc::gen::set(&flow_times::opened, instant()), rc::gen::set(&flow_times::established, instant()),
      rc::gen::set(&flow_times::last_received, instant()), rc::gen::set(&flow_times::closed, instant()),
      rc::gen::set(&flow_times::transit, full(rc::gen::inRange<nanos>(0, 4))),
      rc::gen::set(&flow_times::error, small_error()),
      rc::gen::set(&flow_times::is_established, rc::gen::weightedElement<bool>({{3, true}, {1, false}})));
}

}  // namespace tenure::generators
