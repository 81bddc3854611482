# gradcam::torch: LibTorch >= 2.11 as imported target. Looked for in CMAKE_PREFIX_PATH (a LibTorch
# folder or a site-packages/torch), then in the active Python, then in the project's .venv.
# find_package(Torch) is not used: for a CUDA build of LibTorch it demands a CUDA toolkit, which
# building C++ against it does not need.

function(gradcam_torch_of_python python result)
  execute_process(
    COMMAND ${python} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

function(gradcam_torch_version folder result)
  set(version 0)
  if(EXISTS ${folder}/include/torch/headeronly/version.h)
    file(STRINGS ${folder}/include/torch/headeronly/version.h lines
         REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
    list(TRANSFORM lines REPLACE "#define TORCH_VERSION_[A-Z]+ +" "" OUTPUT_VARIABLE numbers)
    list(JOIN numbers "." version)
  elseif(EXISTS ${folder}/build-version)
    file(STRINGS ${folder}/build-version version LIMIT_COUNT 1)
  endif()
  set(${result} "${version}" PARENT_SCOPE)
endfunction()

if(NOT GRADCAM_TORCH_ROOT)
  set(candidates ${CMAKE_PREFIX_PATH})
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH)
    list(APPEND candidates ${prefix}/torch)
  endforeach()
  foreach(python python3 ${CMAKE_CURRENT_LIST_DIR}/../.venv/bin/python)
    gradcam_torch_of_python(${python} folder)
    list(APPEND candidates ${folder})
  endforeach()
  set(seen "")
  foreach(folder IN LISTS candidates)
    if(EXISTS ${folder}/lib/libtorch_cpu.so)
      gradcam_torch_version(${folder} version)
      if(version VERSION_GREATER_EQUAL 2.11)
        set(GRADCAM_TORCH_ROOT ${folder} CACHE PATH "Folder of LibTorch (holds include and lib)")
        break()
      endif()
      list(APPEND seen "${folder} (${version})")
    endif()
  endforeach()
endif()
if(NOT EXISTS "${GRADCAM_TORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch 2.11 or newer not found (seen: ${seen}). Run scripts/setup, or pass "
    "-DCMAKE_PREFIX_PATH=<folder of LibTorch or of Python's torch>")
endif()
gradcam_torch_version(${GRADCAM_TORCH_ROOT} GRADCAM_TORCH_VERSION)
message(STATUS "LibTorch ${GRADCAM_TORCH_VERSION} at ${GRADCAM_TORCH_ROOT}")

# gradcam::torch_cuda: the headers for the CUDA half of LibTorch, where it has one; the program loads it
# where there is a GPU (stages/explain/model/device.h). GRADCAM_CUDA_INCLUDE: CUDA's headers, which lie
# beside the wheel or in a toolkit; building wants them for CUDA graphs alone.
if(NOT TARGET gradcam::torch_cuda AND EXISTS ${GRADCAM_TORCH_ROOT}/lib/libtorch_cuda.so)
  file(GLOB beside ${GRADCAM_TORCH_ROOT}/../nvidia/*/include)
  find_path(GRADCAM_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH
            PATHS ${beside} $ENV{CUDA_HOME}/include /usr/local/cuda/include)
  add_library(gradcam::torch_cuda INTERFACE IMPORTED GLOBAL)
  if(GRADCAM_CUDA_INCLUDE)
    message(STATUS "CUDA graphs with the headers in ${GRADCAM_CUDA_INCLUDE}")
    target_include_directories(gradcam::torch_cuda SYSTEM INTERFACE ${GRADCAM_CUDA_INCLUDE})
  else()
    message(STATUS "No CUDA headers (cuda_runtime_api.h; CUDA_HOME): networks run on CUDA without "
      "CUDA graphs, at about a third of the speed")
  endif()
endif()

if(NOT TARGET gradcam::torch)
  add_library(gradcam::torch INTERFACE IMPORTED GLOBAL)
  target_include_directories(gradcam::torch SYSTEM INTERFACE
    ${GRADCAM_TORCH_ROOT}/include ${GRADCAM_TORCH_ROOT}/include/torch/csrc/api/include)
  # Not libtorch.so, which has no code of its own: it would load the CUDA half of a CUDA build at each
  # start. load_cuda() does where it is needed, from the RUNPATH of whoever links this.
  target_link_libraries(gradcam::torch INTERFACE
    ${GRADCAM_TORCH_ROOT}/lib/libtorch_cpu.so ${GRADCAM_TORCH_ROOT}/lib/libc10.so ${CMAKE_DL_LIBS})
  target_link_options(gradcam::torch INTERFACE
    -Wl,--allow-shlib-undefined -Wl,-rpath,${GRADCAM_TORCH_ROOT}/lib)
endif()
