#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The image's place by /chosen/kaslr-seed: where it must be for each seed, that all works there, and that nobody finds
the seed afterwards.

1. The slot of a seed is computed here again, from what early_kaslr.c and README say of it. Seeds are chosen that
   give the first slot, the last, the last of a GiB and the first of the next; others are drawn, and printed.
2. In each place the suites pass, and a fault's backtrace has the names that System.map has there.
3. The seed is in nobody's memory afterwards: not in the tree, not anywhere in RAM.
4. Trees without a seed, with one that is not right, or with nokaslr, boot at the link address and say so in one line.
"""

import random
import re
import struct
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
import raspi
import uboot
from dialog import Dialog
from edit import cells32, cells64
from machine import BUILD, COMMON, IMAGE, IMAGE_ADDR, MIB, QEMU, RAM_BASE, TREE_ADDR, Machine, ktap
from raspi import Pi

AT_ONCE = 2
LIMIT = 60
ALL_LIMIT = 180  # seconds for all suites, which take about ten on a host with time
PROMPT = "memstage> "
KIMAGE, GIB, SLOT = 0xffffff8000000000, 1 << 30, 2 * MIB
GIBS, PER_GIB = 510, 509
SLOTS = GIBS * PER_GIB
SPREAD = 0x9e3779b97f4a7c15
WORD = 1 << 64

MOVED = re.compile(r"KASLR: image moved by (0x[0-9a-f]+), to one of (\d+) slots of 2 MiB \(17\.9 bits\)$", re.MULTILINE)
TEXT = re.compile(r"image text +0x([0-9a-f]{16}) - ")
FRAME = re.compile(r"^(?:\[.*?\] )?  \[([0-9a-f]{16})\] (\S+)\+0x([0-9a-f]+)$", re.MULTILINE)
NO_SEED = "KASLR: no seed in /chosen/kaslr-seed: image at its link address"
OFF = "KASLR: off (nokaslr): image at its link address"


def address(seed):
    slot = (seed * SPREAD % WORD) * SLOTS // WORD
    return KIMAGE + slot // PER_GIB * GIB + slot % PER_GIB * SLOT


def seed_of(slot):
    """The middle of the seeds that give @slot."""
    product = (2 * slot + 1) * WORD // (2 * SLOTS)
    return product * pow(SPREAD, -1, WORD) % WORD


def link_address():
    lines = (BUILD / "System.map").read_text().splitlines()
    return next(int(line.split()[0], 16) for line in lines if line.endswith(" _text"))


def symbols():
    """{name: [addresses]} as linked."""
    found = {}
    for line in (BUILD / "System.map").read_text().splitlines():
        where, kind, name = line.split()
        if kind in "tTwW":
            found.setdefault(name, []).append(int(where, 16))
    return found


def chosen(blob, seed=None, args=b"", **more):
    """The tree with another /chosen: @seed as a property of 8 bytes, or of any bytes, behind or before the rest."""
    def change(fdt):
        old = fdt.path_offset("/chosen")
        stdout = bytes(fdt.getprop(old, "stdout-path"))
        fdt.del_node(old)
        node = fdt.add_subnode(0, "chosen")
        fdt.setprop(node, "stdout-path", stdout)
        fdt.setprop(node, "bootargs", args + b"\0")
        if seed is not None:
            fdt.setprop(node, "kaslr-seed", seed if isinstance(seed, bytes) else cells64(seed))
        for name, value in more.items():
            fdt.setprop(fdt.path_offset("/chosen"), name, value)
    return edit.edited(blob, change)


def place_faults(log, right):
    """The log against the address at which the image must be."""
    said, text, slide = MOVED.findall(log), TEXT.search(log), right - link_address()
    faults = [f"text is at {text and text[1]}, {right:#x} is right"] * (not text or int(text[1], 16) != right)
    if not (NO_SEED in log or OFF in log):
        faults += [f"said: {said}, {slide:#x} of {SLOTS} is right"] * (said != [(f"{slide:#x}", str(SLOTS))])
    return faults


class Moved:
    """
    A boot with @seed, in which all suites run, or one, or a fault is made.

    typed: what is typed; status: QEMU's; board: a Machine
    """

    def __init__(self, seed, board, blob, typed="test", status=0):
        self.seed, self.board, self.blob, self.typed, self.status = seed, board, blob, typed, status
        self.name, self.result = f"seed {seed:#x}, EL{board.level}: {typed}", None
        self.limit = ALL_LIMIT if typed == "test" else LIMIT

    def faults(self):
        blob = chosen(self.blob, self.seed)
        self.result = self.board.boot_tree(blob, stdin=f"{self.typed}\n\x04".encode(), limit=self.limit)
        faults = machine.status_faults(self.result, self.status)
        faults += place_faults(self.result.log, address(self.seed))
        if self.typed.startswith("test"):
            return faults + machine.suite_faults(self.result, self.limit)
        return faults + self.trace_faults()

    def trace_faults(self):
        """Each frame is what System.map has at the address less the offset; the command itself is among them."""
        slide, table = address(self.seed) - link_address(), symbols()
        frames = [(int(where, 16), name, int(offset, 16)) for where, name, offset in FRAME.findall(self.result.log)]
        faults = [f"{name} is not at {where - offset - slide:#x}" for where, name, offset in frames
                  if where - offset - slide not in table.get(name, [])]
        return faults + ["fault_access is not in the backtrace"] * ("fault_access" not in [one[1] for one in frames])


class Still:
    """A tree after which the image must stay where it is linked; @line says why. @boot: starts it."""

    def __init__(self, name, boot, line):
        self.name, self.boot, self.line, self.result = name, boot, line, None

    def faults(self):
        self.result = self.boot()
        said = [line for line in self.result.log.splitlines() if "KASLR" in line]
        faults = [f"said: {said}"] * (len(said) != 1 or not said[0].endswith(self.line))
        return faults + place_faults(self.result.log, link_address()) + machine.status_faults(self.result, 0)


def still_cases(board, good):
    seed, boot = 0x1234567890abcdef, b"memstage.run=boot"
    moved = chosen(good, seed, boot)
    below = edit.add_node(chosen(good, None, boot), "/chosen", "module", {"kaslr-seed": cells64(seed)})
    nested = edit.add_node(chosen(good, None, boot), "/cpus", "chosen", {"kaslr-seed": cells64(seed)})
    trees = [
        ("no seed", chosen(good, None, boot), NO_SEED),
        ("a seed of zero", chosen(good, 0, boot), NO_SEED),
        ("a seed of 4 bytes", chosen(good, cells32(1), boot), NO_SEED),
        ("a seed of 16 bytes", chosen(good, cells64(1, 2), boot), NO_SEED),
        ("a seed in a node below /chosen", below, NO_SEED),
        ("a seed in another node of that name", nested, NO_SEED),
        ("nokaslr", chosen(good, seed, boot + b" nokaslr"), OFF),
        ("nokaslr in front", chosen(good, seed, b"nokaslr  " + boot), OFF),
        ("nokaslr without a seed", chosen(good, None, boot + b" nokaslr"), OFF),
    ]
    for name, blob, line in trees:
        yield Still(name, lambda blob=blob: board.boot_tree(blob, limit=LIMIT), line)
    header = struct.unpack_from(">10I", moved)
    assert header[0] == 0xd00dfeed
    yield Still("QEMU's own tree without a seed", lambda: machine.run(
        [QEMU, *COMMON, *board.options(",dtb-randomness=off"), "-kernel", str(IMAGE), "-append", boot.decode()],
        limit=LIMIT), NO_SEED)
    yield Still("raspi4b, whose tree has none", lambda: Pi().boot(raspi.board_tree(), boot.decode(), limit=LIMIT),
                NO_SEED)


class NotAWord:
    """What only contains nokaslr does not mean it."""

    def __init__(self, board, good):
        self.board, self.good, self.name, self.result = board, good, "words that are not quite nokaslr", None

    def faults(self):
        blob = chosen(self.good, 99, b"nokaslrx xnokaslr memstage.run=boot a=nokaslr nokasl")
        self.result = self.board.boot_tree(blob, limit=LIMIT)
        return place_faults(self.result.log, address(99)) + machine.status_faults(self.result, 0)


class OnPi:
    """The board's tree with a seed: the cores come by spin table."""

    def __init__(self, seed):
        self.seed, self.name, self.result = seed, f"raspi4b, seed {seed:#x}: test map", None

    def faults(self):
        blob = edit.set_property(raspi.board_tree(), "/chosen", "kaslr-seed", cells64(self.seed))
        self.result = Pi().boot(blob, "memstage.run=test,map", limit=LIMIT)
        log = self.result.log
        return (machine.status_faults(self.result, 0) + place_faults(log, address(self.seed)) +
                machine.suite_faults(self.result, LIMIT) + ["not all cores"] * ("4 CPUs on line" not in log))


class Wiped:
    """RAM after a boot: the seed is in no byte order anywhere, what makes the tree a tree still is."""

    def __init__(self, seed, args=b""):
        self.board, self.seed = Machine(cpus=2, ram=64 * MIB), seed
        self.blob = chosen(self.board.tree(""), seed, args, **{"linux,marker": b"untouched marker"})
        self.name, self.result = f"seed {seed:#x} is nowhere{', ' + args.decode() if args else ''}", None

    def faults(self):
        start = machine.trampoline(TREE_ADDR - 16 * MIB, machine.JUMP, IMAGE_ADDR)
        loads = [(machine.TRAMPOLINE, start), (IMAGE_ADDR, IMAGE.read_bytes()), (TREE_ADDR - 16 * MIB, self.blob)]
        folder = tempfile.TemporaryDirectory()  # pylint: disable=consider-using-with # as long as QEMU runs
        command = [QEMU, *COMMON, *self.board.options(",dtb-randomness=off"), *machine.placed(folder.name, loads),
                   "-device", f"loader,addr={machine.TRAMPOLINE:#x},cpu-num=0"]
        with folder, Dialog(command, LIMIT) as dialog:
            prompt = dialog.wait_for(PROMPT)
            dialog.type("fdt dump")
            memory = dialog.memory(RAM_BASE, self.board.ram) if prompt and dialog.wait_for(PROMPT) else b""
            dialog.type("poweroff")
            self.result = dialog.end()
        if not memory:
            return ["no prompt"]
        faults = [f"the seed is at {RAM_BASE + at:#x}" for order in (">Q", "<Q")
                  if (at := memory.find(struct.pack(order, self.seed))) >= 0]
        faults += ["the rest of the tree is not as it was"] * (b"untouched marker" not in memory)
        right = self.blob.replace(cells64(self.seed), bytes(8))
        return faults + ["the dump is another tree"] * (uboot.handed(self.result.log).blob[:len(right)] != right)


def cases():
    generator = random.Random()
    drawn = [generator.getrandbits(64) for _ in range(3)]
    board = Machine(cpus=4, ram=512 * MIB)
    good = board.tree("")
    for seed in drawn:
        yield Moved(seed, board, good)
    for slot in (0, SLOTS - 1, PER_GIB - 1, PER_GIB, SLOTS // 2):
        yield Moved(seed_of(slot), board, good, "test map")
    for seed in (1, WORD - 1):
        yield Moved(seed, board, good, "test map")
    for seed in drawn:
        yield Moved(seed, board, good, "fault vmalloc-guard 2", status=1)
    above = Machine(cpus=4, ram=512 * MIB, level=2)
    yield Moved(drawn[0], above, above.tree(""), "test map")
    secure = Machine(cpus=1, ram=512 * MIB, level=3)
    yield Moved(drawn[1], secure, good, "test map")
    landing = Machine(cpus=4, ram=512 * MIB, cpu="max")
    yield Moved(drawn[2], landing, landing.tree(""), "test")
    yield OnPi(drawn[0])
    yield NotAWord(board, good)
    yield from still_cases(board, good)
    yield Wiped(drawn[1])
    yield Wiped(drawn[2], b"nokaslr")


def main():
    tap = ktap.Tap()
    tested = list(cases())
    places = {address(case.seed) for case in tested[:3]}
    machine.report(tap, "three seeds drawn give three places", [f"{places}"] * (len(places) != 3))
    machine.report_cases(tap, tested, AT_ONCE)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
