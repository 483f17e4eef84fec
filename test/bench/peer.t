#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The comparison with Linux (make bench-linux), without a kernel: what fails is one line that says where to look.

A script stands in for QEMU where a run has to go wrong.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["BENCH_TIMEOUT"] = "1"
sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "linux"))
# pylint: disable=wrong-import-position
import build
import peer

imagerun = peer.imagerun
tap = imagerun.ktap.Tap()

FILE, FUNCTION = "arch/arm64/mm/init.c", "memblock_free_all"
SOURCE = f"#include <linux/mm.h>\n\nvoid mem_init(void)\n{{\n\t{FUNCTION}();\n}}\n"
MARKED = ('#include <linux/boot_mark.h>\n#include <linux/mm.h>\n\nvoid mem_init(void)\n{\n'
          f'\tboot_mark("{FUNCTION}");\n\t{FUNCTION}();\n\tboot_mark("{FUNCTION}_end");\n}}\n')
JOB = peer.Job("lean", "boot", imagerun.CPUS[0], "1g")
HANGS = 60  # seconds
# What stands in for QEMU does, and the words that the failure must have.
RUNS = [
    ("a kernel that panics", "echo 'Kernel panic: not syncing'", ["ended early with status 0", "Kernel panic"]),
    ("a kernel that says nothing", "exit 1", ["ended early with status 1"]),
    ("a kernel that hangs", f"exec sleep {HANGS}", ["no end within 1 seconds"]),
]


def failure(call, *args):
    """What the failure of a call says, or "" when it does not fail."""
    try:
        call(*args)
    except (build.Failure, imagerun.Failure) as fault:
        return str(fault)
    return ""


def says(name, said, words):
    """One line that has the words."""
    if not tap.ok(said.count("\n") == 0 and all(word in said for word in words), name):
        tap.note(said or "no failure")


def sources():
    tap.ok(build.marked(FILE, SOURCE) == MARKED, "marks stand around the statement")
    other, twice = SOURCE.replace(FUNCTION, "other"), SOURCE.replace(f"\t{FUNCTION}();\n", f"\t{FUNCTION}();\n" * 2)
    says("a source without the statement", failure(build.marked, FILE, other), [FILE, FUNCTION, "0 statements"])
    says("a source with two such statements", failure(build.marked, FILE, twice), [FILE, FUNCTION, "2 statements"])


def options():
    wanted = build.wanted("numa")
    tap.ok(wanted["CONFIG_NUMA"] == "y" and wanted["CONFIG_MODULES"] is None and wanted["CONFIG_NR_CPUS"] == "4",
           "the last fragment's word counts")
    tap.ok(build.refused({"CONFIG_A": "y", "CONFIG_B": None}, "CONFIG_A=y\n# CONFIG_B is not set\n") == [] and
           build.refused({"CONFIG_A": "y", "CONFIG_B": None}, "CONFIG_B=y\n") == ["CONFIG_A", "CONFIG_B"],
           "an option that is not taken is seen")


def builds(folder):
    log = folder / "build.log"
    says("a build that fails", failure(build.run, "building", ["false"], log, 10), ["building failed", "build.log"])
    says("a build that hangs", failure(build.run, "building", ["sleep", str(HANGS)], log, 0.2),
         ["more than 0.2 s", "build.log"])
    build.TARBALL = folder / "none.tar.xz"
    says("no source", failure(build.build, "lean", lambda _: None), ["none.tar.xz", "scripts/setup --for bench-linux"])


def stand_in(does):
    Path(imagerun.QEMU).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    os.chmod(imagerun.QEMU, 0o755)


def runs(folder):
    build.LINUX, imagerun.QEMU = folder, str(folder / "qemu")
    peer.jobs = lambda: [JOB]
    says("no QEMU", failure(peer.measure_all, {"lean": "Image"}), [imagerun.QEMU, "No such file"])
    start = time.monotonic()
    for name, does, words in RUNS:
        stand_in(does)
        says(name, failure(peer.measure_all, {"lean": "Image"}), [*words, "lean, boot, ", "run-lean-boot"])
    tap.ok(time.monotonic() - start < HANGS / 2, "a run that hangs is ended")
    stand_in("echo bench: page_0 864 2; echo bench: end, 0 rows failed")
    tap.ok(peer.measure_all({"lean": "Image"}) == {JOB: {"page_0": 432}}, "a run's figures")


def comparison():
    def line(row, linux, recorded):
        return peer.Line("cortex-a72", row, row, None, linux, recorded)

    tap.ok(not peer.not_reproduced([line("a", 102.9, 100), line("b", 97.1, 100), line("c", 5, None)]),
           "three per cent are allowed, and what was not recorded")
    bad = [line("a", 103.1, 100), line("b", 96.9, 100), line("c", None, 100)]
    named = [fault.split()[0] for fault in peer.not_reproduced([*bad, line("d", 100, 100)])]
    tap.ok(named == ["a", "b", "c"], "what is off, or missing, is named")


def main():
    with tempfile.TemporaryDirectory() as folder:
        sources()
        options()
        builds(Path(folder))
        runs(Path(folder))
        comparison()
    return tap.done()


sys.exit(main())
