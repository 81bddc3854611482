// An RTSP server on loopback for tests: a moving ball, 320x240 at 25 frames/s; with --password for
// user "ada" and password "s3cret" alone. Prints its URL and runs until its input ends.
#include <gst/rtsp-server/rtsp-server.h>

#include <cstdio>
#include <string>
#include <thread>

namespace {

constexpr const char* kPicture =
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 )";

void require_password(GstRTSPServer* server, GstRTSPMediaFactory* factory) {
  GstRTSPAuth* const auth = gst_rtsp_auth_new();
  GstRTSPToken* const token =
      gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "user", nullptr);
  gchar* const basic = gst_rtsp_auth_make_basic("ada", "s3cret");
  gst_rtsp_auth_add_basic(auth, basic, token);
  g_free(basic);
  gst_rtsp_token_unref(token);
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
  gst_rtsp_media_factory_add_role(factory, "user", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                  G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                  G_TYPE_BOOLEAN, TRUE, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(nullptr, nullptr);
  GMainLoop* const loop = g_main_loop_new(nullptr, FALSE);
  GstRTSPServer* const server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, "0");  // a free port
  GstRTSPMediaFactory* const factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, kPicture);
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  if (argc > 1 && std::string(argv[1]) == "--password") require_password(server, factory);
  GstRTSPMountPoints* const mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/cam", factory);
  g_object_unref(mounts);
  if (gst_rtsp_server_attach(server, nullptr) == 0) {
    std::fprintf(stderr, "rtsp_server: no port\n");
    return 1;
  }
  std::printf("rtsp://127.0.0.1:%d/cam\n", gst_rtsp_server_get_bound_port(server));
  std::fflush(stdout);
  // The test ends it by closing its input, also by ending itself.
  std::thread([loop] {
    while (std::getchar() != EOF) {
    }
    g_main_loop_quit(loop);
  }).detach();
  g_main_loop_run(loop);
  return 0;
}
