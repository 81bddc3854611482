# gradcam_python_test(NAME FILE LABEL label [TIMEOUT s] [PROGRAM target] [SKIP_CODE code]
#                     [ENVIRONMENT NAME=value…] [ARGUMENTS …])
# registers FILE with ctest under .venv's Python. PROGRAM: its path becomes PROGRAM_UNDER_TEST.
# By hand, from the top of the repository:
#   export PYTHONPATH=scripts:tests/program PROGRAM_UNDER_TEST=build/release/gradcam-live
#   .venv/bin/python tests/scripts/export_model_test.py
function(gradcam_python_test name file)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT;PROGRAM;SKIP_CODE" "ENVIRONMENT;ARGUMENTS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)
  endif()
  # gradcam_tools of scripts/, and what tests share; ctest separates variables by semicolons.
  set(environment "PYTHONPATH=${PROJECT_SOURCE_DIR}/scripts:${PROJECT_SOURCE_DIR}/tests/program"
    ${arg_ENVIRONMENT})
  if(arg_PROGRAM)
    list(APPEND environment "PROGRAM_UNDER_TEST=$<TARGET_FILE:${arg_PROGRAM}>")
  endif()
  add_test(NAME ${name} COMMAND ${PROJECT_SOURCE_DIR}/.venv/bin/python
    ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${arg_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT}
    ENVIRONMENT "${environment}")
  if(arg_SKIP_CODE)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE ${arg_SKIP_CODE})
  endif()
endfunction()
