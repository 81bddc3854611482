# gradcam::opencv: the OpenCV modules we use, as system headers (its enums warn in C++20).
if(NOT TARGET gradcam::opencv)
  add_library(gradcam::opencv INTERFACE IMPORTED GLOBAL)
  target_include_directories(gradcam::opencv SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
  target_link_libraries(gradcam::opencv INTERFACE opencv_core opencv_imgproc opencv_imgcodecs)
endif()
