#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How throughput grows with CPUs: scaling.py IMAGE RESULTS

1. The image measures (test/bench/scaling.c), on a machine with 4 CPUs that runs as fast as it can. All are ratios
   within one run: nothing is compared with an earlier run, and nothing is ever refused because of them.
2. CPUs of the guest are threads of the host, so the ceiling is what the host gives the empty loop at the moment. When
   that is not what idle cores of the host would give, a line says so: the ratios of such a run mean little.
3. Linux's ratios are those of two threads on two cores of a host.
4. RESULTS (JSON) is written whole or not at all.
"""

import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import results as data
from imagerun import COMMON, LIMIT, QEMU, Failure, board, ktap
from table import Table

LINE = re.compile(r"scaling: (\w+) (\d+) (\d+) (\d+)$")
ROUND = re.compile(r"scaling: round \d+ of \d+$")
END = "scaling: end"
EMPTY = "empty_loop"
OFF = 0.15  # the ceiling may be off by this share before the host counts as busy

WHAT = {
    EMPTY: "the empty loop: the ceiling of the moment",
    "kmalloc_64": "kmalloc(64), pair",
    "page_0": "page, order 0, pair",
    "page_5": "pages, order 5, pair",
    "batch_kmalloc64_x256": "kmalloc(64) × 256, then free",
    "batch_page0_x256": "pages × 256, then free",
}
# Two threads on two cores, and one.
LINUX = {"kmalloc_64": "1.9", "page_0": "1.8 to 1.9", "page_5": "1.6"}


def progress(line):
    if sys.stderr.isatty() and ROUND.match(line):
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def measure(image):
    """{(row, CPUs): (ratio, share of the ceiling)}"""
    command = [QEMU, *COMMON, *board("cortex-a72").options(), "-kernel", image, "-append", "memstage.run=bench_scaling"]
    print("scaling: measuring, some ten seconds on an idle host", file=sys.stderr, flush=True)
    try:
        console = ktap.run(command, LIMIT, echo=progress)
    except FileNotFoundError:
        raise Failure(f"there is no {QEMU}") from None
    finally:
        print("\r\033[K" if sys.stderr.isatty() else "", end="", file=sys.stderr)
    if console.status or END not in console.lines:
        last = next((line for line in reversed(console.lines) if line.strip()), "nothing")
        said = next((line for line in console.lines if line.startswith("bench_scaling: ")), last)
        raise Failure(f"ended early with status {console.status}; it said: {said}")
    seen = {(found[1], int(found[2])): (int(found[3]) / 1000, int(found[4]) / 1000)
            for found in map(LINE.match, console.lines) if found}
    lacking = [row for row in WHAT if (row, 2) not in seen]
    if lacking:
        raise Failure(f"rows missing in the run: {', '.join(lacking)}")
    return seen


def scaling_table(seen):
    counts = sorted({cpus for _, cpus in seen if cpus > 1})
    heads = [head for cpus in counts for head in (f"{cpus} CPUs", "of ceiling")]
    table = Table(f"RATIOS of throughput to one CPU's, {os.cpu_count()} cores of the host", "", *heads,
                  "Linux, 2 threads")
    for row, what in WHAT.items():
        cells = [cell for cpus in counts for cell in seen[row, cpus]]
        table.add(what, *(f"{cell:.2f}" if i % 2 == 0 else f"{cell * 100:.0f} %" for i, cell in enumerate(cells)),
                  LINUX.get(row))
    return table


def doubts(seen):
    """Lines on what the host did not give."""
    for (row, cpus), (ratio, _) in seen.items():
        expected = min(cpus, os.cpu_count())
        if row == EMPTY and abs(ratio - expected) > expected * OFF:
            yield f"the empty loop on {cpus} CPUs is {ratio:.2f} times one, and idle cores would give {expected}: " \
                "the host is busy, so these ratios mean little"


def main(image, path):
    seen = measure(image)
    print(scaling_table(seen).text(), end="")
    for doubt in doubts(seen):
        print(f"scaling: {doubt}")
    data.write(Path(path), {"cores": os.cpu_count(), "rows": [
        {"row": f"scaling_{row}", "cpus": cpus, "ratio": ratio, "of_ceiling": share, "linux": LINUX.get(row)}
        for (row, cpus), (ratio, share) in seen.items()]})
    print(f"scaling: results are in {path}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: scaling.py IMAGE RESULTS")
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        sys.exit(f"scaling: {failure}; nothing was written")
    except KeyboardInterrupt:
        print("\nscaling: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
