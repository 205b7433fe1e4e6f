#include "properties/judge.hpp"

#include "ownership/timelines.hpp"

namespace tenure {
namespace {

class timelines_judge final : public judge {
 public:
  void tell(const evidence& e) override { known_.merge(e); }
  verdict ask(address far, std::uint16_t far_port, const flow_times& times) const override {
    return known_.resolve(far, far_port, times);
  }

 private:
  timelines known_;
};

}  // namespace

judge_maker tenures_own() {
  return [] { return std::make_unique<timelines_judge>(); };
}

}  // namespace tenure
