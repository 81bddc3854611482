# What reading pictures needs besides OpenCV: libtiff (bits), libwebp (animations), and where they are
# installed libheif (HEIC, AVIF) and libjxl (JPEG XL). Included by the package, too.
find_package(TIFF REQUIRED GLOBAL)
find_package(PkgConfig REQUIRED)
if(NOT TARGET PkgConfig::WEBP)
  pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET GLOBAL libwebp libwebpdemux)
endif()
foreach(name HEIF JXL)
  string(TOLOWER lib${name} library)
  if(NOT TARGET PkgConfig::${name})
    pkg_check_modules(${name} QUIET IMPORTED_TARGET GLOBAL ${library})
  endif()
endforeach()
