#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The Raspberry Pi 4, started directly: its consoles, its memory map, its cores by spin table, its watchdog.

Cores wait at three words in the first page of RAM: core 1 at 0xe0, core 2 at 0xe8, core 3 at 0xf0. A board that gets no
tree is in badinput.t.
"""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import edit
import machine
import raspi
from bootlog import BootLog
from edit import cells32, cells64
from machine import IMAGE, ktap
from raspi import PL011, Pi
from tree import Tree

LIMIT = 60
SUITES_LIMIT = 300  # seconds for all suites, which take 75 on two host cores that have much other work
CPUS = [f"/cpus/cpu@{cpu}" for cpu in range(4)]
WORDS = {1: 0xe0, 2: 0xe8, 3: 0xf0}
FIFO = 16  # bytes typed at a machine that resets may be lost: as many as its UART holds


def map_faults(board, blob, append, result):
    """The log against the tree that the image got, all CPUs on line."""
    log = BootLog(result.log)
    tree = Tree(board.passed(blob, append))
    return (machine.status_faults(result, 0) + compare.level(board, log) +
            compare.all_faults(tree, log, IMAGE.read_bytes(), raspi.IMAGE_ADDR))


def test_boots(tap, good):
    """The suites once; then the other console; then trees that say the same in another way."""
    no_map = edit.with_memreserve(good, [])
    no_map = edit.add_node(no_map, "/reserved-memory", "firmware@0",
                           {"reg": cells64(0) + cells32(0x1000), "no-map": b""})
    short = edit.with_memreserve(good, [])
    for cpu, word in WORDS.items():
        short = edit.set_property(short, CPUS[cpu], "cpu-release-addr", cells32(word))
    cases = [
        ("the suites, on the mini UART", Pi(threads=True), good, "test",
         r"console: mini UART at 0xfe215040, /soc/serial@7e215040$"),
        ("the PL011, by stdout-path", Pi(PL011), raspi.with_stdout(good, "serial0"), "boot",
         r"console: pl011 at 0xfe201000, /soc/serial@7e201000$"),
        ("release words in a no-map page", Pi(), no_map, "boot",
         r"no-map +\[mem 0x0{16}-0x0{13}fff\] from .*firmware@0$"),
        ("nothing reserved, release addresses of 32 bits", Pi(), short, "boot",
         r"reserved +\[mem 0x0{16}-0x0{13}fff\] from first page$"),
    ]
    for name, board, blob, run, line in cases:
        append = f"memstage.run={run}"
        limit = SUITES_LIMIT if run == "test" else LIMIT
        result = board.boot(blob, append, limit=limit)
        faults = map_faults(board, blob, append, result) + machine.lines_faults(result.log, [
            line, r"gicv2: distributor at 0xff841000, CPU interface at 0xff842000",
            r"DMA +\[mem 0x0{16}-0x000000003bffffff\]$"])
        faults += machine.suite_faults(result, limit) if run == "test" else []
        machine.report(tap, name, faults, result.log)
        tap.note(f"  {result.seconds:.1f} s")


def test_power(tap, good):
    """Typed at the prompt, without semihosting: the watchdog resets, the next boot answers, and is halted."""
    for board, alias in (Pi(), "serial1"), (Pi(PL011), "serial0"):
        typed = "reboot\n" + "\n" * 4 * FIFO + "interrupts\npoweroff\n"
        result = board.boot(raspi.with_stdout(good, alias), "", typed.encode(), LIMIT, semihosting=False)
        faults = machine.status_faults(result, 0)
        boots = len(re.findall(r"memstage entered at EL2", result.log))
        faults += [f"booted {boots} times"] * (boots != 2)
        faults += machine.lines_faults(result.log, [r"^memstage> interrupts$", r"^memstage> poweroff$",
                                                    r"virtual timer$"])
        machine.report(tap, f"reset and power-off by the watchdog, typed at the {board.serial}", faults, result.log)


def test_missing_cores(tap, good):
    """What is wrong with a core's node is one line, and the others come."""
    def release(blob, cpu, value):
        return edit.set_property(blob, CPUS[cpu], "cpu-release-addr", value)

    wrong = edit.set_property(good, CPUS[1], "enable-method", b"vendor,smp\0")
    wrong = release(release(wrong, 2, cells64(WORDS[2] + 4)), 3, cells64(0x30000000))
    other = release(release(good, 1, cells64(0xfd000000)), 2, b"")
    late = release(release(good, 1, cells64(WORDS[2])), 2, cells64(WORDS[1]))
    cases = [
        ("no core comes", wrong, "boot", 1, [
            r'CPU1: /cpus/cpu@1: enable-method "vendor,smp" is neither psci nor spin-table: stays off$',
            r"CPU2: /cpus/cpu@2: cpu-release-addr 0xec is no address of 8 bytes: stays off$",
            r"CPU3: MPIDR 0x3: the tree does not reserve its cpu-release-addr 0x30000000: not written to: stays off$"]),
        ("a release address without memory, and none", other, "boot", 2, [
            r"CPU1: MPIDR 0x1: nothing answers at its cpu-release-addr 0xfd000000: stays off$",
            r"CPU2: /cpus/cpu@2: .*no cpu-release-addr of 4 or 8 bytes: stays off$", r"CPU3: on line"]),
        # Core 2 is let go with core 1's record and waits for its own; core 1 comes when it has been given up.
        ("release addresses exchanged: one comes early, one late", late, "test", 3, [
            r"CPU1: MPIDR 0x1: not on line 1000 ms after its start by spin-table: given up$",
            r"CPU2: on line, MPIDR 0x2,", r"CPU1: came when it was no longer waited for: parked$", r"CPU3: on line"]),
    ]
    for name, blob, run, online, patterns in cases:
        limit = SUITES_LIMIT if run == "test" else LIMIT
        result = Pi().boot(blob, f"memstage.run={run}", limit=limit)
        log = BootLog(result.log)
        faults = machine.status_faults(result, 0) + machine.lines_faults(result.log, patterns)
        faults += [f"the log has: {line}" for line in log.panics()]
        faults += [f"{log.cpus} CPUs on line, {online} is right"] * (log.cpus != online)
        faults += machine.suite_faults(result, limit) if run == "test" else []
        machine.report(tap, name, faults, result.log)
        tap.note(f"  {result.seconds:.1f} s")


def main():
    tap = ktap.Tap()
    good = raspi.board_tree()
    test_boots(tap, good)
    test_power(tap, good)
    test_missing_cores(tap, good)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
