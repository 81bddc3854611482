#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "stages/media/gst_handles.h"
#include "stages/output/film_encoder.h"
#include "stages/output/film_sink.h"
#include "stages/output/sink.h"

namespace gradcam {

/// A film through GStreamer, time stamps as the frames have them: every frame is one picture of
/// the film. The encoder gets the planes of a picture as they are, without a copy, where it takes
/// their format, and the film tells how they are coded. Size and coding are those of the first
/// frame (the size made even); frames of another size are letterboxed into it. The file is playable
/// at any moment, also when the process is killed. A part that was taken out of a film by its start
/// begins at 0.
class GstFilmSink : public Sink {
 public:
  GstFilmSink(const std::filesystem::path& path, const SourceInfo& source, bool overwrite);
  GstFilmSink(std::filesystem::path path, const SourceInfo& source, bool overwrite,
              FilmEncoder encoder);
  void write(const Rendered& rendered) override;
  void finish() override;
  std::string note() const override { return note_; }

 private:
  /// Frames in front of the encoder; counted here, as a full appsrc would block without end.
  class Queue {
   public:
    void add();
    void take();  ///< from the encoder's thread
    /// False if it stayed full for so long.
    bool wait_for_room(std::chrono::milliseconds limit);

   private:
    std::mutex mutex_;
    std::condition_variable taken_;
    int waiting_ = 0;
  };

  void start(const Picture& first, std::chrono::nanoseconds first_pts);
  std::string description() const;
  void throw_if_failed();
  [[noreturn]] void fail(const std::string& why) const;

  std::filesystem::path path_;
  double frames_per_second_;
  std::chrono::nanoseconds begin_;
  FilmEncoder encoder_;
  FilmForm form_;
  std::string note_;
  std::chrono::nanoseconds shift_{0};
  Queue queue_;  ///< outlives the pipeline, whose threads use it
  gst::Pipeline pipeline_;
  gst::Element input_;
  gst::Bus bus_;
};

}  // namespace gradcam
