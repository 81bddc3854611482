# gradcam_test(FILE LABEL label LINK libraries… [WHOLE]) builds FILE.cpp of this folder as one program and
# registers each of its cases with ctest under the label; WHOLE: all of them as one test, for
# programs that take longer to start than to run.
find_package(GTest REQUIRED)
include(GoogleTest)

function(gradcam_test name)
  cmake_parse_arguments(arg "WHOLE" "LABEL;TIMEOUT" "LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main gradcam_flags)
  # Compiling a test takes longer than running it: at -O1 about half as long as at -O3.
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1>)
  set(properties LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT XDG_CACHE_HOME=${PROJECT_BINARY_DIR}/test-cache)
  if(arg_WHOLE)
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES ${properties})
  else()
    # Under a sanitizer on a busy machine a LibTorch program takes longer to start than the usual 5 s.
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      PROPERTIES ${properties})
  endif()
endfunction()

# gradcam_benchmark(FILE LIBRARY) builds FILE.cpp of this folder with Google Benchmark; no test.
function(gradcam_benchmark name library)
  find_package(benchmark REQUIRED)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${library} benchmark::benchmark gradcam_flags)
endfunction()
