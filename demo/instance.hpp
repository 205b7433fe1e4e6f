#pragma once

namespace tenure::demo {

/// The program of one container of the fleet: waits for its `go`, then answers and calls others until it is
/// told to drain, or killed. It ends by itself when the fleet does.
/// @param control one end of a SOCK_SEQPACKET pair: instance_command comes in, truth_message goes out.
/// @param directory_memory of the fleet's directory.
/// @returns the exit code.
int run_instance(int control, int directory_memory);

}  // namespace tenure::demo
