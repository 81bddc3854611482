# PkgConfig::FFMPEG: FFmpeg's libraries, which read film files. (OpenCV's videoio brings them anyway.)
if(NOT TARGET PkgConfig::FFMPEG)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET GLOBAL
    libavformat>=59 libavcodec>=59 libavutil>=57 libswscale>=6)
endif()
