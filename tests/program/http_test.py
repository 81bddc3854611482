#!/usr/bin/env python3
"""Cameras, pictures and films by HTTP. Run by ctest.

Picture i of the camera is grey, of level 20 + 25 i: so each tells its number, and what was shown can be held
against what was sent."""

from __future__ import annotations

import http.server
import io
import json
import subprocess
import tempfile
import threading
import time
import unittest
from base64 import b64encode
from pathlib import Path
from typing import Callable, Dict, List, Tuple

from PIL import Image

from program_case import PROGRAM, QUICK, ProgramCase, make_ramp

SENT = 6


def picture(number: int, size: Tuple[int, int] = (64, 48)) -> bytes:
    into = io.BytesIO()
    Image.new("RGB", size, (20 + 25 * number,) * 3).save(into, "JPEG")
    return into.getvalue()


def number_of(shown: Path) -> int:
    with Image.open(shown) as image:
        level = image.convert("L").resize((1, 1)).getpixel((0, 0))
    return round((level - 20) / 25)


def part(jpeg: bytes, length: bool = True, end: bytes = b"\r\n") -> bytes:
    told = b"Content-Length: %d" % len(jpeg) + end if length else b""
    return b"--frame" + end + b"Content-Type: image/jpeg" + end + told + end + jpeg + end


# Some forms; tests/capture/formats/jpeg_parts_test.cpp has them all.
# Name: (what Content-Type says of the boundary, how a picture is sent)
FORMS: Dict[str, Tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("frame", part),
    "lf": ('"--frame"', lambda jpeg: part(jpeg, length=False, end=b"\n")),
    "late": ("frame", lambda jpeg: part(jpeg).partition(b"\r\n")[2] + b"--frame\r\n"),
}


class Camera(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        try:
            kind = self.path.strip("/")
            password = b64encode(b"ada:s3cret").decode()
            if kind == "locked" and self.headers.get("Authorization") != f"Basic {password}":
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif kind in self.server.files:
                self.send_file(*self.server.files[kind])
            else:
                self.send_pictures(kind)
        except OSError:
            pass  # the program has left

    def send_file(self, kind: str, content: bytes) -> None:
        first = int((self.headers.get("Range") or "bytes=0-").split("=")[1].split("-")[0])
        self.send_response(206 if first else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Accept-Ranges", "bytes")
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:])

    def send_pictures(self, kind: str) -> None:
        told, form = FORMS.get(kind, FORMS["plain"])
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={told}")
        self.send_header("Connection", "close")
        self.end_headers()
        for i in range(SENT):
            jpeg = picture(i)
            if kind == "cut" and i % 3 == 1:
                jpeg = jpeg[: len(jpeg) // 2]
            if kind == "noise" and i % 3 == 1:
                jpeg = jpeg[:3] + bytes(300) + jpeg[-2:]
            self.wfile.write(form(jpeg))
            self.wfile.flush()
            if kind == "holds" and i == 0:
                self.server.go_on.wait(60)
            time.sleep(0.02)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Camera)
        self.go_on = threading.Event()
        self.files: Dict[str, Tuple[str, bytes]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Http(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.go_on.set)

    def url(self, kind: str, user: str = "") -> str:
        return f"http://{user}127.0.0.1:{self.server.server_port}/{kind}"

    def shown(self, kind: str, *arguments: object) -> Tuple[List[int], Dict]:
        """The numbers of the pictures that were shown, and the figures of the stream."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            out, stats = Path(folder, "%05d.png"), Path(folder, "s.json")
            done = self.run_program(
                self.url(kind), "--every-frame", "--view", "original", "--no-hud", "-o", out,
                "--stats", stats, *QUICK, *arguments,
            )
            self.assertIn(done.returncode, (0, 6), kind + ": " + done.stderr)
            stream = json.loads(stats.read_text())["streams"][0]
            stream["code"], stream["said"] = done.returncode, done.stderr
            return [number_of(path) for path in sorted(Path(folder).glob("*.png"))], stream

    def test_pictures_come_whole_and_in_order_in_every_form(self) -> None:
        for kind in FORMS:
            numbers, stream = self.shown(kind)
            self.assertEqual(numbers, list(range(SENT)), kind)
            self.assertEqual(stream["code"], 6)
            self.assertIn("its server ended the stream", stream["said"])

    def test_a_limit_ends_it_well(self) -> None:
        numbers, stream = self.shown("plain", "--limit", 3)
        self.assertEqual((numbers, stream["code"], stream["failed"]), ([0, 1, 2], 0, 0))

    def test_pictures_that_cannot_be_decoded_are_counted_and_told(self) -> None:
        for kind in ("cut", "noise"):
            numbers, stream = self.shown(kind)
            self.assertEqual(numbers, [0, 2, 3, 5], kind)
            self.assertEqual((stream["captured"], stream["failed"], stream["code"]), (6, 2, 6), kind)
            self.assertIn("2 of 6 frames failed, first frame ", stream["said"])

    def test_a_picture_is_shown_before_the_next_one_comes(self) -> None:
        command = [str(PROGRAM), self.url("holds"), "-o", "null", "--jsonl", "-", "--headless"]
        command += QUICK
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            first = json.loads(process.stdout.readline())
            self.assertEqual((first["frame"], first["pts_ms"]), (0, 0))
            time.sleep(0.5)
            self.server.go_on.set()
            second = json.loads(process.stdout.readline())
            self.assertGreater(second["pts_ms"], 450)  # times are those of arrival
            process.communicate(timeout=60)

    def test_duration_goes_by_the_clock(self) -> None:
        done = self.run_program(self.url("holds"), "--duration", "300ms", "-o", "null", *QUICK)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(self.server.go_on.is_set())

    def test_password_is_needed_and_never_told(self) -> None:
        good, bad = self.url("locked", "ada:s3cret@"), self.url("locked", "ada:wr0ng@")
        done = self.run_program(
            good, "--every-frame", "--limit", 2, "-o", "null", "--jsonl", "-", *QUICK
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("s3cret", done.stderr + done.stdout)
        self.assertNotIn("wr0ng", self.refused(3, "source", bad, "-o", "null"))

    def test_one_picture_and_a_film_are_what_they_were(self) -> None:
        codec = ("-c:v", "mpeg4", "-q:v", "2")
        film = make_ramp(self.folder / "film.mp4", *codec, count=6, step=25)
        self.server.files = {
            "snapshot.jpg": ("image/jpeg", picture(4)),
            "film.mp4": ("video/mp4", film.read_bytes()),
        }
        self.assertEqual(self.shown("snapshot.jpg")[0], [4])
        self.assertEqual(len(self.shown("film.mp4")[0]), 6)

    def test_what_is_not_there_is_told_in_one_line(self) -> None:
        self.server.files = {"page": ("text/html", b"<html>no camera</html>")}
        self.refused(3, "source", self.url("page"), "-o", "null")


if __name__ == "__main__":
    unittest.main(verbosity=2)
