#!/usr/bin/env python3
"""What scripts/fuzz_models.py thinks of how a file was read, and the files it makes."""

from __future__ import annotations

import io
import tempfile
import unittest
import zipfile
from pathlib import Path
from random import Random

import onnx
from onnx import TensorProto, helper

from gradcam_tools.fuzz import mutate_files, mutate_onnx, tiny_tflite
from gradcam_tools.fuzz.verdicts import Verdict, verdict_of

FILE = Path("/tmp/net.onnx")
LIBC = "/lib/x86_64-linux-gnu/libc.so.6(gsignal+0x12)[0x7f6293059fb2]\n"
HANDLER = "/b/read_models(+0x5a574)[0x55b39c201574]\n" + LIBC
LIBRARY = "/v/libopenvino.so.2641(_ZN2ov5Model5cloneEv+0x28)[0x7f32e3a4f6c8]\n"
OWN = "/b/read_models(+0x5a91d)[0x55b39c20191d]\n"
ASAN = """=================================================================
==12==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x6020000000f4 at pc 0x55
READ of size 4 at 0x6020000000f4 thread T0
    #0 0x7f11 in __interceptor_memcpy ../../../../src/libsanitizer/asan/asan_interceptors.cpp:827
    #1 0x55d8 in {top}
    #2 0x55d9 in gradcam::load_model(gradcam::ExplainOptions const&) /r/stages/explain/load.cpp:40
0x6020000000f4 is located 0 bytes to the right of 4-byte region
allocated by thread T0 here:
    #0 0x7f11 in operator new(unsigned long) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:95
    #1 0x55d7 in gradcam::somewhere() /r/stages/explain/load.cpp:12
"""


def verdict(end: str, text: str = "") -> Verdict:
    return verdict_of(end, text, FILE, "read_models")


class Verdicts(unittest.TestCase):
    def test_right_are_success_and_one_line_with_exit_4(self) -> None:
        self.assertEqual(verdict("exit 0").kind, "read")
        line = f"gradcam-live: model '{FILE}': no\n"
        self.assertEqual(verdict("exit 4", line).kind, "refused")
        for end, text in (
            ("exit 4", line + line),
            ("exit 4", ""),
            ("exit 4", "gradcam-live: no\n"),
            ("exit 1", line),
            ("exit 2", line),
        ):
            self.assertEqual(verdict(end, text).kind, "failed", (end, text))

    def test_a_crash_belongs_to_who_stands_on_top_of_the_stack(self) -> None:
        self.assertEqual(verdict("signal 6", HANDLER + LIBC + OWN).kind, "failed")
        self.assertEqual(verdict("signal 11", HANDLER + LIBRARY + OWN).kind, "outside")
        self.assertIn("libopenvino", verdict("signal 11", HANDLER + LIBRARY + OWN).why)
        self.assertEqual(verdict("signal 11").kind, "failed")

    def test_reports_of_the_sanitizers(self) -> None:
        own = ASAN.format(top="gradcam::read(int) /r/stages/explain/import/read.cpp:7")
        found = verdict("exit 99", own)
        self.assertEqual(found.kind, "failed")
        self.assertIn("heap-buffer-overflow", found.why)
        self.assertIn("gradcam::read(int)", found.why)
        other = ASAN.format(top="ov::Model::clone() const (/v/libopenvino.so.2641+0x28)")
        self.assertEqual(verdict("exit 99", other).kind, "outside")

    def test_too_much_time_is_a_librarys_where_it_is_deep_in_it(self) -> None:
        self.assertEqual(verdict("time", HANDLER + 6 * LIBRARY + OWN).kind, "outside")
        self.assertEqual(verdict("time", HANDLER + 2 * LIBRARY + OWN).kind, "failed")
        self.assertEqual(verdict("memory").kind, "failed")


def small_model() -> bytes:
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["a"], ["y"]),
        ],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 8, 8])],
        [helper.make_tensor("w", TensorProto.FLOAT, [2, 3, 3, 3], [0.5] * 54)],
    )
    return bytes(helper.make_model(graph).SerializeToString())


class Mutations(unittest.TestCase):
    def test_each_change_can_be_made_and_saved(self) -> None:
        for change in mutate_onnx.CHANGES:
            changed = set()
            for number in range(40):
                model = onnx.load_model_from_string(small_model())
                change(model, Random(f"{change.__name__} {number}"))
                changed.add(model.SerializeToString())
            self.assertGreater(len(changed - {small_model()}), 0, change.__name__)

    def test_the_same_seed_makes_the_same_file(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr(zipfile.ZipInfo("net/data.pkl"), b"pickle")
            made.writestr(zipfile.ZipInfo("net/code/net.py"), b"def forward(self, x): return x")
        xml = b'<net name="a"><layers><layer id="0" type="Parameter"/></layers></net>'
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            contents = {".onnx": small_model(), ".xml": xml, ".tflite": tiny_tflite.network()}
            contents[".pt"] = archive.getvalue()
            for kind, content in contents.items():
                seed = folder / f"seed{kind}"
                seed.write_bytes(content)
                seed.with_suffix(".bin").write_bytes(b"weights")
                made_files = []
                for number in (*range(20), *range(20)):
                    path = folder / f"made{kind}"
                    mutate_files.write_mutated(seed, path, Random(f"{number}"))
                    made_files.append(path.read_bytes())
                self.assertEqual(made_files[:20], made_files[20:], kind)
                self.assertGreater(len(set(made_files)), 5, kind)


if __name__ == "__main__":
    unittest.main()
