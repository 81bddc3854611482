#!/usr/bin/env python3
"""Films that are damaged, cut off or whose clock is odd: what is shown, and what is told. Run by ctest.

The right values are those of ffprobe. In frame i of the film `ramp` all is grey, of level 20 + 4 i: so each
frame tells its number."""

from __future__ import annotations

import json
import subprocess
import unittest
from pathlib import Path
from typing import Any, Dict, List, Tuple

from PIL import Image

from program_case import PROGRAM, QUICK, ProgramCase, ffmpeg, make_ramp

H264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "10")


def make_lively(path: Path, *arguments: Any) -> Path:
    """Much moves, so that damage hits something."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x192:r=25", "-frames:v", 50, *arguments, path)
    return path


def probe(film: Path, what: str, key: str) -> List[Any]:
    text = subprocess.check_output(
        ["ffprobe", "-v", "quiet", "-select_streams", "v", "-show_entries", f"{what}={key}"]
        + ["-of", "json", str(film)],
        text=True,
    )
    return [entry[key] for entry in json.loads(text)[what + "s"] if key in entry]


def times(film: Path) -> List[float]:
    return [float(time) for time in probe(film, "frame", "pts_time")]


class FilmFaults(ProgramCase):
    def run_film(self, *arguments: Any) -> Tuple[List[Dict], Dict, subprocess.CompletedProcess]:
        lines, stats = self.folder / "l.jsonl", self.folder / "s.json"
        done = self.run_program(
            *arguments, "-y", "--jsonl", lines, "--stats", stats, "--log-level", "warning", *QUICK
        )
        self.assertIn(done.returncode, (0, 6), done.stderr)
        rows = [json.loads(line) for line in lines.read_text().splitlines()]
        return rows, json.loads(stats.read_text())["streams"][0], done

    def times_of(self, *arguments: Any) -> List[float]:
        return [row["pts_ms"] / 1000 for row in self.run_film(*arguments)[0]]

    def assert_times(self, got: List[float], wanted: List[float], delta: float = 0.0011) -> None:
        self.assertEqual(len(got), len(wanted), got)
        for a, b in zip(got, wanted):
            self.assertAlmostEqual(a, b, delta=delta)

    def spoil(self, film: Path, packet: int, begin: int = 0, count: int = 0) -> None:
        """Puts noise into a packet, from its byte `begin` on."""
        place = int(probe(film, "packet", "pos")[packet])
        size = int(probe(film, "packet", "size")[packet])
        data = bytearray(film.read_bytes())
        for i in range(begin, begin + count if count else size):
            data[place + i] = (37 * i + 90) % 251
        film.write_bytes(data)

    def test_a_picture_that_cannot_be_decoded_is_counted_and_told(self) -> None:
        film = make_ramp(self.folder / "a.avi", "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p")
        self.spoil(film, 20)
        rows, stream, done = self.run_film(film)
        self.assertEqual([row["frame"] for row in rows], [i for i in range(50) if i != 20])
        self.assertEqual((stream["captured"], stream["shown"], stream["failed"]), (50, 49, 1))
        self.assertEqual(done.returncode, 6)
        self.assertIn("1 of 50 frames failed, first frame 20: it cannot be decoded", done.stderr)

    def test_damage_that_a_decoder_hides_is_told(self) -> None:
        film = make_lively(self.folder / "a.mkv", *H264, "-bf", "0", "-g", "100")
        whole = self.run_film(film)[2]
        self.assertEqual(whole.returncode, 0)
        self.assertNotIn("damaged", whole.stderr)
        size = int(probe(film, "packet", "size")[25])
        self.spoil(film, 25, begin=size // 2, count=30)
        rows, stream, done = self.run_film(film)
        self.assertEqual((len(rows), stream["failed"], done.returncode), (50, 0, 6))
        self.assertGreaterEqual(stream["damaged"], 1)
        self.assertIn("frames are damaged in the source, first frame 25", done.stderr)

    def test_a_film_without_its_last_frame_is_told(self) -> None:
        for name in ("a.mp4", "a.mkv", "a.avi"):
            codec = ("-c:v", "mpeg4", "-q:v", "2") if name == "a.avi" else (*H264, "-bf", "0")
            film = make_ramp(self.folder / name, *codec, "-movflags", "faststart", count=43)
            self.assertEqual(self.run_film(film)[2].returncode, 0, name)
            end = int(probe(film, "packet", "pos")[42]) + int(probe(film, "packet", "size")[42])
            film.write_bytes(film.read_bytes()[: end - 10])
            rows, stream, done = self.run_film(film)
            self.assertEqual((len(rows), done.returncode), (len(times(film)), 6), name)
            said = f"{stream['failed']} of 43 frames failed, first frame 42"
            if not stream["failed"]:
                said = "ended after 1.680 s of the 1.720 s" if len(rows) == 42 else "damaged"
            self.assertIn(said, done.stderr, name)

    def test_info_knows_the_length_of_a_film_whose_writer_was_killed(self) -> None:
        film = make_ramp(
            self.folder / "a.mp4", *H264, "-bf", 0, "-g", 10, "-movflags", "frag_keyframe+empty_moov"
        )
        data = film.read_bytes()
        film.write_bytes(data[: data.rindex(b"moof") - 4])  # 40 of 50 frames are there
        done = subprocess.run([PROGRAM, "info", film], capture_output=True, text=True, check=True)
        self.assertIn("duration   1.600 s", done.stdout)

    def test_a_source_that_begins_late_does_so_in_the_output(self) -> None:
        film = make_ramp(self.folder / "a.mkv", *H264, "-output_ts_offset", 5)
        out = self.folder / "o.mkv"
        got = self.times_of(film, "-o", out)
        self.assertAlmostEqual(got[0], 5, delta=0.1)
        self.assert_times(got, times(film))
        self.assert_times(times(out), times(film))

    def test_a_part_begins_at_zero_and_its_lines_tell_the_time_of_the_film(self) -> None:
        film, out = make_ramp(self.folder / "a.mkv", *H264), self.folder / "o.mkv"
        got = self.times_of(film, "--start", 1, "--duration", 0.5, "-o", out)
        self.assert_times(got, [time for time in times(film) if 1 <= time < 1.5])
        self.assert_times(times(out), [time - got[0] for time in got])

    def test_start_takes_no_frame_from_before_it(self) -> None:
        interlaced = (*H264, "-flags", "+ilme+ildct", "-x264opts", "tff=1", "-vf", "setfield=tff")
        start = 1.01
        for name, codec in (("i.ts", interlaced), ("p.mkv", H264)):
            film = make_ramp(self.folder / name, *codec)
            told = [time - times(film)[0] for time in times(film)]
            first = next(i for i, time in enumerate(told) if time >= start)
            series = self.folder / f"{name}%02d.png"
            got = self.times_of(
                film, "--start", start, "--limit", 2, "-o", series, "--view", "original", "--no-hud"
            )
            self.assert_times(got, told[first : first + 2])
            with Image.open(str(series) % 0) as shown:
                level = 16 + (shown.getpixel((20, 20))[0]) * 219 / 255
            self.assertEqual(round((level - 20) / 4), first, name)

    def test_transport_streams_keep_distances_of_seconds(self) -> None:
        film = make_ramp(self.folder / "a.ts", *H264, "-bf", 0, rate="1", count=10)
        got = self.times_of(film)
        self.assert_times([time - got[0] for time in got], list(map(float, range(10))))
        self.assert_times(self.times_of(film, "--start", got[0] + 4.5), got[5:])

    def test_transport_streams_go_on_where_their_clock_steps_back(self) -> None:
        parts = [
            make_lively(self.folder / "a.ts", *H264),
            make_lively(self.folder / "b.ts", "-vf", "scale=640:384", *H264),
        ]
        film = self.folder / "c.ts"
        film.write_bytes(b"".join(part.read_bytes() for part in parts))
        rows, _, done = self.run_film(film)
        got = [row["pts_ms"] / 1000 for row in rows]
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_times([time - got[0] for time in got], [i / 25 for i in range(100)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
