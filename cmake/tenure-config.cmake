# find_package(tenure): the targets tenure::ownership (the rule) and tenure::properties (its laws, for tests).
include(CMakeFindDependencyMacro)
find_dependency(tl-expected)
include(${CMAKE_CURRENT_LIST_DIR}/tenure-targets.cmake)
