#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The maps of real boards (dts/boards), booted: what the image prints is compared with the tree as in matrix.t.

1. A tree that has the devices of QEMU's virt is booted there, on a machine with RAM from virt's first address to the
   end of the board's. Image and tree lie at the beginning of the board's RAM; what the tree does not describe is there,
   and must not be used.
2. The other boards' RAM begins below virt's: test_boards and realtrees.t have those.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
from bootlog import BootLog
from machine import IMAGE_ADDR, MIB, RAM_BASE, ROOT, Machine, ktap
from tree import Tree

TREES = ROOT / os.environ.get("BUILD", "build") / "host/dts/boards"
FEWEST = 6  # of the trees can be booted on virt
AT_ONCE = 2
LIMIT = 30


def boots_on_virt(path):
    return b"linux,dummy-virt\0" in path.read_bytes()


def faults_of(path):
    blob = path.read_bytes()
    tree = Tree(blob)
    start, end = tree.page_ranges()[0][0], max(bank.base + bank.size for bank in tree.memory())
    board = Machine(cpus=4, ram=(end - RAM_BASE + MIB - 1) // MIB * MIB)
    result = board.boot_tree(blob, limit=LIMIT, base=start // MIB * MIB)
    log = BootLog(result.log)
    faults = machine.status_faults(result, 0) + compare.level(board, log)
    faults += compare.all_faults(tree, log, machine.IMAGE.read_bytes(), start // MIB * MIB + IMAGE_ADDR - RAM_BASE)
    return faults, result


def main():
    tap = ktap.Tap()
    paths = [TREES / f"{path.stem}.dtb" for path in sorted((ROOT / "dts/boards").glob("*.dts"))]
    paths = [path for path in paths if boots_on_virt(path)]
    tap.ok(len(paths) >= FEWEST, f"there are boards that virt can be: {len(paths)}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, (faults, result) in zip(paths, pool.map(faults_of, paths)):
            machine.report(tap, path.stem, faults, result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
