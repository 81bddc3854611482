#include "pipeline/viewer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>

#include "tests/support/temp_folder.h"

namespace gradcam {
namespace {

using Step = std::function<std::optional<int>()>;

/// A screen whose user does one step of a script whenever the viewer looks for a key; `q` at the
/// end of it.
class FakeScreen : public Screen {
 public:
  void show(const std::string& title, const Picture& picture) override {
    windows[title] = picture;
    shown.push_back(level(picture));
  }
  void set_full_screen(bool on) override { full_screen = on; }
  std::optional<int> take_key() override {
    if (next_ == script.size()) return 'q';
    return script[next_++]();
  }
  bool closed() const override { return closed_by_user; }
  void close() override { closed_by_viewer = true; }

  /// Of the pixel that no notice covers.
  static int level(const Picture& picture) { return picture.bgr().at<cv::Vec3b>(0, 0)[0]; }
  bool has_notice(const std::string& title) const {
    double least = 0;
    double most = 0;
    cv::minMaxLoc(windows.at(title).bgr().reshape(1), &least, &most);
    return most - least > 100;
  }

  std::map<std::string, Picture> windows;
  std::vector<int> shown;  ///< levels, in order
  bool full_screen = false;
  bool closed_by_user = false;
  bool closed_by_viewer = false;
  std::vector<Step> script;

 private:
  std::size_t next_ = 0;
};

Step press(int code) {
  return [code] { return code; };
}

const Step kLookOn = [] { return std::nullopt; };

Rendered view(std::uint64_t ticket, int level, int stream = 0) {
  Rendered rendered;
  Frame& frame = rendered.explained.prepared.frame;
  frame.stream = stream;
  frame.ticket = ticket;
  frame.seq = static_cast<std::int64_t>(ticket);
  rendered.picture = Picture(cv::Mat(120, 160, CV_8UC3, cv::Scalar::all(level)));
  return rendered;
}

/// The same, captured after any pause that a test begins.
Rendered later_view(std::uint64_t ticket, int level) {
  Rendered rendered = view(ticket, level);
  rendered.explained.prepared.frame.captured_at = Clock::time_point::max();
  return rendered;
}

/// Work that goes on until it is stopped.
bool until_stopped(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, stop, [] { return false; });
  return true;
}

class Viewing : public testing::Test {
 protected:
  Viewing() {
    hooks_.set_paused = [this](bool paused) { pauses_.push_back(paused); };
    hooks_.step = [this] { ++steps_; };
    hooks_.explain_again = [this](const Rendered& shown) {
      explained_again_.push_back(shown.frame().seq);
    };
    hooks_.redraw = [this](const Rendered& shown) {
      const int level = static_cast<int>(100 * settings_.get().overlay.opacity);
      return view(shown.frame().ticket, level).picture;
    };
    options_.now = [this] { return now_; };
  }

  Step post(const Rendered& rendered) {
    return [this, rendered] {
      viewer_->post(rendered);
      return std::nullopt;
    };
  }
  Step wait(std::chrono::milliseconds time) {
    return [this, time] {
      now_ += time;
      return std::nullopt;
    };
  }
  Step check(const std::function<void()>& what) {
    return [what] {
      what();
      return std::nullopt;
    };
  }
  void run(std::vector<Step> script, const Viewer::Work& work = until_stopped,
           const std::stop_token& stop = {}) {
    screen_.script = std::move(script);
    viewer_ = std::make_unique<Viewer>(streams_, settings_, screen_, hooks_, options_);
    viewer_->run(work, stop);
  }

  std::vector<std::string> streams_ = {"cam"};
  const std::string title_ = "gradcam-live: cam";
  LiveSettings settings_{ViewSettings{}};
  FakeScreen screen_;
  ViewerHooks hooks_;
  ViewerOptions options_;
  Clock::time_point now_ = Clock::time_point(std::chrono::hours(1));
  std::unique_ptr<Viewer> viewer_;
  std::vector<bool> pauses_;
  std::vector<std::int64_t> explained_again_;
  int steps_ = 0;
};

TEST_F(Viewing, ShowsEachViewOnceInOrder) {
  run({post(view(0, 1)), post(view(1, 2)), kLookOn});
  EXPECT_EQ(screen_.shown, (std::vector{1, 2}));
  EXPECT_TRUE(screen_.closed_by_viewer);
}

TEST_F(Viewing, AnOlderViewIsNotShown) {
  run({post(view(1, 2)), post(view(0, 1)), kLookOn});
  EXPECT_EQ(screen_.shown, (std::vector{2}));
}

TEST_F(Viewing, ThePictureForTheWindowIsPreferred) {
  Rendered mirrored = view(0, 1);
  mirrored.window = view(0, 9).picture;
  run({post(mirrored), kLookOn});
  EXPECT_EQ(screen_.shown, (std::vector{9}));
}

TEST_F(Viewing, EachStreamHasAWindowOfItsOwn) {
  streams_ = {"cam", "cam", "door"};
  run({post(view(0, 1, 0)), post(view(0, 2, 1)), post(view(0, 3, 2)), kLookOn});
  ASSERT_EQ(screen_.windows.size(), 3U);
  EXPECT_EQ(FakeScreen::level(screen_.windows["gradcam-live: cam"]), 1);
  EXPECT_EQ(FakeScreen::level(screen_.windows["gradcam-live: cam (2)"]), 2);
  EXPECT_EQ(FakeScreen::level(screen_.windows["gradcam-live: door"]), 3);
}

TEST_F(Viewing, AMosaicIsOneWindow) {
  streams_ = {"a", "b", "c"};
  options_.mosaic = true;
  run({post(view(0, 50, 0)), post(view(0, 60, 2)), kLookOn});
  ASSERT_EQ(screen_.windows.size(), 1U);
  const cv::Mat& mosaic = screen_.windows["gradcam-live"].bgr();
  EXPECT_EQ(mosaic.size(), cv::Size(324, 244));
  EXPECT_EQ(mosaic.at<cv::Vec3b>(60, 80)[0], 50);
  EXPECT_LT(mosaic.at<cv::Vec3b>(10, 170)[0], 30);
  EXPECT_EQ(mosaic.at<cv::Vec3b>(130, 80)[0], 60);
}

TEST_F(Viewing, ClosingAWindowEndsTheWork) {
  bool ended = false;
  run({post(view(0, 1)), check([&] { screen_.closed_by_user = true; }),
       check([] { FAIL() << "the viewer goes on"; })},
      [&](const std::stop_token& stop) {
        until_stopped(stop);
        ended = true;
        return true;
      });
  EXPECT_TRUE(ended);
}

TEST_F(Viewing, AStopRequestEndsIt) {
  std::stop_source stop;
  run({check([&] { stop.request_stop(); }), check([] { FAIL() << "the viewer goes on"; })},
      until_stopped, stop.get_token());
  EXPECT_TRUE(screen_.closed_by_viewer);
}

TEST_F(Viewing, AStopRequestEndsItWhilePaused) {
  std::stop_source stop;
  run({press(' '), check([&] { stop.request_stop(); }),
       check([] { FAIL() << "the viewer goes on"; })},
      until_stopped, stop.get_token());
}

TEST_F(Viewing, WorkThatNeedNotStayEndsIt) {
  run(std::vector<Step>(100'000, kLookOn), [](const std::stop_token&) { return false; });
  EXPECT_TRUE(screen_.closed_by_viewer);
}

TEST_F(Viewing, WorkThatIsDoneStaysUntilAKey) {
  // The class is changed until the viewer knows that no frame will come to show it.
  std::vector<Step> script = {post(view(7, 1))};
  const Step change = [this]() -> std::optional<int> {
    return explained_again_.empty() ? '2' : 'q';
  };
  script.insert(script.end(), 2000, change);
  run(script, [](const std::stop_token&) { return true; });
  EXPECT_EQ(explained_again_, (std::vector<std::int64_t>{7}));
}

TEST_F(Viewing, WhatTheWorkThrowsComesOut) {
  const auto broken = [](const std::stop_token&) -> bool { throw std::runtime_error("broken"); };
  EXPECT_THROW(run(std::vector<Step>(100'000, kLookOn), broken), std::runtime_error);
}

TEST_F(Viewing, AScreenThatBreaksStopsTheWork) {
  bool ended = false;
  const auto work = [&](const std::stop_token& stop) { return ended = until_stopped(stop); };
  EXPECT_THROW(run({[]() -> std::optional<int> { throw std::runtime_error("no screen"); }}, work),
               std::runtime_error);
  EXPECT_TRUE(ended);
}

TEST_F(Viewing, PausedItStandsStill) {
  run({post(view(0, 1)), press(' '), post(later_view(1, 2)), kLookOn,
       check([&] { EXPECT_EQ(FakeScreen::level(screen_.windows[title_]), 1); }), press(' '),
       kLookOn});
  EXPECT_EQ(screen_.shown.back(), 2);
  EXPECT_EQ(pauses_, (std::vector<bool>{true, false}));
}

TEST_F(Viewing, WhatWasUnderWayWhenPausingIsShown) {
  run({post(view(0, 1)), press(' '), post(view(1, 2)), kLookOn});
  EXPECT_EQ(screen_.shown.back(), 2);
}

TEST_F(Viewing, AStepShowsOneView) {
  run({post(view(0, 1)), press('.'), post(later_view(1, 2)), post(later_view(2, 3)), kLookOn,
       check([&] { EXPECT_EQ(FakeScreen::level(screen_.windows[title_]), 2); }), press('.'),
       post(later_view(3, 4)), kLookOn});
  EXPECT_EQ(screen_.shown.back(), 3);
  EXPECT_EQ(steps_, 2);
  EXPECT_EQ(pauses_, (std::vector<bool>{true}));
}

TEST_F(Viewing, APauseFromElsewhereCounts) {
  run({post(view(0, 1)),
       check([&] { settings_.change([](ViewSettings& settings) { settings.paused = true; }); }),
       kLookOn});
  EXPECT_EQ(pauses_, (std::vector<bool>{true}));
}

TEST_F(Viewing, PausedItRedrawsWhatIsShown) {
  run({post(view(0, 1)), press(' '), press('['), kLookOn});
  EXPECT_EQ(screen_.shown.back(), 40);
}

TEST_F(Viewing, PausedItHasTheShownViewExplainedAgain) {
  run({post(view(4, 1)), press('2'), press(' '), post(later_view(5, 2)), press('3'),
       check([&] { viewer_->post_again(view(3, 8)); }),
       check([&] { viewer_->post_again(view(4, 9)); }), kLookOn});
  EXPECT_EQ(explained_again_, (std::vector<std::int64_t>{4}));  // not while frames come
  EXPECT_EQ(screen_.shown.back(), 9);
  EXPECT_EQ(std::count(screen_.shown.begin(), screen_.shown.end(), 8), 0);
}

TEST_F(Viewing, NoticesGoAfterAMoment) {
  run({post(view(0, 30)), press('c'), kLookOn,
       check([&] { EXPECT_TRUE(screen_.has_notice(title_)); }),
       wait(std::chrono::milliseconds(1499)), kLookOn,
       check([&] { EXPECT_TRUE(screen_.has_notice(title_)); }), wait(std::chrono::milliseconds(1)),
       kLookOn});
  EXPECT_FALSE(screen_.has_notice(title_));
}

TEST_F(Viewing, APauseIsSaidAsLongAsItLasts) {
  run({post(view(0, 30)), press(' '), wait(std::chrono::hours(1)), kLookOn,
       check([&] { EXPECT_TRUE(screen_.has_notice(title_)); }), press(' '), kLookOn});
  EXPECT_FALSE(screen_.has_notice(title_));
}

TEST_F(Viewing, NoticesFromElsewhereAreShown) {
  run({post(view(0, 30)), check([&] { viewer_->tell("layer conv1 cannot be explained"); }),
       kLookOn});
  EXPECT_TRUE(screen_.has_notice(title_));
}

TEST_F(Viewing, FullScreenIsOnAndOff) {
  run({post(view(0, 1)), press('f'), check([&] { EXPECT_TRUE(screen_.full_screen); }), press('f')});
  EXPECT_FALSE(screen_.full_screen);
}

TEST_F(Viewing, LayersAreAskedForOnlyByTheirKeys) {
  int asked = 0;
  hooks_.layers = [&] {
    ++asked;
    return std::vector<std::string>{"layer3", "layer4"};
  };
  run({press('h'), press('l')});
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(settings_.get().layer, "layer4");
}

TEST_F(Viewing, AScreenshotIsTheViewWithoutTheNotice) {
  const TempFolder folder;
  options_.screenshots = folder.path();
  run({post(view(12, 30)), press('c'), kLookOn, press('s'), press('s')});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()),
                          std::filesystem::directory_iterator()),
            2);
  const cv::Mat saved = cv::imread((folder / "gradcam_cam_12.png").string());
  ASSERT_FALSE(saved.empty());
  EXPECT_EQ(cv::countNonZero(saved.reshape(1) != saved.at<cv::Vec3b>(0, 0)[0]), 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "gradcam_cam_12-2.png"));
}

TEST_F(Viewing, AScreenshotThatFailsIsANoticeOnly) {
  options_.screenshots = "/nonexistent";
  run({post(view(0, 30)), press('s'), kLookOn});
  EXPECT_TRUE(screen_.has_notice(title_));
}

TEST_F(Viewing, AMosaicIsSavedWhole) {
  const TempFolder folder;
  streams_ = {"a", "b"};
  options_.mosaic = true;
  options_.screenshots = folder.path();
  run({post(view(3, 50, 0)), post(view(8, 60, 1)), kLookOn, press('s')});
  EXPECT_EQ(cv::imread((folder / "gradcam_mosaic_8.png").string()).size(), cv::Size(324, 120));
}

}  // namespace
}  // namespace gradcam
