#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: no tree, broken trees, trees that say what cannot be.

Each is the tree of a good machine, spoilt, and placed by machine.boot_tree(). The image must print one line that names
the fault, and either go on without loss (status 0, and an account that is right for the tree without the fault) or
end with a failing status. Nothing hangs.
"""

import random
import re
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import edit
import machine
from bootlog import BootLog
from edit import cells32, cells64
from machine import GIB, IMAGE_ADDR, RAM_BASE, TREE_ADDR, Machine, ktap
from tree import PAGE, Tree

AT_ONCE = 2
LIMIT = 30
SEED = 1
RAM = 1 * GIB
RAM_END = RAM_BASE + RAM
BEYOND = 1 << 46  # no physical address of a cortex-a72, which has 44 bits


class Case:
    """
    board: the machine it is booted on, None for the common one; drop: as boot_tree() has it
    name: of the test
    line: a pattern of which exactly one line has a match
    blob, x0: the tree and where the image is told that it lies, None for where it does
    twin: the tree without the fault, whose account the image must reach; None when it must end with a failing status
    either: with a twin, that it may also end with a failing status
    """

    def __init__(self, name, line, blob, x0=None, twin=None, either=False, board=None, drop=False):
        self.name, self.line, self.blob, self.x0, self.twin, self.either = name, line, blob, x0, twin, either
        self.board, self.drop = board, drop
        self.result = None

    def faults(self, board):
        self.result = (self.board or board).boot_tree(self.blob, self.x0, limit=LIMIT, drop=self.drop)
        goes_on = self.twin and not (self.either and self.result.status)
        faults = machine.status_faults(self.result, 0 if goes_on else None)
        lines = [line for line in self.result.log.splitlines() if re.search(self.line, line)]
        if len(lines) != 1:
            faults.append(f"{len(lines)} lines match /{self.line}/")
        if goes_on:
            log = BootLog(self.result.log)
            tree = Tree(self.twin)
            faults += [f"the log has: {line}" for line in log.panics()]
            faults += compare.account(tree, log) + compare.metadata(tree, log)
        return faults


def no_tree(good):
    rubbish = random.Random(SEED).randbytes(len(good))
    yield Case("no tree: x0 is 0", r"panic: device tree at 0x0: .*passed none", None, x0=0)
    yield Case("no tree: x0 points at zeros", r"panic: device tree at 0x4800000.: no device tree", None,
               x0=RAM_BASE + 0x8000000)
    yield Case("no tree: x0 points at rubbish", r"panic: device tree at 0x42000000: no device tree", rubbish)
    yield Case("no tree: x0 is odd", r"panic: device tree at 0x42000001: .*not a multiple of 8", good, x0=TREE_ADDR + 1)
    yield Case("no tree: x0 is a multiple of 4 only", r"panic: device tree at 0x42000004: .*not a multiple of 8", good,
               x0=TREE_ADDR + 4)
    yield Case("no tree: x0 points where nothing answers", r"panic: device tree at 0x2000000000: ", None,
               x0=0x2000000000)
    yield Case("no tree: x0 is beyond the physical addresses", r"panic: device tree at 0x1000000000000: .*beyond", None,
               x0=1 << 48)
    yield Case("no tree: x0 is all ones", r"panic: device tree at 0xffffffffffffffff: ", None, x0=(1 << 64) - 1)
    yield Case("no tree: x0 is the last page of the address space", r"panic: device tree at 0xfffffffffffff000: ", None,
               x0=(1 << 64) - 4096)
    yield Case("no tree: x0 is the last 8 bytes of the address space", r"panic: device tree at 0xfffffffffffffff8: ",
               None, x0=(1 << 64) - 8)


def broken_tree(good):
    line = r"panic: device tree at|device tree: \d+ bytes, not valid as a whole"
    none = r"memory: the tree names none that can be used"
    size_struct, = struct.unpack_from(">I", good, 36)
    off_struct, = struct.unpack_from(">I", good, 8)
    yield Case("truncated: the second half is zeros", line, good[:len(good) // 2] + bytes(len(good) - len(good) // 2))
    yield Case("truncated: its size says less than its blocks take", line, edit.with_header(good, 1, off_struct + 8))
    yield Case("truncated: its size says less than a header", line, edit.with_header(good, 1, 16))
    yield Case("size: 4 GiB less 16", line, edit.with_header(good, 1, 0xFFFFFFF0))
    yield Case("structure block outside the tree", line, edit.with_header(good, 2, 0xFFFFFF00))
    yield Case("strings block outside the tree", line, edit.with_header(good, 3, 0xFFFFFF00))
    yield Case("structure block without an end", line, edit.with_header(good, 9, size_struct // 2 & ~3))
    yield Case("version of the future", line, edit.with_header(edit.with_header(good, 5, 99), 6, 99))
    yield Case("no memory", none, edit.with_banks(good))
    yield Case("no memory: the only bank has size 0", none, edit.with_banks(good, (RAM_BASE, 0)))
    yield Case("no memory: reg is half a pair", rf"/memory@{RAM_BASE:x}: reg has 8 bytes",
               edit.set_property(good, f"/memory@{RAM_BASE:x}", "reg", cells64(RAM_BASE)))


def odd_banks(good):
    def banks(*extra):
        return edit.with_banks(good, (RAM_BASE, RAM), *extra)

    overlap = r"/memory@\w+: \[mem .*overlaps .* of /memory@"

    yield Case("a bank of size 0", r"/memory@90000000: bank at 0x90000000 has size 0", banks((0x90000000, 0)),
               twin=good)
    yield Case("a bank twice", overlap, edit.set_property(
        good, f"/memory@{RAM_BASE:x}", "reg", cells64(RAM_BASE, RAM, RAM_BASE, RAM)), twin=good)
    yield Case("banks that overlap in part", overlap, edit.with_banks(
        good, (RAM_BASE, RAM * 3 // 4), (RAM_BASE + RAM // 4, RAM * 3 // 4)), twin=good)
    yield Case("a bank within another", overlap, banks((RAM_BASE + 0x12345678, 0x9ABC)), twin=good)
    yield Case("a bank past the physical addresses", r"/memory@400000000000: .*past the physical address limit",
               banks((BEYOND, GIB)), twin=good)
    yield Case("a bank that wraps the address space", r"/memory@fffffffff0000000: .*passes the end",
               banks(((1 << 64) - (1 << 28), GIB)), twin=good)
    yield Case("reg that is no whole number of banks", r"/memory@90000000: reg has 20 bytes", edit.add_memory(
        good, 0x90000000, cells64(0x90000000, GIB) + cells32(0)), twin=good)


def odd_reservations(good):
    outside, reserve = 0x800000000, edit.with_reserved_memory
    yield Case("/memreserve/ outside RAM", r"/memreserve/ 0 .*outside RAM",
               edit.with_memreserve(good, [(outside, 0x1000)]), twin=good)
    yield Case("/reserved-memory outside RAM", r"/reserved-memory/test@800000000 .*outside RAM",
               reserve(good, [(outside, 0x10000)]), twin=good)
    yield Case("no-map outside RAM", r"/reserved-memory/test@800000000 .*outside RAM",
               reserve(good, [(outside, 0x10000)], "no-map"), twin=good)
    yield Case("a reservation half outside RAM", rf"/reserved-memory/test@{RAM_END - 0x1000:x} .*partly outside RAM",
               reserve(good, [(RAM_END - 0x1000, 0x2000)]), twin=reserve(good, [(RAM_END - 0x1000, 0x1000)]))
    yield Case("a reservation that wraps", r"/memreserve/ 0: .*passes the end",
               edit.with_memreserve(good, [((1 << 64) - 0x1000, 0x2000)]), twin=good)


def small_machines(good):
    image = machine.IMAGE.read_bytes()
    size, = struct.unpack_from("<Q", image, 16)
    line = r"panic: (out of memory at boot|no memory to manage)"
    most = edit.with_banks(good, (RAM_BASE, IMAGE_ADDR - RAM_BASE + size * 3 // 4 // 4096 * 4096))  # all but some data
    yield Case("RAM that ends inside the image", r": .*image.* RAM", most, twin=most, either=True)
    yield Case("RAM that holds the image and nothing else", line, edit.with_banks(good, (IMAGE_ADDR, size)))
    yield Case("one page of RAM", line, edit.with_banks(good, (RAM_BASE, 4096)))
    yield Case("less than a page of RAM", line, edit.with_banks(good, (RAM_BASE + 8, 4000)))


def odd_nodes(good):
    def nid(blob, value):
        return edit.set_property(blob, f"/memory@{RAM_BASE:x}", "numa-node-id", value)

    def distances(*entries):
        flat = [cell for entry in entries for cell in entry]
        return edit.add_node(nid(good, cells32(0)), "/", "distance-map",
                             {"compatible": b"numa-distance-map-v1\0", "distance-matrix": cells32(*flat)})

    yield Case("a node id out of range", rf"/memory@{RAM_BASE:x}: numa-node-id 4096", nid(good, cells32(4096)),
               twin=good)
    for value in 64, 4096, 0xFFFFFFFF:
        yield Case(f"a CPU of node {value}", rf"/cpus/cpu@1.* {value}\b", edit.set_property(
            good, "/cpus/cpu@1", "numa-node-id", cells32(value)), twin=good)
    yield Case("a distance to itself that is not 10", r"entry 0 of distance-matrix", distances((0, 0, 20)), twin=good)
    yield Case("a distance of a node out of range", r"entry 1 of distance-matrix",
               distances((0, 0, 10), (0, 77777, 20)), twin=good)
    yield Case("a distance map that is cut", r"distance-matrix has 20 bytes", distances((0, 0, 10), (0, 1)), twin=good)


def odd_firmware(_):
    """The tree promises what nobody above us does; each must be found out, and no CPU wait for what never comes."""
    board = Machine(cpus=2, ram=RAM, level=2)
    good = edit.edited(board.tree("memstage.run=test,cpus"), lambda fdt: None)
    yield Case("PSCI by HVC, but entered at EL2", r"psci: method hvc .* entered at EL2",
               edit.set_property(good, "/psci", "method", b"hvc\0"), twin=good, board=board)
    board = Machine(cpus=1, ram=RAM, level=3)
    good = edit.edited(board.tree("memstage.run=test,cpus"), lambda fdt: None)
    yield Case("interrupts left to the secure state", r"irq: intc@\w+ lets us enable no interrupt", good, twin=good,
               board=board, drop=True)


def full_uart(tap, good, board):
    """A console that is always full and always busy: a page of ones behind the tree, and part of it."""
    offset = 16 * PAGE
    blob = edit.set_property(good, "/pl011@9000000", "reg", cells64(TREE_ADDR + offset, PAGE))
    blob = edit.with_header(blob, 1, offset + PAGE)
    result = board.boot_tree(blob.ljust(offset, b"\0") + b"\xff" * PAGE, limit=LIMIT)
    machine.report(tap, "a UART that is always full", machine.status_faults(result, 0), result.log)


def many_reservations(tap, good, board):
    """500 pages reserved, half of them in each way, none touching another: all listed, nothing lost."""
    base = RAM_BASE + 0x10000000
    blob = edit.with_memreserve(good, [(base + i * 0x4000, 0x1000) for i in range(250)])
    blob = edit.with_reserved_memory(blob, [(base + 0x2000 + i * 0x4000, 0x1000) for i in range(250)])
    result = board.boot_tree(blob, limit=LIMIT)
    log = BootLog(result.log)
    faults = machine.status_faults(result, 0)
    faults += compare.all_faults(Tree(blob), log, machine.IMAGE.read_bytes(), IMAGE_ADDR)
    machine.report(tap, "500 reservations", faults, result.log)


def main():
    tap = ktap.Tap()
    board = Machine(cpus=2, ram=RAM)
    good = edit.edited(board.tree("memstage.run=boot"), lambda fdt: None)
    result = board.boot_tree(good, limit=LIMIT)
    faults = machine.status_faults(result, 0)
    faults += compare.all_faults(Tree(good), BootLog(result.log), machine.IMAGE.read_bytes(), IMAGE_ADDR)
    machine.report(tap, "the tree that the others are made from", faults, result.log)

    makers = no_tree, broken_tree, odd_banks, odd_reservations, small_machines, odd_nodes, odd_firmware
    cases = [case for maker in makers for case in maker(good)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, faults in zip(cases, pool.map(lambda case: case.faults(board), cases)):
            machine.report(tap, case.name, faults, case.result.log)
    many_reservations(tap, good, board)
    full_uart(tap, good, board)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
