#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tenure::transport {

/// A TCP socket without our framing, to misbehave with. Its calls wait at most as long as `patience`; they
/// throw std::system_error.
class raw_socket {
 public:
  raw_socket();
  ~raw_socket();
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;

  void connect(std::uint16_t port, const std::string& host = "127.0.0.1");
  void write(std::span<const std::byte> bytes);
  /// Four bytes, little endian.
  void write_length(std::uint32_t length);
  /// What came until the other side closed.
  std::vector<std::byte> read_to_end();
  /// Sends FIN, and reads on.
  void shut();
  /// Closes with RST.
  void reset();

 private:
  int fd_;
};

}  // namespace tenure::transport
