#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Interrupt controllers: GICv2 and GICv3, entered at each exception level, with 1 to 64 CPUs; and trees that are wrong,
or unusual.

1. On machines that are right, every CPU comes on line, the suites that need interrupts pass, and the prompt's
   `interrupts` has counted the timer's and those between CPUs on every one of them.
2. At EL3 nobody but the image can give interrupts away, so that they come shows that it has. QEMU has no firmware there
   to start other CPUs: either the last of four is the one that boots, whose redistributor is not the first, and it
   stays alone; or a few instructions of our own have the others wait for the words of a spin table.
3. What machines that are right print is compared with their tree as in matrix.t, where all CPUs of the tree come.
4. Where the tree is wrong, one line says what, the boot goes on with the CPUs that can take interrupts, or with one and
   none, and reaches its end with the account balanced.
"""

import re
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
from machine import GIB, IMAGE, IMAGE_ADDR, RAM_BASE, Machine, ktap
from tree import Tree

AT_ONCE = 2
LIMIT = 60

SUITE = "cpuinfo\ntest cpus\ninterrupts\n\x04"
# For many CPUs: cross calls, work on all, the timer; a few seconds.
LOAD = "cpuinfo\ntest map\nstress 1\ninterrupts\n\x04"

INTC = "/intc@8000000"
DIST, DIST_SIZE = 0x08000000, 0x10000
REDIST, REDIST_SIZE = 0x080A0000, 0x20000
NOTHING = 0x0B000000  # an address at which virt has no device

WORDS = RAM_BASE + 0x8000000  # of the spin table, one for each CPU

COUNTS = re.compile(r" *\d+:((?: +\d+)+)  (.*)")
LEVEL = re.compile(r"^CPU\d+: on line, MPIDR .*, entered at EL(\d),", re.MULTILINE)


class Right:
    """
    A machine on which all is well.

    way: called with the board and what is to be typed, boots it. Returns the Run, and the tree that was passed
    cpus: how many come
    """

    def __init__(self, name, board, way, typed=SUITE, cpus=None):
        self.name, self.board, self.way, self.typed = name, board, way, typed
        self.cpus = board.cpus if cpus is None else cpus
        self.result = None

    def faults(self):
        self.result, blob = self.way(self.board, self.typed.encode())
        log = BootLog(self.result.log)
        faults = machine.status_faults(self.result, 0) + [f"the log has: {line}" for line in log.panics()]
        faults += self.level_faults(log)
        if self.cpus == self.board.cpus:
            faults += compare.all_faults(Tree(blob), log, IMAGE.read_bytes(), IMAGE_ADDR)
        faults += machine.suite_faults(self.result, LIMIT)
        faults += [f"{log.cpus} CPUs on line"] * (log.cpus != self.cpus)
        if not re.search(rf"gicv{self.board.gic}: distributor at 0x{DIST:x}", self.result.log):
            faults.append(f"no GICv{self.board.gic} is found")
        return faults + self.count_faults()

    def level_faults(self, log):
        levels = [int(level) for level in LEVEL.findall(self.result.log)]
        return compare.level(self.board, log) + [f"CPUs entered at EL{levels}"] * (
            levels != [self.board.level] * self.cpus)

    def count_faults(self):
        """The timer has interrupted every CPU; calls those that others call, wake-ups all but the one at the prompt."""
        counts = {match[2]: [int(count) for count in match[1].split()]
                  for match in map(COUNTS.fullmatch, self.result.log.splitlines()) if match}
        least = {"virtual timer": [1] * self.cpus, "wake-up": [0] + [1] * (self.cpus - 1),
                 "cross call": [0] + [1] * (self.cpus - 1), "stop": [0] * self.cpus}
        if set(counts) != set(least):
            return [f"interrupts counts {sorted(counts)}, {sorted(least)} is right"]
        return [f"{name}: {counts[name]}" for name, right in least.items()
                if len(counts[name]) != len(right) or any(a < b for a, b in zip(counts[name], right))]


class Odd:
    """A tree that is wrong, or unusual, on @board. @line: a pattern that one line has; @cpus: how many come on line."""

    def __init__(self, name, board, line, blob, cpus=1, drop=False):
        self.name, self.board, self.line, self.blob, self.cpus, self.drop = name, board, line, blob, cpus, drop
        self.result = None

    def faults(self):
        self.result = self.board.boot_tree(self.blob, limit=LIMIT, drop=self.drop)
        log = BootLog(self.result.log)
        faults = machine.status_faults(self.result, 0) + [f"the log has: {line}" for line in log.panics()]
        lines = [line for line in self.result.log.splitlines() if re.search(self.line, line)]
        faults += [f"{len(lines)} lines match /{self.line}/"] * (len(lines) != 1)
        faults += [f"{log.cpus} CPUs on line, {self.cpus} is right"] * (log.cpus != self.cpus)
        faults += ["the account is not balanced"] * (not log.accounts or log.accounts[-1].verdict != "balanced")
        return faults


# --- Ways in ---


def by_kernel(board, typed):
    """-kernel: QEMU is the firmware."""
    return board.boot("", stdin=typed, limit=LIMIT), board.tree()


def by_loader(board, typed, **how):
    """No firmware: the image is entered at the machine's highest level."""
    blob = edit.edited(board.tree(), lambda fdt: None)
    return board.boot_tree(blob, stdin=typed, limit=LIMIT, **how), blob


def last_alone(board, typed):
    return by_loader(board, typed, boot_cpu=board.cpus - 1)


def words_of_their_own(board, typed):
    return by_spin_table(board, typed, [0xD53800A0, 0x92401C00], 8)  # mrs x0, mpidr_el1; and x0, x0, #0xff


def one_word(board, typed):
    return by_spin_table(board, typed, [0xD2800000], 0)  # mov x0, #0


def by_spin_table(board, typed, number, step):
    """
    No firmware, and all CPUs come at the machine's highest level. CPU n waits for the word at WORDS + n * @step.
    @number: the instructions by which it has that word's number in x0.
    """
    def change(fdt):
        fdt.del_node(fdt.path_offset("/psci"))
        for cpu in range(board.cpus):
            node = fdt.path_offset(f"/cpus/cpu@{cpu}")
            fdt.setprop(node, "enable-method", b"spin-table\0")
            fdt.setprop(node, "cpu-release-addr", cells64(WORDS + cpu * step))

    blob = edit.with_memreserve(edit.edited(board.tree(), change), [(WORDS, 8 * board.cpus)])
    # x1 = WORDS; 1: ldr x2, [x1, x0, lsl #3]; cbnz x2, 2f; wfe; b 1b; 2: br x2
    pen = number + machine.move(1, WORDS) + [0xF8607822, 0xB5000062, 0xD503205F, 0x17FFFFFD, 0xD61F0040]
    return board.boot_tree(blob, stdin=typed, limit=LIMIT, others=pen), blob


# --- Machines ---


def right_machines():
    for cpus, level, typed in ((1, 1, SUITE), (4, 2, SUITE), (16, 1, SUITE), (64, 1, LOAD)):
        board = Machine(cpus=cpus, ram=GIB, level=level, gic=3, threads=cpus == 4)
        yield Right(f"GICv3, {cpus} CPUs, EL{level}", board, by_kernel, typed)
    for gic in 2, 3:
        for level in 1, 2:
            board = Machine(cpus=4, ram=GIB, level=level, gic=gic, secure=True)
            yield Right(f"GICv{gic}, EL{level}, beside a secure state", board, by_kernel)
        board = Machine(cpus=4, ram=GIB, level=3, gic=gic)
        yield Right(f"GICv{gic}, EL3, the last of four CPUs", board, last_alone, cpus=1)
        yield Right(f"GICv{gic}, EL3, four CPUs by spin table, each its own word", board, words_of_their_own)
    yield Right("GICv3, EL3, four CPUs by spin table, all one word", Machine(cpus=4, ram=GIB, level=3, gic=3), one_word)
    board = Machine(cpus=1, ram=GIB, level=3, gic=3, cpu="cortex-a72,has_el2=off")
    yield Right("GICv3, EL3 of a core without EL2", board, by_loader)


def regions(blob, *pairs, **properties):
    """The distributor, and the regions @pairs of redistributors, and how many regions the tree says there are."""
    def change(fdt):
        node = fdt.path_offset(INTC)
        fdt.setprop(node, "reg", cells64(DIST, DIST_SIZE, *(value for pair in pairs for value in pair)))
        fdt.setprop(node, "#redistributor-regions", cells32(properties.get("count", len(pairs))))
        if "stride" in properties:
            fdt.setprop(node, "redistributor-stride", properties["stride"])
    return edit.edited(blob, change)


def odd_regions(board, good):
    rest = REDIST + 2 * REDIST_SIZE
    closed = r"gicv3: intc@8000000: no redistributor for the boot CPU: one CPU, no interrupts"
    yield Odd("two regions, of two redistributors each", board, r"gicv3: .* redistributors for 4 of 4 CPUs",
                regions(good, (REDIST, 2 * REDIST_SIZE), (rest, 2 * REDIST_SIZE)), cpus=4)
    yield Odd("regions in falling order", board, r"gicv3: .* redistributors for 4 of 4 CPUs",
                regions(good, (rest, 2 * REDIST_SIZE), (REDIST, 2 * REDIST_SIZE)), cpus=4)
    yield Odd("a stride that is right", board, r"gicv3: .* redistributors for 4 of 4 CPUs",
                regions(good, (REDIST, 4 * REDIST_SIZE), stride=cells64(REDIST_SIZE)), cpus=4)
    yield Odd("redistributors of three CPUs", board, r"gicv3: CPU3: the tree's regions have no redistributor",
                regions(good, (REDIST, 3 * REDIST_SIZE)), cpus=3)
    yield Odd("the boot CPU has no redistributor", board, closed, regions(good, (rest, 2 * REDIST_SIZE)))
    yield Odd("a region that is too small", board, r"redistributor region 1 of 1, 0x1fff0 bytes at 0x80a0000: too s",
                regions(good, (REDIST, REDIST_SIZE - 16)))
    yield Odd("fewer regions than the tree counts", board, r"region 2 of 2: /intc@8000000 has no range 2 in reg$",
                regions(good, (REDIST, 4 * REDIST_SIZE), count=2), cpus=4)
    yield Odd("a region at which nothing is", board, rf"gicv3: nothing answers at 0x{NOTHING:x}",
                regions(good, (NOTHING, REDIST_SIZE), (REDIST, 4 * REDIST_SIZE)), cpus=4)
    yield Odd("a region that begins beside a redistributor", board, r"gicv3: no redistributor at 0x80b0000",
                regions(good, (REDIST + REDIST_SIZE // 2, 4 * REDIST_SIZE)))
    yield Odd("a region beyond the physical addresses", board, r"redistributor region 1 of 1, .* physical addresses",
                regions(good, (1 << 46, 4 * REDIST_SIZE)))
    for stride in cells64(REDIST_SIZE + 1), cells32(REDIST_SIZE // 2), b"\0" * 3:
        yield Odd(f"a stride of 0x{stride.hex()}", board, r"gicv3: redistributor-stride of \d+ bytes",
                    regions(good, (REDIST, 4 * REDIST_SIZE), stride=stride))


def odd_controllers(board, good):
    yield Odd("a controller that nobody drives", board, r"irq: no driver for /intc@8000000 \(acme,pic\): one CPU",
                edit.set_property(good, INTC, "compatible", b"acme,pic\0acme,other\0"))
    yield Odd("a distributor too small", board, r"gicv3: intc@8000000: less than 64 KiB of registers: one CPU",
                edit.set_property(good, INTC, "reg", cells64(DIST, 0x1000, REDIST, REDIST_SIZE)))
    yield Odd("a distributor without a place", board,
                r"gicv3: intc@8000000: /intc@8000000 has no range 0 in reg: one CPU",
                edit.set_property(good, INTC, "reg", b""))
    yield Odd("a distributor at which nothing is", board, r"gicv3: intc@8000000: nothing answers there: one CPU",
                edit.set_property(good, INTC, "reg", cells64(NOTHING, DIST_SIZE, REDIST, REDIST_SIZE)))
    yield Odd("a distributor that identifies itself as nothing", board,
                r"gicv3: intc@8000000: it does not identify itself as a GICv3: one CPU",
                edit.set_property(good, INTC, "reg", cells64(REDIST + DIST_SIZE, DIST_SIZE, REDIST, REDIST_SIZE)))
    yield Odd("GICv2 in the tree of a GICv3", board, r"gicv2: nothing answers at 0x8010000: one CPU",
                edit.edited(good, as_gicv2))
    other = Machine(cpus=2, ram=GIB, gic=2)
    for name, reg in (("distributor", (1 << 46, DIST_SIZE, DIST + 0x10000, 0x10000)),
                      ("CPU interface", (DIST, DIST_SIZE, 1 << 46, 0x10000))):
        yield Odd(f"a GICv2's {name} beyond the physical addresses", other,
                    r"gicv2: registers at .*: beyond physical addresses: one CPU",
                    edit.set_property(other.tree("memstage.run=boot"), INTC, "reg", cells64(*reg)))
    yield Odd("GICv3 in the tree of a core without its registers", other,
                r"gicv3: CPU0: the system registers of the interrupt controller are closed to EL1",
                edit.set_property(other.tree("memstage.run=boot"), INTC, "compatible", b"arm,gic-v3\0"))
    secure = Machine(cpus=1, ram=GIB, level=3, gic=3)
    yield Odd("a GICv3 left to the secure state", secure, r"irq: intc@8000000 lets us enable no interrupt",
                edit.edited(secure.tree("memstage.run=boot"), lambda fdt: None), drop=True)


def as_gicv2(fdt):
    node = fdt.path_offset(INTC)
    fdt.setprop(node, "compatible", b"arm,cortex-a15-gic\0")
    fdt.setprop(node, "reg", cells64(DIST, 0x10000, DIST + 0x10000, 0x10000))


def main():
    tap = ktap.Tap()
    board = Machine(cpus=4, ram=GIB, gic=3)
    good = edit.edited(board.tree("memstage.run=boot"), lambda fdt: None)
    cases = [*right_machines(), *odd_regions(board, good), *odd_controllers(board, good)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, faults in zip(cases, pool.map(lambda case: case.faults(), cases)):
            machine.report(tap, case.name, faults, case.result.log)
            tap.note(f"  {case.result.seconds:.1f} s")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
