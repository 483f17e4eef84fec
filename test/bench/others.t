#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The core behind malloc(), scaling, and pictures: each does its work, and bad input is one line and no file.

What only `make bench-host` and `make bench-pictures` need is not used: scripts stand in for gnuplot and QEMU.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
# pylint: disable=wrong-import-position
import plot
from imagerun import BUILD, CPUS, board, command, ktap
from results import KEYS, Rows

PROGRAM = BUILD / "bench-host/none/memstage"
LIMIT = 60  # seconds; a second is usual
EMPTY = dict.fromkeys(KEYS, "") | {"rows": [], "numa": [], "basic": [], "profiles": {}}
ONE_THREAD = ["hot_64", "batch_64_x1000", "batch_64_x100000", "mix_16_1039", "realloc_grow", "realloc_shrink"]
SAYS = "#!/bin/sh\n{words}\n"


def run(*words, **environment):
    """Return: (status, what it said)."""
    try:
        done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=LIMIT, check=False,
                              env=os.environ | environment)
    except subprocess.TimeoutExpired:
        return None, f"no end after {LIMIT} seconds"
    return done.returncode, done.stdout


def script(folder, name, words):
    path = Path(folder, name)
    path.write_text(SAYS.format(words=words), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def refused(tap, name, word, result, path):
    """The last line names the matter, and @path is as it was: not there."""
    status, said = result
    last = said.strip().splitlines()[-1:]
    if not tap.ok(status == 1 and last and word in last[0] and "Traceback" not in said and not Path(path).exists(),
                  f"{name}: one line, no file"):
        tap.note(said)


def malloc_cases(tap, folder):
    for threads, rows in ("1", ONE_THREAD), ("2", [*ONE_THREAD, "cross_64_x10000"]):
        status, said = run(PROGRAM, "time", threads)
        lines = [line.split() for line in said.splitlines()]
        if not tap.ok(status == 0 and [line[0] for line in lines] == ["malloc", *rows] and str(PROGRAM) in said,
                      f"the core is a malloc for {threads} thread(s), and its checks agree afterwards"):
            tap.note(said)
    status, said = run(PROGRAM, "count", "cross_64_x10000")
    tap.ok(status == 0 and said.splitlines()[-1] == "cross_64_x10000 200000", "a row says how many operations it was")
    status, said = run(PROGRAM, "count", "xyz")
    tap.ok(status == 2 and "xyz is no row\n" in said, "a row that is none is refused")

    runner, out = HERE / "host/run.py", Path(folder, "host.json")
    refused(tap, "an unknown row", "xyz is no row; these are: hot_64", run(runner, BUILD, out, "xyz"), out)
    refused(tap, "no programs", "No such file", run(runner, folder, out, "hot_64"), out)


def scaling_cases(tap, folder):
    image, out = BUILD / "bench/Image", Path(folder, "scaling.json")

    def scaling(**environment):
        return run(HERE / "scaling.py", image, out, **environment)

    words = 'echo "bench_scaling: under -icount CPUs take turns"; echo "scaling: end"; exit 19'
    refused(tap, "an image that refuses", "take turns", scaling(QEMU=script(folder, "refuses", words)), out)
    words = 'echo "scaling: kmalloc_64 2 1900 1000"; echo "scaling: end"'
    refused(tap, "a row missing in the run", "rows missing in the run: empty_loop, page_0",
            scaling(QEMU=script(folder, "short", words)), out)
    refused(tap, "no QEMU", "there is no", scaling(QEMU="/nonexistent/qemu"), out)

    said = [f'echo "scaling: {row} {cpus} {ratio} 1000"' for row in ("empty_loop", "kmalloc_64", "page_0", "page_5",
            "batch_kmalloc64_x256", "batch_page0_x256") for cpus, ratio in ((1, 1000), (2, 1070))]
    status, said = scaling(QEMU=script(folder, "busy", "\n".join([*said, 'echo "scaling: end"'])))
    rows = json.loads(out.read_text(encoding="utf-8"))["rows"]
    tap.ok(status == 0 and len(rows) == 12 and rows[3] == {"row": "scaling_kmalloc_64", "cpus": 2, "ratio": 1.07,
           "of_ceiling": 1.0, "linux": "1.9"}, "ratios are written down")
    tap.ok("the host is busy" in said, "a ceiling that idle cores do not have is pointed out")

    icount = ktap.run(command(board(CPUS[0]), ["bench_scaling"], image), LIMIT)
    tap.ok(icount.status not in (0, None) and "under -icount CPUs take turns" in "\n".join(icount.lines),
           "the image does not measure scaling under -icount")


def results_with(folder, rows):
    path = Path(folder, "results.json")
    path.write_text(json.dumps(EMPTY | {"rows": rows}), encoding="utf-8")
    return path


def picture_cases(tap, folder):
    rows, cpu = Rows(), CPUS[0]
    results = [rows.result(row, cpu, 200.0) for row in ("kmalloc_64", "kmalloc_256", "batch_page0_x1024_inorder_free",
               "batch_page0_x1024_inorder_pair", "pages_bulk64_free", "at_once_page0_t1", "irq_page_0")]
    results += [rows.result(f"boot_mm_{size}", cpu, 8e5) for size in ("128m", "1g", "255g", "1g_8n")]
    bars = plot.operations({"rows": results}, rows)
    tap.ok('-1 200 108 "200" "108" "kmalloc(64), pair" 200\n' in bars, "a row has its two figures and what it is")
    tap.ok(bars.count("\n-") == 3 + 2, "halves, rows without a gate or without Linux's figure are no bars, budgets are")
    line = plot.boot({"rows": results}, rows)
    tap.ok("$ours << EOD\n0.125 0.8 " in line and '\n255 2853.8 "2,854"\n' in line,
           "the boot's cost by RAM, in millions")

    drawing = HERE / "plot.py"
    good, pictures = results_with(folder, results), Path(folder, "pictures")
    pictures.mkdir()
    bad = pictures / "operations.svg"
    refused(tap, "no results", "No such file", run(drawing, Path(folder, "none.json"), pictures), bad)
    refused(tap, "no gnuplot", "there is no", run(drawing, good, pictures, GNUPLOT="/nonexistent/gnuplot"), bad)
    words = 'grep -q "set ylabel" && { echo "no such terminal" >&2; exit 1; }; echo "<svg/>"'
    fails = script(folder, "fails", words)
    refused(tap, "the second picture fails", "no such terminal", run(drawing, good, pictures, GNUPLOT=fails), bad)
    refused(tap, "no boot in the results", "no boot_mm row", run(drawing, results_with(folder, results[:1]), pictures,
            GNUPLOT=script(folder, "draws", "cat")), bad)
    status, _ = run(drawing, results_with(folder, results), pictures, GNUPLOT=str(Path(folder, "draws")))
    tap.ok(status == 0 and bad.read_text(encoding="utf-8") == bars and (pictures / "boot.svg").read_text(
        encoding="utf-8") == line, "what gnuplot draws is put in its place")


def main():
    tap = ktap.Tap()
    with tempfile.TemporaryDirectory() as folder:
        malloc_cases(tap, folder)
        scaling_cases(tap, folder)
        picture_cases(tap, folder)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
