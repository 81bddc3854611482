# cmake --install: the program, the libraries, their public headers, and a package for
# find_package(gradcam_live).
include(CMakePackageConfigHelpers)
include(GradcamPublicHeaders)

get_property(libraries GLOBAL PROPERTY GRADCAM_LIBRARIES)
install(TARGETS gradcam-live RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${libraries} EXPORT gradcam_live ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(header ${GRADCAM_PUBLIC_HEADERS})
  cmake_path(GET header PARENT_PATH folder)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gradcam_live/${folder})
endforeach()
install(DIRECTORY config/ DESTINATION ${CMAKE_INSTALL_DATADIR}/gradcam-live/presets
        FILES_MATCHING PATTERN "*.yaml")

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/gradcam_live)
install(EXPORT gradcam_live NAMESPACE gradcam:: DESTINATION ${package})
configure_package_config_file(cmake/gradcam_live-config.cmake.in
  ${PROJECT_BINARY_DIR}/gradcam_live-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gradcam_live-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gradcam_live-config.cmake
              ${PROJECT_BINARY_DIR}/gradcam_live-config-version.cmake
              cmake/GradcamTorch.cmake cmake/GradcamOpenVINO.cmake cmake/GradcamOpenCV.cmake
              cmake/GradcamGStreamer.cmake cmake/GradcamFfmpeg.cmake cmake/GradcamPictures.cmake
        DESTINATION ${package})
