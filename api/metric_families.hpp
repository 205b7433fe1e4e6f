#pragma once

#include <cstdint>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <string>
#include <utility>
#include <vector>

namespace tenure::api {

/// Gathers families; the values are read once, at the time of the scrape.
class families {
 public:
  void counter(const char* name, const char* help, std::uint64_t value) {
    add(name, help, prometheus::MetricType::Counter, value);
  }
  void gauge(const char* name, const char* help, std::uint64_t value) {
    add(name, help, prometheus::MetricType::Gauge, value);
  }

  prometheus::MetricFamily& family(const char* name, const char* help, prometheus::MetricType type) {
    prometheus::MetricFamily f;
    f.name = name;
    f.help = help;
    f.type = type;
    all_.push_back(std::move(f));
    return all_.back();
  }

  std::string text() const { return prometheus::TextSerializer{}.Serialize(all_); }

  static prometheus::ClientMetric metric(prometheus::MetricType type, std::uint64_t value) {
    prometheus::ClientMetric m;
    if (type == prometheus::MetricType::Counter)
      m.counter.value = static_cast<double>(value);
    else
      m.gauge.value = static_cast<double>(value);
    return m;
  }

 private:
  void add(const char* name, const char* help, prometheus::MetricType type, std::uint64_t value) {
    family(name, help, type).metric.push_back(metric(type, value));
  }

  std::vector<prometheus::MetricFamily> all_;
};

}  // namespace tenure::api
