#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include "agent/cri.hpp"

// The fields of k8s.io/cri-api/pkg/apis/runtime/v1/api.proto that are of use here.
namespace tenure::agent {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

std::string text_field(int number, const std::string& text) {
  std::string out;
  google::protobuf::io::StringOutputStream to(&out);
  google::protobuf::io::CodedOutputStream coded(&to);
  WireFormatLite::WriteBytes(number, text, &coded);
  return out;
}

/// Calls visit(number, content) for each field that is a text or a message. @returns false when it is no
/// protobuf message
template <class Visit>
bool each_field(const std::string& message, Visit&& visit) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  while (const auto tag = in.ReadTag()) {
    if (WireFormatLite::GetTagWireType(tag) != WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      continue;
    }
    std::string content;
    if (!WireFormatLite::ReadBytes(&in, &content)) return false;
    visit(WireFormatLite::GetTagFieldNumber(tag), content);
  }
  return in.ConsumedEntireMessage();
}

std::string text_in(const std::string& message, int wanted) {
  std::string out;
  each_field(message, [&](int number, const std::string& content) {
    if (number == wanted) out = content;
  });
  return out;
}

}  // namespace

std::string cri_request(const std::string& id) {
  return text_field(1, text_field(1, id));  // filter { id }
}

std::optional<container> read_cri_reply(const std::string& reply, const std::string& id) {
  std::optional<container> found;
  each_field(reply, [&](int containers, const std::string& one) {
    if (containers != 1 || text_in(one, 1) != id) return;
    container c;
    each_field(one, [&](int number, const std::string& content) {
      if (number == 3) c.name = text_in(content, 1);   // metadata { name }
      if (number == 4) c.image = text_in(content, 1);  // image { image }
      if (number == 8) c.labels.emplace_back(text_in(content, 1), text_in(content, 2));
    });
    for (const auto& [key, value] : c.labels) {
      if (key == "io.kubernetes.pod.name") c.pod = value;
      if (key == "io.kubernetes.pod.namespace") c.pod_namespace = value;
    }
    if (!c.name.empty() || !c.pod.empty()) found = std::move(c);
  });
  return found;
}

}  // namespace tenure::agent
