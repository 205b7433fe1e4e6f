# Writes ${OUTPUT}, a header with the commit that SOURCE stands at; only when that has changed. Run at each build.
execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=12 --exclude=* --dirty=+
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(commit unknown)
endif()
cmake_path(GET OUTPUT PARENT_PATH folder)
file(MAKE_DIRECTORY ${folder})
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define TENURE_COMMIT \"${commit}\"\n" @ONLY)
