# PkgConfig::GSTREAMER: what reading and writing films needs of GStreamer. Included by both folders
# that do so; the second time finds it there.
if(NOT TARGET PkgConfig::GSTREAMER)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(GSTREAMER REQUIRED IMPORTED_TARGET GLOBAL
    gstreamer-1.0>=1.20 gstreamer-base-1.0 gstreamer-app-1.0 gstreamer-video-1.0)
endif()
