# gradcam::openvino: the OpenVINO of a Python environment (PyPI openvino: headers and libraries) as
# imported target; looked for in the active Python, then in the project's .venv. Where there is none,
# GRADCAM_WITH_OPENVINO becomes OFF.
# Its own CMake package is not used: it brings a TBB package of its own. Both want libtbb.so.12, and
# the first one loaded serves both: the program's, which links it itself.
if(GRADCAM_WITH_OPENVINO AND NOT GRADCAM_OPENVINO_ROOT)
  foreach(python python3 ${CMAKE_CURRENT_LIST_DIR}/../.venv/bin/python)
    execute_process(
      COMMAND ${python} -c "import importlib.util as u; print(u.find_spec('openvino').submodule_search_locations[0])"
      OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(EXISTS "${folder}/include/openvino/openvino.hpp")
      set(GRADCAM_OPENVINO_ROOT ${folder} CACHE PATH "Folder of OpenVINO (holds include and libs)")
      break()
    endif()
  endforeach()
endif()
file(GLOB openvino_library "${GRADCAM_OPENVINO_ROOT}/libs/libopenvino.so.*")
file(GLOB openvino_front_end "${GRADCAM_OPENVINO_ROOT}/libs/libopenvino_pytorch_frontend.so.*")
if(GRADCAM_WITH_OPENVINO AND openvino_library AND openvino_front_end)
  message(STATUS "OpenVINO at ${GRADCAM_OPENVINO_ROOT}")
  if(NOT TARGET gradcam::openvino)
    add_library(gradcam::openvino SHARED IMPORTED GLOBAL)
    set_target_properties(gradcam::openvino PROPERTIES IMPORTED_LOCATION ${openvino_library})
    # Its front end for PyTorch makes models of TorchScript graphs.
    target_link_libraries(gradcam::openvino INTERFACE ${openvino_front_end})
    target_link_options(gradcam::openvino INTERFACE
      -Wl,-rpath,${GRADCAM_OPENVINO_ROOT}/libs)
    target_include_directories(gradcam::openvino SYSTEM INTERFACE ${GRADCAM_OPENVINO_ROOT}/include)
  endif()
elseif(GRADCAM_WITH_OPENVINO)
  message(STATUS "OpenVINO not found (pip install openvino): TorchScript files only, run by LibTorch")
  set(GRADCAM_WITH_OPENVINO OFF)
endif()
