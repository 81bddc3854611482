#!/usr/bin/env python3
"""Pictures of many kinds through the program, with a network whose scores are known. Run by ctest."""

from __future__ import annotations

import json
import random
import subprocess
import unittest
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import torch
from PIL import Image, features

from program_case import ProgramCase

LABELS = ("red", "green", "blue")
SIZE = (48, 64)  # rows, columns
RED, GREEN, BLUE, GREY = (230, 20, 20), (20, 200, 20), (20, 20, 230), (90, 90, 90)


class Spot(torch.nn.Module):
    """The score of a colour is the mean of how much of it there is beyond the other two."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torch.nn.Conv2d(3, 3, 1, bias=False)
        own, other = 1.0, -0.5
        weights = torch.full((3, 3), other) + torch.eye(3) * (own - other)
        self.features.weight.data = weights[:, :, None, None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 20.0 * self.features(x).relu().mean((2, 3))


def scene(colour: Any, ground: Any = GREY, size: Any = (128, 96), left: int = 40) -> np.ndarray:
    """A square on a ground, RGB; `size`: columns, rows."""
    picture = np.full((size[1], size[0], 3), ground, np.uint8)
    picture[30:60, left : left + 30] = colour
    return picture


class Pictures(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.module = Spot().eval()
        self.network = self.folder / "spot.pt"
        torch.jit.trace(self.module, torch.zeros(1, 3, *SIZE)).save(str(self.network))
        described = {"input_size": SIZE, "mean": [0, 0, 0], "std": [1, 1, 1], "labels": LABELS}
        self.network.with_suffix(".json").write_text(json.dumps(described))

    def run_on(self, *arguments: Any) -> subprocess.CompletedProcess[str]:
        plain = ("-m", self.network, "--engine", "torchscript", "--precision", "fp32")
        return self.run_program(*arguments, *plain, "--log-level", "warning")

    def rows(self, *arguments: Any) -> List[Dict[str, Any]]:
        done = self.run_on(*arguments, "--jsonl", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.told = done.stderr.splitlines()
        return [json.loads(line) for line in done.stdout.splitlines()]

    def scores(self, *arguments: Any) -> List[float]:
        top = self.rows(*arguments)[0]["top"]
        return [score for _, score in sorted((entry["class"], entry["score"]) for entry in top)]

    def by_pytorch(self, picture: Image.Image) -> List[float]:
        resized = picture.resize(SIZE[::-1], Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.asarray(resized, np.float32) / 255).permute(2, 0, 1)
        with torch.no_grad():
            return torch.softmax(self.module(pixels[None])[0], 0).tolist()

    def assert_scores(self, got: List[float], wanted: List[float]) -> None:
        np.testing.assert_allclose(got, wanted, atol=2e-5)

    def seen(self, *arguments: Any) -> np.ndarray:
        """The picture as the network's frame shows it, RGB."""
        path = self.folder / "seen.png"
        done = self.run_on(*arguments, "--view", "original", "--no-hud", "-o", path, "-y")
        self.assertEqual(done.returncode, 0, done.stderr)
        return np.asarray(Image.open(path).convert("RGB")).astype(int)

    def test_both_orientations_are_resized_as_pillow_does_it(self) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (900, 300, 3), dtype=np.uint8)
        for name, pixels in (("tall", noise), ("wide", np.ascontiguousarray(noise[:260]))):
            picture = Image.fromarray(pixels)
            picture.save(self.folder / f"{name}.png")
            got = self.scores(self.folder / f"{name}.png")
            self.assert_scores(got, self.by_pytorch(picture))

    def test_a_motion_photo_is_its_picture_and_a_cut_one_is_refused(self) -> None:
        for name, options in (("baseline", {}), ("progressive", {"progressive": True})):
            photo = self.folder / f"{name}.jpg"
            Image.fromarray(scene(RED)).save(photo, quality=95, **options)
            whole, wanted = photo.read_bytes(), self.scores(photo)
            film = b"\0\0\0\x18ftypmp42" + b"\xff\xda\x11" + random.Random(3).randbytes(99999)
            photo.write_bytes(whole + film)
            self.assertEqual(self.scores(photo), wanted)
            photo.write_bytes(whole[: len(whole) * 2 // 3])
            done = self.run_on(photo, "-o", "null")
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"{name}.jpg': damaged: the JPEG was cut off", done.stderr)

    def test_a_background_makes_cut_outs_what_viewers_show(self) -> None:
        cutouts = self.folder / "cutouts"
        cutouts.mkdir()
        for name, hidden in (("a", GREY), ("b", (0, 0, 255))):
            alpha = np.zeros((96, 128), np.uint8)
            alpha[30:60, 40:70] = 255
            stored = np.dstack([scene(RED, hidden), alpha])
            Image.fromarray(stored).save(cutouts / f"{name}.png")
            Image.fromarray(stored).save(cutouts / f"{name}.webp", lossless=True, exact=True)
        as_stored = Image.open(cutouts / "b.png").convert("RGB")
        self.assert_scores(self.scores(cutouts / "b.png"), self.by_pytorch(as_stored))
        self.assertEqual(len(self.told), 1, self.told)
        self.assertIn("--background", self.told[0])
        on_white = self.by_pytorch(Image.fromarray(scene(RED, (255, 255, 255))))
        for colour in ("white", "#ffffff"):
            for row in self.rows(cutouts, "--background", colour):
                got = {entry["class"]: entry["score"] for entry in row["top"]}
                self.assert_scores([got[index] for index in range(3)], on_white)
        self.assertEqual(self.told, [])
        self.assertEqual(len(self.rows(cutouts)), 4)
        self.assertEqual(len(self.told), 1, self.told)
        done = self.run_on(cutouts, "-o", "null", "--background", "whitish")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--background: 'whitish'", done.stderr)

    def test_twelve_bits_in_sixteen_are_found_out_and_told(self) -> None:
        path = self.folder / "deep.png"
        grey = scene((220, 220, 220), (60, 60, 60))[..., 0]
        Image.fromarray(grey.astype(np.uint16) * 16).save(path)
        np.testing.assert_array_equal(self.seen(path)[..., 1], grey)
        self.rows(path)
        self.assertEqual(len(self.told), 1, self.told)
        self.assertIn("up to 3520: taken for 12 bits", self.told[0])

    def test_float_pictures_are_shown_from_nought_to_one_or_by_their_range(self) -> None:
        grey = scene((220, 220, 220), (60, 60, 60))[..., 0]
        for name, values, levels in (
            ("unit.tif", grey.astype(np.float32) / 255, grey),
            ("kelvin.tif", grey.astype(np.float32) + 250, np.where(grey == 60, 0, 255)),
        ):
            Image.fromarray(values).save(self.folder / name)
            np.testing.assert_array_equal(self.seen(self.folder / name)[..., 0], levels)

    def test_moving_pictures_are_films_with_their_own_times(self) -> None:
        colours, durations = (RED, GREEN, BLUE, RED), (40, 1500, 70, 200)
        frames = [Image.fromarray(scene(c, left=20 * i)) for i, c in enumerate(colours)]
        for name, options in (("a.webp", {"lossless": True}), ("a.png", {})):
            path = self.folder / name
            save: Dict[str, Any] = {"save_all": True, "append_images": frames[1:], **options}
            frames[0].save(path, duration=list(durations), **save)
            rows = self.rows(path)
            self.assertEqual([row["pts_ms"] for row in rows], [0, 40, 1540, 1610], name)
            for row, frame in zip(rows, frames):
                got = {entry["class"]: entry["score"] for entry in row["top"]}
                self.assert_scores([got[index] for index in range(3)], self.by_pytorch(frame))

    def in_format_or_refused(self, path: Path, library: str) -> None:
        """Of a build without the library one line that says so."""
        done = self.run_on(path, "-o", "null")
        if done.returncode != 0:
            self.assertEqual(done.returncode, 3)
            self.assertIn(library, done.stderr)
            self.skipTest(f"skipped: built without {library}")
        shown, wanted = self.seen(path), scene(RED)
        for place in ((10, 10), (45, 55)):
            far = abs(shown[place] - wanted[place]).max()
            self.assertLessEqual(far, 4, f"{path.name} {place}: {shown[place]}")

    @unittest.skipUnless(features.check("avif"), "skipped: this Pillow writes no AVIF")
    def test_avif(self) -> None:
        path = self.folder / "a.avif"
        Image.fromarray(scene(RED)).save(path, quality=95)
        self.in_format_or_refused(path, "libheif")

    def test_jpeg_xl(self) -> None:
        source, path = self.folder / "a.png", self.folder / "a.jxl"
        Image.fromarray(scene(RED)).save(source)
        write = ["ffmpeg", "-v", "error", "-i", str(source), "-c:v", "libjxl", "-f", "image2"]
        subprocess.run([*write, "-update", "1", str(path)], check=True)
        self.in_format_or_refused(path, "libjxl")

    def test_a_percent_sign_is_a_letter_of_an_output(self) -> None:
        source = self.folder / "a.png"
        Image.fromarray(scene(RED)).save(source)
        (self.folder / "100%").mkdir()
        for name in ("50%.png", "100%/50%s.jpg", "100%/50%_%03d.png"):
            done = self.run_on(source, "-o", self.folder / name)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue((self.folder / name.replace("%03d", "000")).exists(), name)


if __name__ == "__main__":
    unittest.main()
