#include <string_view>

#include <gtest/gtest.h>

#include "demo/demo.hpp"
#include "demo/instance.hpp"
#include "demo/instance_process.hpp"

/// The test program is also the program of the instances that its own tests start.
int main(int count, char** arguments) {
  if (count > 1 && std::string_view(arguments[1]) == tenure::demo::instance_command_name) {
    return tenure::demo::run_instance(tenure::demo::instance_program::control,
                                      tenure::demo::instance_program::directory);
  }
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
