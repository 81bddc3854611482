#!/usr/bin/env python3
"""The window as its user sees it: keys, sizes, closing, under a virtual X server. Run by ctest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import List, Tuple

from x_server import PATIENCE, SCREEN, TOOLS, XServer, environment, within

ROOT = Path(__file__).resolve().parents[2]
DRIVER = Path(os.environ.get("PROGRAM_UNDER_TEST", ROOT / "build/release/tests/window_driver"))
TITLE = "gradcam-live: cam1"


@unittest.skipUnless(all(map(shutil.which, TOOLS)), "skipped: needs " + ", ".join(TOOLS))
class Window(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.x = XServer()
        cls.addClassCleanup(cls.x.close)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, what: str, title: str = TITLE) -> None:
        self.out, self.err = self.folder / "out", self.folder / "err"
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.driver = subprocess.Popen(
                [str(DRIVER), what], cwd=self.folder, env=self.x.environment, stdout=out, stderr=err
            )
        self.addCleanup(self.driver.wait)
        self.addCleanup(self.driver.kill)
        self.window = self.find(title)
        self.listens()

    def listens(self) -> None:
        """A key that comes while the window is still laid out can be lost; these may be repeated."""
        for key, text in (("2", "rank=2"), ("0", "rank=0")):

            def seen() -> bool:
                self.press(key)
                time.sleep(0.2)
                return text in self.last_line()

            within("a key in the new window", seen)

    def find(self, title: str) -> str:
        search = ("xdotool", "search", "--onlyvisible", "--name", "^%s$" % title)
        return str(within("window " + title, lambda: self.x.tool(*search).strip()))

    def press(self, key: str) -> None:
        self.x.tool("xdotool", "windowactivate", "--sync", self.window, "key", key)

    def last_line(self) -> str:
        return (self.out.read_text().splitlines() or [""])[-1]

    def says(self, text: str) -> None:
        within(text, lambda: text in self.last_line())

    def press_and_see(self, key: str, text: str) -> None:
        self.press(key)
        self.says(text)

    def ends(self) -> None:
        self.assertEqual(self.driver.wait(PATIENCE), 0)
        self.assertEqual(self.out.read_text().splitlines()[-1], "end")
        self.assertEqual(self.err.read_text(), "")  # no warnings of Qt

    def size(self) -> Tuple[int, int]:
        lines = self.x.tool("xdotool", "getwindowgeometry", "--shell", self.window).splitlines()
        values = dict(line.split("=") for line in lines if "=" in line)
        return int(values.get("WIDTH", -1)), int(values.get("HEIGHT", -1))

    def look(self, keep_as: str) -> bytes:
        return self.x.pixels(self.window, keep_as)

    def picture_area(self, size: Tuple[int, int], keep_as: str) -> Tuple[int, int, int, int]:
        """Left, top, width, height of what is not black in a window of this size."""
        width, height = size
        pixels = self.look(keep_as)
        if len(pixels) != 3 * width * height:
            return (0, 0, 0, 0)

        def bright(column: int, row: int) -> bool:
            at = 3 * (row * width + column)
            return max(pixels[at : at + 3]) > 30

        columns = [c for c in range(width) if bright(c, height // 2)]
        rows = [r for r in range(height) if bright(width // 2, r)]
        if not columns or not rows:
            return (0, 0, 0, 0)
        return (columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)

    def shows(self, size: Tuple[int, int], area: Tuple[int, int, int, int], keep_as: str) -> None:
        within("size %dx%d" % size, lambda: self.size() == size)
        within("picture of " + keep_as, lambda: self.picture_area(size, keep_as) == area)

    def test_keys_reach_the_settings(self) -> None:
        self.start("one")
        self.says("view=0 opacity=0.50 colormap=0 hud=1 rank=0 index=-1 layer= paused=0")
        keys: List[Tuple[str, str]] = [
            ("bracketright", "opacity=0.60"),
            ("bracketleft", "opacity=0.50"),
            ("c", "colormap=1"),
            ("shift+c", "colormap=2"),  # the code of Shift comes first, and is no key of ours
            ("h", "hud=0"),
            ("h", "hud=1"),
            ("2", "rank=2"),
            ("t", "index=282"),
            ("0", "rank=0 index=-1"),
            ("l", "layer=layer4"),
            ("k", "layer=layer3"),
            ("v", "view=1"),
            ("v", "view=2"),
            ("v", "view=3"),
            ("v", "view=0"),
            ("space", "paused=1"),
            ("space", "paused=0"),
            ("period", "paused=1"),
        ]
        for key, text in keys:
            with self.subTest(key=key):
                self.press_and_see(key, text)
        self.look("keys")
        self.press("q")
        self.ends()

    def test_escape_quits(self) -> None:
        self.start("one")
        self.press("Escape")
        self.ends()

    def test_closing_the_window_quits(self) -> None:
        self.start("one")
        self.press("alt+F4")
        self.ends()

    def test_closing_one_of_two_windows_quits(self) -> None:
        self.start("two")
        self.find("gradcam-live: cam2")
        self.press("alt+F4")
        self.ends()

    def test_windows_go_when_the_user_quits(self) -> None:
        self.start("two")
        self.find("gradcam-live: cam2")
        self.press("q")
        self.ends()
        self.assertEqual(self.x.tool("xdotool", "search", "--name", "gradcam-live"), "")

    def test_the_window_is_the_picture_alone(self) -> None:
        self.start("one")
        self.shows((640, 360), (0, 0, 640, 360), "first")  # no tool bar, no status bar

    def test_another_shape_keeps_the_aspect(self) -> None:
        self.start("one")
        for size, area in (
            ((900, 300), (183, 0, 533, 300)),
            ((320, 400), (0, 110, 320, 180)),
            ((1100, 619), (0, 0, 1100, 619)),
        ):
            self.x.tool("xdotool", "windowsize", self.window, *size)
            self.shows(size, area, "resized_%dx%d" % size)
        self.press_and_see("space", "paused=1")
        self.x.tool("xdotool", "windowsize", self.window, 900, 300)  # drawn anew though paused
        self.shows((900, 300), (183, 0, 533, 300), "paused")

    def test_full_screen_and_back(self) -> None:
        self.start("one")
        self.shows((640, 360), (0, 0, 640, 360), "window")
        self.press("f")
        self.shows(SCREEN, (0, 50, 1600, 900), "full_screen")
        self.press("f")
        self.shows((640, 360), (0, 0, 640, 360), "window_again")

    def test_mosaic_is_one_window(self) -> None:
        self.start("mosaic", "gradcam-live")
        within("size", lambda: self.size() == (1280, 359))  # two of 640x360 and a gap, made smaller
        self.look("mosaic")
        self.press("s")
        saved = within("screenshot", lambda: list(self.folder.glob("gradcam_mosaic_*.png")))
        self.assertEqual(len(saved), 1)
        self.press("q")
        self.ends()

    def test_screenshots_land_in_the_working_folder(self) -> None:
        self.start("one")
        self.press_and_see("space", "paused=1")
        for count in (1, 2):
            self.press("s")
            within("file", lambda: len(list(self.folder.glob("gradcam_cam1_*.png"))) == count)
        self.look("screenshot")


@unittest.skipUnless(shutil.which("Xvfb"), "skipped: needs Xvfb")
class Display(unittest.TestCase):
    def probe(self, **variables: str) -> Tuple[int, str]:
        done = subprocess.run(
            [str(DRIVER), "--display"],
            env=environment(**variables),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.strip()

    def test_none(self) -> None:
        self.assertEqual(self.probe(), (5, "there is no display (DISPLAY is not set)"))

    def test_one_that_nobody_serves(self) -> None:
        self.assertEqual(
            self.probe(DISPLAY=":987"), (5, "no window can be opened (DISPLAY=:987)")
        )

    def test_wayland_without_a_server(self) -> None:
        code, text = self.probe(WAYLAND_DISPLAY="wayland-987")
        self.assertEqual((code, text), (5, "no window can be opened (WAYLAND_DISPLAY=wayland-987)"))

    def test_a_usable_one(self) -> None:
        x = XServer()
        self.addCleanup(x.close)
        display = x.environment["DISPLAY"]
        self.assertEqual(self.probe(DISPLAY=display), (0, "there is a display"))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
