#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark's gate and its runner: they see what grew, and bad input is one line and no file.

Most runs are of the group memblock, which takes a second. Where the image or QEMU has to be at fault, a script that
stands in for QEMU is.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
# pylint: disable=wrong-import-position
import bench
import gate
from imagerun import BUILD, CPUS, QEMU, Failure, board, ktap, measure
from results import KEYS, Rows
from symbols import profile

GROUP, CPU = "memblock", CPUS[0]
ROW, FUNCTION = "memblock_alloc_4k", "memblock_add_range"
LIMIT = 200
EMPTY = dict.fromkeys(KEYS, "") | {"rows": [], "numa": [], "basic": [], "profiles": {}}

WITHOUT_ICOUNT = """#!/usr/bin/python3
import os, sys
words = sys.argv[1:]
at = words.index("-icount")
os.execvp("{qemu}", ["{qemu}"] + words[:at] + words[at + 2:])
"""
SMALL = """#!/usr/bin/python3
import os, sys
words = [word.replace("4096M", "128M").replace(str(4 << 30), "128M") for word in sys.argv[1:]]
os.execvp("{qemu}", ["{qemu}"] + words)
"""
SAYS = "#!/bin/sh\n[ \"$1\" != --version ] || exit 0\n{words}\n"


def run(words, **environment):
    """Return: (status, what it said)."""
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=LIMIT, check=False, env=os.environ | environment)
    return done.returncode, done.stdout


class Scene:
    """A build folder of its own, with the image in it, results to compare with, and stand-ins for QEMU."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.latest = self.folder / "bench/results.json"
        (self.folder / "bench").mkdir()
        for name in "Image", "System.map", ".config":
            (self.folder / "bench" / name).symlink_to((BUILD / "bench" / name).resolve())

    def qemu(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    def results(self, measured, profiles):
        rows = Rows()
        whole = EMPTY | {"rows": [rows.result(row, CPU, ours) for row, ours in measured.items()],
                         "profiles": {CPU: profiles}}
        path = self.folder / "recorded.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
        return path

    def check(self, path, **environment):
        return run([HERE / "check.t", "--results", path, "--group", GROUP, "--cpu", CPU], **environment)

    def bench(self, *words, **environment):
        return run([HERE / "bench.py", *words], BUILD=str(self.folder), **environment)


def gate_cases(tap, scene):
    first, second = (measure(board(CPU), CPU, GROUP) for _ in range(2))
    tap.ok(first == second and ROW in first, "two runs give the same figures")
    whole = profile(board(CPU), "profile", {ROW})[ROW]
    tap.ok(abs(sum(whole.values()) - first[ROW]) < 2 and FUNCTION in whole,
           "a profile adds up to the figure of its row")

    status, said = scene.check(scene.results(first, {ROW: whole}))
    tap.ok(status == 0 and f"{ROW}: {first[ROW]:g}" in said, "nothing grew: the gate lets it pass")

    # What was recorded is made 2 % less, in one function: so the tree seems to have grown there.
    more = round(first[ROW] * 0.02, 3)
    less = first | {ROW: round(first[ROW] - more, 3)}
    status, said = scene.check(scene.results(less, {ROW: whole | {FUNCTION: whole[FUNCTION] - more}}))
    tap.ok(status == 1 and said.count("not ok") == 1 and f"{CPU} {ROW}: grew by 2.0 %" in said,
           "a row that grew by 2 % fails and is named")
    tap.ok(f"{FUNCTION}() grew by {more:.2f}" in said and said.count("() grew") == 1, "so is the function that grew")

    less = first | {ROW: round(first[ROW] - 1, 3)}
    status, said = scene.check(scene.results(less, {ROW: whole | {FUNCTION: whole[FUNCTION] - 1}}))
    tap.ok(status == 1 and said.count("not ok") == 1 and f"{CPU} {ROW}: grew by 0.3 %" in said and
           f"{FUNCTION}() grew by 1.00" in said, "in an exact row one instruction is seen")

    status, said = scene.check(scene.results(first | {ROW: first[ROW] * 1.02}, {ROW: whole}))
    tap.ok(status == 0 and f"{ROW} shrank" in said and "make bench-accept" in said,
           "a row that shrank is news, no failure")

    status, said = scene.check(scene.results({row: first[row] for row in first if row != ROW}, {ROW: whole}))
    tap.ok(status == 1 and f"{ROW}: {first[ROW]:g}, not in the accepted results" in said,
           "a gated row has to be recorded")

    # All gated operations come, and none of what memory.toml has.
    says = [f"echo bench: {row} 1 1" for row in Rows().operations]
    qemu = scene.qemu("operations", SAYS.format(words="\n".join([*says, "echo bench: end, 0 rows failed"])))
    status, said = run([HERE / "check.t", "--results", scene.results(dict.fromkeys(Rows().operations, 1), {}), "--cpu",
                        CPU], QEMU=qemu)
    tap.ok(status == 1 and said.count("not ok") == 1 and "measured, not slab_bytes_8, " in said and
           "boot_mm_4g" in said, "a gated row of memory has to be measured, too")
    edge = gate.Change("x", CPU, 100.0, 101.0, False)
    tap.ok(not gate.grew(edge) and gate.grew(edge._replace(ours=101.1)), "1 % is allowed, more is not")
    edge = gate.Change("x", CPU, 1000.0, 1000.02, True)
    tap.ok(not gate.grew(edge) and gate.grew(edge._replace(ours=1000.07)) and gate.shrank(edge._replace(ours=999.0)),
           "what a loop's start takes is allowed, one instruction is not")


def bad_results(tap, scene):
    def complains(path, word, name):
        status, said = scene.check(path)
        tap.ok(status == 1 and word in said and said.count("\n") <= 4 and "Traceback" not in said, name)

    complains(scene.folder / "none.json", "No such file", "results that are not there: one line")
    torn = scene.folder / "torn.json"
    torn.write_text('{"rows": [', encoding="utf-8")
    complains(torn, "not JSON", "results that were cut off: one line")
    torn.write_text("[]", encoding="utf-8")
    complains(torn, "not the results of a run", "JSON that is something else: one line")
    torn.write_text(json.dumps(EMPTY | {"rows": [{"row": ROW, "ours": "377"}]}), encoding="utf-8")
    complains(torn, "its rows are no list of objects", "rows of another shape: one line")


def bad_runs(tap, scene):
    def complains(name, word, result):
        status, said = result
        last = said.strip().splitlines()[-1:]
        one_line = last and last[0].startswith("bench: ") and word in last[0] and "Traceback" not in said
        if not tap.ok(status == 1 and one_line and not scene.latest.exists(), f"{name}: one line, no file"):
            tap.note(said)

    complains("an unknown group", "xyz is no group; these are: boot kmalloc", scene.bench("xyz"))
    complains("two groups", "one group or none, not 2", scene.bench("kmalloc,pages"))
    small = scene.qemu("small", SMALL.format(qemu=QEMU))
    complains("a machine with too little memory", "batch_page0_x65536_inorder failed: too little memory is free",
              scene.bench("batches", QEMU=small))
    without = scene.qemu("without", WITHOUT_ICOUNT.format(qemu=QEMU))
    complains("a QEMU without icount", "does not count instructions", scene.bench(GROUP, QEMU=without))
    complains("no QEMU", "there is no", scene.bench(QEMU="/nonexistent/qemu"))
    refuses = scene.qemu("refuses", SAYS.format(words='echo "qemu: -icount: no such option"; exit 1'))
    complains("a QEMU that does not start", "no such option", scene.bench(QEMU=refuses))
    short = scene.qemu("short", SAYS.format(words='echo "bench: kmalloc_8 30 1"; echo "bench: end, 0 rows failed"'))
    complains("a row missing in the run", "rows missing in the run: kmalloc_64, ", scene.bench(QEMU=short))
    dies = scene.qemu("dies", SAYS.format(words='echo "bench: kmalloc_8 30 1"; exit 1'))
    complains("a run that ends early", "ended early with status 1", scene.bench(QEMU=dies))
    bench.data.CROSS = "no-such-"
    try:
        complains("no tool for the size of the core", "no-such-size has no totals", (0, str(bench.core_size())))
    except Failure as failure:
        complains("no tool for the size of the core", "no-such-size has no totals", (1, f"bench: {failure}"))
    hangs = scene.qemu("hangs", SAYS.format(words="exec sleep 100"))
    complains("a run that hangs", "no end within 1 seconds", scene.bench(QEMU=hangs, BENCH_TIMEOUT="1"))
    complains("nothing to accept", "No such file", scene.bench("--accept"))
    scene.latest.write_text(json.dumps(EMPTY), encoding="utf-8")
    status, said = scene.bench("--accept")
    scene.latest.unlink()
    tap.ok(status == 1 and said.count("\n") == 1 and "the run lacks" in said, "a run that is not whole is not accepted")


def interrupted(tap, scene):
    hangs = scene.qemu("hangs", SAYS.format(words='echo "bench: kmalloc_8 30 1"; exec sleep 100'))
    with subprocess.Popen([HERE / "bench.py"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=os.environ | {"BUILD": str(scene.folder), "QEMU": hangs}) as process:
        process.stderr.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=LIMIT)[1]
    one_line = said.strip() == "bench: interrupted, nothing was written"
    if not tap.ok(process.returncode == 130 and one_line and not scene.latest.exists(), "Ctrl-C: one line, no file"):
        tap.note(said)


def main():
    tap = ktap.Tap()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(folder)
        gate_cases(tap, scene)
        bad_results(tap, scene)
        bad_runs(tap, scene)
        interrupted(tap, scene)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
