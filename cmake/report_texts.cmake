# Writes two texts as C++ literals: cmake -DOUT=… -DPAGE=… -DCHART=… -P report_texts.cmake
file(READ ${PAGE} page)
file(READ ${CHART} chart)
# The delimiter ends a literal: neither text may have it.
foreach(text IN ITEMS page chart)
  string(FIND "${${text}}" ")tenure_text" found)
  if(NOT found EQUAL -1)
    message(FATAL_ERROR "${text}: holds the delimiter of the literal it is to be")
  endif()
endforeach()
file(WRITE ${OUT} "#include <string_view>\n\nnamespace tenure::sim {\n"
  "extern const std::string_view report_page;\nextern const std::string_view chart_library;\n"
  "const std::string_view report_page = R\"tenure_text(" "${page}" ")tenure_text\";\n"
  "const std::string_view chart_library = R\"tenure_text(" "${chart}" ")tenure_text\";\n}  // namespace tenure::sim\n")
