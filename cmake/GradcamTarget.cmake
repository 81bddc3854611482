# gradcam_library(NAME SOURCES… [LINK public libraries…] [PRIVATE_LINK…]) makes the static library
# gradcam_NAME with the alias gradcam::NAME; includes start at the project's root ("stages/…/x.h").

add_library(gradcam_flags INTERFACE)
target_compile_features(gradcam_flags INTERFACE cxx_std_20)
target_compile_options(gradcam_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wconversion
  -Wno-sign-conversion
  -Wno-restrict  # g++ 12 reports it falsely for "text" + std::string (GCC bug 105329)
  $<$<BOOL:${GRADCAM_WERROR}>:-Werror>)
if(GRADCAM_SANITIZE)
  target_compile_options(gradcam_flags INTERFACE
    -fsanitize=${GRADCAM_SANITIZE} -fno-omit-frame-pointer -g)
  if(GRADCAM_SANITIZE MATCHES undefined)
    # The headers of oneTBB use types whose RTTI its library does not export.
    target_compile_options(gradcam_flags INTERFACE -fno-sanitize=vptr)
  endif()
  target_link_options(gradcam_flags INTERFACE -fsanitize=${GRADCAM_SANITIZE})
endif()

function(gradcam_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(gradcam_${name} STATIC ${arg_SOURCES})
  add_library(gradcam::${name} ALIAS gradcam_${name})
  set_target_properties(gradcam_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(gradcam_${name} PUBLIC cxx_std_20)
  target_include_directories(gradcam_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/gradcam_live>)
  target_link_libraries(gradcam_${name}
    PUBLIC ${arg_LINK}
    PRIVATE ${arg_PRIVATE_LINK} $<BUILD_INTERFACE:gradcam_flags>)
  set_property(GLOBAL APPEND PROPERTY GRADCAM_LIBRARIES gradcam_${name})
endfunction()

# gradcam_precompile(TARGET HEADER) reads HEADER once for all sources of the target;
# gradcam_precompile(TARGET REUSE_FROM OTHER) takes what another target has read.
function(gradcam_precompile target)
  if(ARGV1 STREQUAL REUSE_FROM)
    target_precompile_headers(${target} REUSE_FROM ${ARGV2})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGV1})
  endif()
  # ccache needs to see what goes in.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()
