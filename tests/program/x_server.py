"""A virtual X server for tests of windows."""

from __future__ import annotations

import os
import select
import subprocess
import time
from pathlib import Path
from typing import Dict

PICTURES = os.environ.get("GRADCAM_TEST_PICTURES")  # a folder that keeps what the windows showed
SCREEN = (1600, 1000)
PATIENCE = 20.0  # seconds that anything may take on a busy machine
TOOLS = ("Xvfb", "openbox", "xdotool", "ffmpeg")


def environment(**variables: str) -> Dict[str, str]:
    ours = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QT_LOGGING_RULES")
    return {**{k: v for k, v in os.environ.items() if k not in ours}, **variables}


class XServer:
    """A virtual screen with a window manager."""

    def __init__(self) -> None:
        reads, writes = os.pipe()
        size = "%dx%dx24" % SCREEN
        self.server = subprocess.Popen(
            # Without -noreset the server starts anew, and takes the window manager's connection
            # with it, when a tool that asks for something was for a moment the only client.
            ["Xvfb", "-displayfd", str(writes), "-screen", "0", size, "-nolisten", "tcp", "-noreset"],
            pass_fds=[writes],
            stderr=subprocess.DEVNULL,
        )
        os.close(writes)
        ready, _, _ = select.select([reads], [], [], PATIENCE)
        with os.fdopen(reads) as line:
            number = line.readline().strip() if ready else ""
        if not number:
            self.server.kill()
            raise RuntimeError("Xvfb did not start")
        self.environment = environment(DISPLAY=":" + number)
        self.manager = subprocess.Popen(
            ["openbox", "--sm-disable"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # Keys reach a window only once somebody gives it the focus; the first start takes a while.
        within("window manager", lambda: self.tool("xdotool", "get_num_desktops").strip())

    def close(self) -> None:
        for process in (self.manager, self.server):
            process.terminate()
            process.wait(PATIENCE)

    def tool(self, *arguments: object) -> str:
        return subprocess.run(
            [str(each) for each in arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        ).stdout

    def pixels(self, window: str, keep_as: str) -> bytes:
        """What is inside a window, RGB."""
        grab = ["ffmpeg", "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-window_id", window]
        grab += ["-i", self.environment["DISPLAY"], "-frames:v", "1"]
        if PICTURES:
            name = str(Path(PICTURES) / (keep_as + ".png"))
            subprocess.run([*grab, "-y", name], env=self.environment, check=True, timeout=PATIENCE)
        raw = [*grab, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        return subprocess.run(
            raw, env=self.environment, stdout=subprocess.PIPE, check=True, timeout=PATIENCE
        ).stdout


def within(what: str, test) -> object:
    """The first result of `test` that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        result = test()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("not in time: " + what)
