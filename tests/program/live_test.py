#!/usr/bin/env python3
"""Live runs of the program from outside: drops, order, failures, stops, no display. Run by ctest."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from contextlib import contextmanager
from pathlib import Path
from typing import Dict, Iterator, List

from program_case import PROGRAM
from x_server import TOOLS, XServer, within

RTSP_SERVER = os.environ.get("RTSP_SERVER", "")
with_gstreamer = unittest.skipUnless(RTSP_SERVER, "skipped: built without GStreamer")
STOPS = int(os.environ.get("TEST_STOPS", "8"))


def without_display() -> Dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}


def run(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess:
    command = [str(PROGRAM), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, env=without_display()
    )


@contextmanager
def rtsp_server(*arguments: str) -> Iterator[str]:
    """The URL of a server that lives as long as the block."""
    command = [RTSP_SERVER, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def wait_until_it_takes_signals(process: subprocess.Popen) -> None:
    """Until the loader has mapped its libraries, SIGTERM kills any process."""
    status = Path(f"/proc/{process.pid}/status")
    sigterm = 1 << (signal.SIGTERM - 1)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        blocked = next(line for line in status.read_text().splitlines() if "SigBlk" in line)
        if int(blocked.split()[1], 16) & sigterm:
            return
        time.sleep(0.01)
    raise AssertionError("the program did not begin")


def frames_of(film: Path) -> int:
    text = subprocess.check_output(
        ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v"]
        + ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", str(film)],
        text=True,
    )
    return int(text)


class Live(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def figures(self, *arguments: object) -> List[Dict]:
        """Streams of a run that ends well, each with its invariant checked."""
        stats = self.folder / "stats.json"
        done = run(*arguments, "-y", "--stats", stats)
        self.assertIn(done.returncode, (0, 6), done.stderr)
        streams = json.loads(stats.read_text())["streams"]
        for stream in streams:
            dropped = sum(stream["dropped"].values())
            self.assertEqual(stream["captured"], stream["shown"] + stream["failed"] + dropped)
            self.assertEqual(stream["shown"], stream["explained"] + stream["carried"])
        return streams

    def test_a_source_too_fast_loses_frames_and_keeps_order(self) -> None:
        lines = self.folder / "l.jsonl"
        (stream,) = self.figures("test:@1000", "--live", "--limit", 300, "--jsonl", lines)
        frames = [json.loads(line) for line in lines.read_text().splitlines()]
        numbers = [frame["frame"] for frame in frames]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-1], 299)
        self.assertGreater(sum(stream["dropped"].values()), 0)
        gaps = [b - a - 1 for a, b in zip([-1] + numbers, numbers)]
        self.assertEqual([frame["dropped_before"] for frame in frames], gaps)

    def test_every_frame_of_a_fast_source_is_shown_on_request(self) -> None:
        (stream,) = self.figures("test:@1000", "--every-frame", "--limit", 60, "-o", "null")
        self.assertEqual((stream["shown"], stream["explained"]), (60, 60))

    def test_frames_between_carry_the_map_of_the_last(self) -> None:
        lines = self.folder / "l.jsonl"
        (stream,) = self.figures("test", "--every", 3, "--limit", 20, "--jsonl", lines)
        self.assertEqual((stream["explained"], stream["carried"]), (7, 13))
        for frame in map(json.loads, lines.read_text().splitlines()):
            self.assertEqual(frame["map_of"], frame["frame"] - frame["frame"] % 3)

    @with_gstreamer
    def test_one_of_several_live_sources_fails_alone(self) -> None:
        failing = "gst:videotestsrc is-live=true ! video/x-raw,framerate=30/1 ! identity error-after=15"
        good = ["test:320x240@30", "test:320x240@30", "test:320x240@30"]
        streams = self.figures(*good, failing, "--live", "--limit", 45, "-o", "null")
        self.assertEqual([stream["captured"] for stream in streams[:3]], [45, 45, 45])
        self.assertEqual([bool(stream.get("source_error")) for stream in streams], [False] * 3 + [True])
        done = run(*good, failing, "--live", "--limit", 45, "-o", "null")
        self.assertEqual(done.returncode, 6)
        self.assertIn("error-after", done.stderr)

    @with_gstreamer
    def test_rtsp_camera_is_recorded_with_rising_times(self) -> None:
        out, lines = self.folder / "o.mkv", self.folder / "l.jsonl"
        with rtsp_server() as url:
            (stream,) = self.figures(url, "--limit", 50, "-o", out, "--jsonl", lines)
        times = [json.loads(line)["pts_ms"] for line in lines.read_text().splitlines()]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual(len(times), stream["shown"])
        self.assertEqual(frames_of(out), stream["shown"])

    @with_gstreamer
    def test_rtsp_password_is_needed_and_never_told(self) -> None:
        with rtsp_server("--password") as url:
            good = url.replace("rtsp://", "rtsp://ada:s3cret@")
            bad = url.replace("rtsp://", "rtsp://ada:wr0ng@")
            done = run(good, "--limit", 5, "-o", "null", "--jsonl", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("s3cret", done.stderr + done.stdout)
            refused = run(bad, "-o", "null", timeout=30)
            self.assertEqual(refused.returncode, 3, refused.stderr)
            self.assertNotIn("wr0ng", refused.stderr)

    @with_gstreamer
    def test_rtsp_server_that_goes_away_ends_the_stream(self) -> None:
        with rtsp_server() as url:
            command = [str(PROGRAM), url, "-o", str(self.folder / "o.mkv")]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, env=without_display())
            while not (self.folder / "o.mkv").exists():
                self.assertIsNone(process.poll())
                time.sleep(0.05)
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 6, said.decode())
        self.assertGreater(frames_of(self.folder / "o.mkv"), 0)

    def test_no_display_is_one_line_and_exit_5(self) -> None:
        done = run("test", "--limit", 5)
        self.assertEqual(done.returncode, 5, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("gradcam-live:")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertIn("display", lines[0])

    def test_no_display_but_another_output_goes_on(self) -> None:
        out = self.folder / "o.mp4"
        done = run("test", "--limit", 5, "-o", out, "--show")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("display", done.stderr)
        self.assertEqual(frames_of(out), 5)

    @unittest.skipUnless(all(map(shutil.which, TOOLS)), "skipped: needs " + ", ".join(TOOLS))
    def test_a_display_that_goes_away_leaves_recordings_whole(self) -> None:
        x = XServer()
        out, lines = self.folder / "o.mp4", self.folder / "l.jsonl"
        command = [str(PROGRAM), "test:@60", "--live", "--show", "-o", str(out)]
        command += ["--jsonl", str(lines)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env=x.environment) as process:
            within("frames", lambda: lines.exists() and lines.read_text().count("\n") > 30)
            x.server.kill()
            _, said = process.communicate(timeout=20)
        x.close()
        self.assertEqual(process.returncode, 5, said.decode())
        self.assertIn("the display is gone", said.decode())
        self.assertEqual(frames_of(out), lines.read_text().count("\n"))

    def test_stop_at_any_moment_leaves_nothing_behind(self) -> None:
        chance = random.Random(4)
        longest = 0.0
        for i in range(STOPS):
            out = self.folder / f"{i}.mkv"
            command = [str(PROGRAM), "test:@60", "--live", "-o", str(out)]
            with subprocess.Popen(command, stderr=subprocess.PIPE, env=without_display()) as process:
                wait_until_it_takes_signals(process)
                time.sleep(chance.random() * 3)
                process.send_signal(signal.SIGTERM)
                begin = time.monotonic()
                _, said = process.communicate(timeout=20)
                longest = max(longest, time.monotonic() - begin)
            self.assertEqual(process.returncode, 0, said.decode())
            if out.exists() and out.stat().st_size > 0:
                self.assertGreaterEqual(frames_of(out), 1)
        print(f"{STOPS} stops, the longest took {longest:.2f} s")


if __name__ == "__main__":
    unittest.main(verbosity=2)
