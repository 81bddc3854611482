# gradcam_test(FILE LABEL label LINK libraries… [WHOLE] [TORCH]) builds FILE.cpp of this folder as one
# program and registers each of its cases with ctest under the label; WHOLE: all of them as one test,
# for programs that take longer to start than to run; TORCH: it uses LibTorch's own headers.
find_package(GTest REQUIRED)
include(GoogleTest)

function(gradcam_test name)
  cmake_parse_arguments(arg "WHOLE;TORCH" "LABEL;TIMEOUT" "LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${arg_LINK} GTest::gtest GTest::gtest_main gradcam_flags)
  # Compiling a test takes longer than running it: at -O1 about half as long as at -O3.
  # -pthread: all alike, as precompiled headers want it. The warnings: g++ 12 reports them falsely for
  # joined strings (GCC bug 105329), and of precompiled headers does not know that they are the system's.
  target_compile_options(${name} PRIVATE $<$<NOT:$<CONFIG:Debug>>:-O1> -pthread
    -Wno-array-bounds -Wno-stringop-overflow)
  gradcam_test_headers(${name} ${arg_TORCH})
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

# The headers that most tests include are read once: by the first program of each kind.
function(gradcam_test_headers name torch)
  if(torch)
    set(kind TORCH)
    set(header torch_test_headers.h)
  else()
    set(kind PLAIN)
    set(header test_headers.h)
  endif()
  get_property(first GLOBAL PROPERTY GRADCAM_${kind}_TEST_HEADERS)
  if(first)
    gradcam_precompile(${name} REUSE_FROM ${first})
  else()
    gradcam_precompile(${name} ${PROJECT_SOURCE_DIR}/tests/support/${header})
    set_property(GLOBAL PROPERTY GRADCAM_${kind}_TEST_HEADERS ${name})
  endif()
endfunction()

# gradcam_benchmark(FILE LIBRARY) builds FILE.cpp of this folder with Google Benchmark; no test.
function(gradcam_benchmark name library)
  find_package(benchmark REQUIRED)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${library} benchmark::benchmark gradcam_flags)
endfunction()
