#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The suites inside the image (test/target), on machines with few and many nodes and CPUs."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
# pylint: disable=wrong-import-position
from machine import GIB, Machine, ktap

LIMIT = 200

MACHINES = {
    "4 CPUs, 1 node": Machine(cpus=4, ram=4 * GIB),
    "4 CPUs, 2 nodes": Machine(cpus=4, ram=4 * GIB, nodes=[GIB, 3 * GIB], distance=lambda a, b: 20),
    "8 CPUs, 8 nodes": Machine(cpus=8, ram=4 * GIB, nodes=[GIB // 2] * 8, distance=lambda a, b: 20 + 2 * abs(a - b)),
}


def main():
    tap = ktap.Tap()
    for name, board in MACHINES.items():
        result = board.boot("memstage.run=test", limit=LIMIT)
        judged = ktap.judge(ktap.Console(result.log.splitlines(), result.status), LIMIT)
        tap.ok(bool(judged.results), f"{name}: the image has suites")
        tap.report(judged, f"{name}: ")
        tap.note(f"{name}: {result.seconds:.1f} s")
        if not judged.passed:
            tap.note(result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
