#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The suites inside the image (test/target), on machines with few and many nodes and CPUs."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
# pylint: disable=wrong-import-position
from machine import GIB, IMAGE, Machine, ktap

LIMIT = 200

DEBUG_IMAGE = Path(__file__).resolve().parents[2] / "build/debug/Image"

ONE_NODE = Machine(cpus=4, ram=4 * GIB)
TWO_NODES = Machine(cpus=4, ram=4 * GIB, nodes=[GIB, 3 * GIB], distance=lambda a, b: 20)
EIGHT_NODES = Machine(cpus=8, ram=4 * GIB, nodes=[GIB // 2] * 8, distance=lambda a, b: 20 + 2 * abs(a - b))

# Name: machine, image, boot arguments besides memstage.run=test.
RUNS = {
    "4 CPUs, 1 node": (ONE_NODE, IMAGE, ""),
    "4 CPUs, 2 nodes, movable zone": (TWO_NODES, IMAGE, "movablecore=1G"),
    "8 CPUs, 8 nodes": (EIGHT_NODES, IMAGE, ""),
    "4 CPUs, 2 nodes, debug checks": (TWO_NODES, DEBUG_IMAGE, ""),
}


def main():
    tap = ktap.Tap()
    for name, (board, image, more) in RUNS.items():
        result = board.boot(f"memstage.run=test {more}", limit=LIMIT, image=image)
        judged = ktap.judge(ktap.Console(result.log.splitlines(), result.status), LIMIT)
        tap.ok(bool(judged.results), f"{name}: the image has suites")
        tap.report(judged, f"{name}: ")
        tap.note(f"{name}: {result.seconds:.1f} s")
        if not judged.passed:
            tap.note(result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
