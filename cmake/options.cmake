# What every target of ours compiles with: warnings are errors, headers are found from the top of the tree.
add_library(tenure_options INTERFACE)
target_include_directories(tenure_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tenure_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror)
if(TENURE_ASAN)
  # -O1 compiles in half the time of -O2, and the reports name the lines.
  target_compile_options(tenure_options INTERFACE -O1 -fsanitize=address,undefined -fno-omit-frame-pointer)
  # GCC says of its own accord that sanitizers make it warn of what is initialised (optional moves of strings).
  target_compile_options(tenure_options INTERFACE -Wno-maybe-uninitialized)
  target_link_options(tenure_options INTERFACE -fsanitize=address,undefined)
endif()
if(TENURE_TSAN)
  # Asio's fences, which ThreadSanitizer does not follow, come with locks, which it does.
  target_compile_options(tenure_options INTERFACE -Wno-tsan)
  target_compile_options(tenure_options INTERFACE -O1 -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(tenure_options INTERFACE -fsanitize=thread)
endif()

# tenure_library(NAME [USES libraries...] [PRIVATE_USES libraries...]): the static library of the current folder. Every
# .cpp file in the folder belongs to it, so that a file cannot be forgotten.
function(tenure_library name)
  cmake_parse_arguments(ARG "" "" "USES;PRIVATE_USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(${name} STATIC ${sources})
  # Ours alone: whoever links an installed library compiles with options of their own.
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:tenure_options> ${ARG_USES} PRIVATE ${ARG_PRIVATE_USES})
endfunction()
