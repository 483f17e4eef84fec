#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The maps of real boards (dts/boards), booted: what the image prints is compared with the tree as in matrix.t.

1. A tree that has the devices of QEMU's virt is booted there, on a machine with RAM from virt's first address to the
   end of the board's. Image and tree lie at the beginning of the board's RAM; what the tree does not describe is there,
   and must not be used.
2. The Raspberry Pi 4's with as much memory as QEMU's raspi4b has, or less, are booted there. QEMU would edit a tree
   given by -dtb; so a loader device places it, and our few instructions are what QEMU takes for the kernel.
3. The other boards' RAM begins below virt's, or ends above raspi4b's: test_boards and realtrees.t have those.
"""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
import raspi
from bootlog import BootLog
from machine import GIB, IMAGE_ADDR, MIB, RAM_BASE, ROOT, Machine, ktap
from tree import Tree

TREES = ROOT / os.environ.get("BUILD", "build") / "host/dts/boards"
FEWEST = 8  # of the trees can be booted
AT_ONCE = 2
LIMIT = 30
PI_RAM = 2 * GIB
PI_TREE_ADDR = 0x2000000


def end_of(tree):
    return max(bank.base + bank.size for bank in tree.memory())


def boot_on_virt(blob, tree):
    """Return: (the Run, the machine, where the image was)"""
    base = tree.page_ranges()[0][0] // MIB * MIB
    board = Machine(cpus=4, ram=(end_of(tree) - RAM_BASE + MIB - 1) // MIB * MIB)
    return board.boot_tree(blob, limit=LIMIT, base=base), board, base + IMAGE_ADDR - RAM_BASE


def boot_on_pi(blob, _):
    board = raspi.Pi()
    loads = [(raspi.IMAGE_ADDR, machine.IMAGE.read_bytes()), (PI_TREE_ADDR, blob)]
    with tempfile.TemporaryDirectory() as folder:
        start = Path(folder, "start")
        start.write_bytes(machine.trampoline(PI_TREE_ADDR, machine.JUMP, raspi.IMAGE_ADDR))
        command = board.command("-kernel", str(start), *raspi.SEMIHOSTING, *machine.placed(folder, loads))
        return machine.run(command, limit=LIMIT), board, raspi.IMAGE_ADDR


def way_to_boot(path):
    """The function that boots this tree, None when there is no machine for it."""
    blob = path.read_bytes()
    if b"linux,dummy-virt\0" in blob:
        return boot_on_virt
    return boot_on_pi if b"raspberrypi,4-model-b\0" in blob and end_of(Tree(blob)) <= PI_RAM else None


def faults_of(path):
    blob = path.read_bytes()
    tree = Tree(blob)
    result, board, image_addr = way_to_boot(path)(blob, tree)
    log = BootLog(result.log)
    faults = machine.status_faults(result, 0) + compare.level(board, log)
    return faults + compare.all_faults(tree, log, machine.IMAGE.read_bytes(), image_addr), result


def main():
    tap = ktap.Tap()
    paths = [TREES / f"{path.stem}.dtb" for path in sorted((ROOT / "dts/boards").glob("*.dts"))]
    paths = [path for path in paths if way_to_boot(path)]
    tap.ok(len(paths) >= FEWEST, f"there are boards that a machine can be: {len(paths)}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, (faults, result) in zip(paths, pool.map(faults_of, paths)):
            machine.report(tap, path.stem, faults, result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
