#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The suites inside the image (test/target), on machines with few and many nodes and CPUs, and with CPUs that the tree
names but that do not start.

On most all CPUs run at once. They take turns (boot/machine.py) where the machine is there for the boot allocator, for a
hole in memory or for one among the CPUs."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
# pylint: disable=wrong-import-position
import edit
from machine import GIB, IMAGE, MIB, RAM_BASE, Machine, ktap

LIMIT = 600  # seconds; 8 CPUs at once take two minutes on two host cores that have much other work

DEBUG_IMAGE = IMAGE.parents[1] / "debug/Image"
FULL_IMAGE = IMAGE.parents[1] / "full/Image"
BOOTMEM_IMAGE = IMAGE.parents[1] / "bootmem/Image"

ONE_NODE = Machine(cpus=4, ram=4 * GIB, threads=True)
ONE_NODE_IN_TURNS = Machine(cpus=4, ram=4 * GIB)
TWO_NODES = Machine(cpus=4, ram=4 * GIB, nodes=[GIB, 3 * GIB], distance=lambda a, b: 20, threads=True)
THREE_NODES_IN_TURNS = Machine(cpus=4, ram=2 * GIB, nodes=[GIB, GIB // 2, GIB // 2])
EIGHT_NODES = Machine(cpus=8, ram=4 * GIB, nodes=[GIB // 2] * 8, distance=lambda a, b: 20 + 2 * abs(a - b),
                      threads=True)
EIGHT_NODES_IN_TURNS = Machine(cpus=8, ram=4 * GIB, nodes=[GIB // 2] * 8, distance=lambda a, b: 20 + 2 * abs(a - b))

# Name: machine, image, boot arguments besides memstage.run=test.
RUNS = {
    "4 CPUs, 1 node": (ONE_NODE, IMAGE, ""),
    "4 CPUs, 2 nodes, movable zone": (TWO_NODES, IMAGE, "movablecore=1G"),
    "4 CPUs, 2 nodes, CMA area": (TWO_NODES, IMAGE, "cma=128M"),
    "8 CPUs, 8 nodes": (EIGHT_NODES, IMAGE, ""),
    "4 CPUs, 2 nodes, debug checks": (TWO_NODES, DEBUG_IMAGE, ""),
    "4 CPUs, 2 nodes, full hardening": (TWO_NODES, FULL_IMAGE, ""),
    "8 CPUs, 8 nodes, bootmem": (EIGHT_NODES_IN_TURNS, BOOTMEM_IMAGE, "movablecore=1G"),
}

# On THREE_NODES_IN_TURNS: all of node 1, and of node 0 a piece of a pageblock and several pageblocks.
NO_MAP = [(RAM_BASE + GIB, GIB // 2), (RAM_BASE + 512 * MIB + 0x5000, 0x3000), (RAM_BASE + 770 * MIB, 16 * MIB)]


def no_map_run():
    tree = edit.with_reserved_memory(THREE_NODES_IN_TURNS.tree("memstage.run=test"), NO_MAP, "no-map")
    return THREE_NODES_IN_TURNS.boot_tree(tree, limit=LIMIT)


def hole_run():
    """CPU 1 is one that we cannot start: those on line are 0, 2 and 3."""
    tree = edit.set_property(ONE_NODE_IN_TURNS.tree("memstage.run=test"), "/cpus/cpu@1", "enable-method",
                             b"spin-table\0")
    return ONE_NODE_IN_TURNS.boot_tree(tree, limit=LIMIT)


def report(tap, name, result):
    judged = ktap.judge(ktap.Console(result.log.splitlines(), result.status), LIMIT)
    tap.ok(bool(judged.results), f"{name}: the image has suites")
    tap.report(judged, f"{name}: ")
    tap.note(f"{name}: {result.seconds:.1f} s")
    if not judged.passed:
        tap.note(result.log)


def main():
    tap = ktap.Tap()
    for name, (board, image, more) in RUNS.items():
        report(tap, name, board.boot(f"memstage.run=test {more}", limit=LIMIT, image=image))
    result = no_map_run()
    report(tap, "4 CPUs, 3 nodes, no-map ranges and a node of them", result)
    hole = hole_run()
    report(tap, "4 CPUs, 1 of them off", hole)
    tap.ok("the tree has no no-map range" not in result.log, "no-map ranges are tried")
    tap.ok("no CPU is off that PSCI starts" not in hole.log, "a CPU comes late")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
