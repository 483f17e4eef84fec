#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The matrix of machines: each is booted, and what the image prints is compared with the tree that QEMU dumped.

Five properties with four levels each, so that every pair of levels of any two properties is on some machine: the
orthogonal array of strength 2 over the field of four elements, 16 machines (a, b, a+b, a+2b, a+3b). That every pair is
there is checked, not assumed. A quarter of them, at EL2, run the suites too (at EL1 test/target/suites.t does). Half
have a GICv3, half of those that run the suites, too; on these all CPUs run at once, on the others they take turns.
"""

import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
from bootlog import BootLog
from machine import GIB, MIB, Machine, ktap
from tree import PAGE, Tree

AT_ONCE = 2
LIMIT = 200  # seconds; the suites on 8 CPUs take a minute on two host cores that have other work

CPUS = [1, 2, 4, 8]
RAM = [64 * MIB, 512 * MIB, 4 * GIB, 255 * GIB]
CORES = ["cortex-a53", "cortex-a72", "cortex-a76", "max"]
NODES = ["1 node", "2 nodes", "8 nodes", "2 nodes that share a pageblock"]
GICS = [2, 3]
WAYS = [("boot", 1), ("boot", 2), ("boot", 1), ("test", 2)]  # memstage.run=, exception level at entry

TIMES_2 = [0, 2, 3, 1]  # in GF(4); its addition is exclusive or
TIMES_3 = [0, 3, 1, 2]


def rows():
    for a, b in itertools.product(range(4), repeat=2):
        yield a, b, a ^ b, a ^ TIMES_2[b], a ^ TIMES_3[b]


def node_sizes(nodes, ram):
    """Bytes of each node: unequal where there are two, the border inside a pageblock where the name says so."""
    if nodes == "1 node":
        return []
    if nodes == "8 nodes":
        return [ram // 8] * 8
    first = ram * 5 // 8 + (3 * PAGE if "share" in nodes else 0)
    return [first, ram - first]


def distance(a, b):
    """Nodes in a row; away from node 0 costs one more than towards it."""
    return 10 if a == b else 12 + 4 * abs(a - b) + (a < b)


class Case:
    def __init__(self, row):
        cpus, ram, core, nodes, way = row
        self.run, level = WAYS[way]
        self.board = Machine(cpus=CPUS[cpus], ram=RAM[ram], nodes=node_sizes(NODES[nodes], RAM[ram]), cpu=CORES[core],
                             level=level, distance=distance, gic=GICS[ram % 2],
                             threads=self.run == "test" and GICS[ram % 2] == 3)
        size = f"{RAM[ram] // GIB} GiB" if RAM[ram] >= GIB else f"{RAM[ram] // MIB} MiB"
        self.name = (f"{CPUS[cpus]} CPU{'s' if cpus else ''} {CORES[core]}, {size}, {NODES[nodes]}, "
                     f"GICv{self.board.gic}, EL{level}, {self.run}")
        self.result = None

    def faults(self):
        append = f"memstage.run={self.run}"
        try:
            tree = Tree(self.board.tree(append))
            self.result = self.board.boot(append, limit=LIMIT)
            faults = machine.status_faults(self.result, 0)
            log = BootLog(self.result.log)
            faults += compare.level(self.board, log)
            faults += compare.all_faults(tree, log, machine.IMAGE.read_bytes(), machine.IMAGE_ADDR)
        except Exception as error:  # pylint: disable=broad-except # what it was is the fault of this machine
            return [f"{type(error).__name__}: {error}"]
        return faults + (machine.suite_faults(self.result, LIMIT) if self.run == "test" else [])


def missing_pairs():
    array = list(rows())
    for i, j in itertools.combinations(range(5), 2):
        seen = {(row[i], row[j]) for row in array}
        yield from (f"columns {i} and {j}: {pair}" for pair in set(itertools.product(range(4), repeat=2)) - seen)


def main():
    tap = ktap.Tap()
    machine.report(tap, "every pair of properties is on some machine", list(missing_pairs()))
    cases = [Case(row) for row in rows()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, faults in zip(cases, pool.map(Case.faults, cases)):
            machine.report(tap, case.name, faults, case.result.log if case.result else "")
            if case.result:
                tap.note(f"  {case.result.seconds:.1f} s")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
