#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""CPUs that do not come, on virt: each is one line that says which and why; the others come, and all suites run on
them though the numbers have holes.

What only a board with a spin table shows is in raspi4b.t.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
from bootlog import BootLog
from edit import cells32, cells64
from machine import GIB, RAM_BASE, Machine, ktap

LIMIT = 120  # seconds; the suites take 17 on two host cores that have much other work
WORD = RAM_BASE + 0x8000000  # reserved; nobody waits for it


def holes(board):
    """(tree, patterns): CPUs 1 to 4, 6 and 7 cannot come, each for a reason of its own; 5 can."""
    spin = {"enable-method": b"spin-table\0"}
    changes = {
        1: ({"reg": cells32(0x10001)}, r"CPU1: MPIDR 0x10001: PSCI CPU_ON: INVALID_PARAMETERS \(-2\): stays off$"),
        2: ({"enable-method": b"vendor,a\0vendor,b\0"},
            r'CPU2: /cpus/cpu@2: enable-method "vendor,a" is neither psci nor spin-table: stays off$'),
        3: (spin | {"cpu-release-addr": cells64(WORD)},
            r"CPU3: MPIDR 0x3: not on line 1000 ms after its start by spin-table: given up$"),
        4: ({"enable-method": None}, r"CPU4: /cpus/cpu@4: no enable-method: stays off$"),
        5: ({"enable-method": b"vendor,a\0psci\0"}, r"CPU5: on line, MPIDR 0x5,"),
        6: (spin, r"CPU6: /cpus/cpu@6: enable-method spin-table, but no cpu-release-addr of 4 or 8 bytes: stays off$"),
        7: (spin | {"cpu-release-addr": cells64(1 << 47)},
            r"CPU7: /cpus/cpu@7: cpu-release-addr 0x800000000000 is no address of 8 bytes: stays off$"),
    }

    def change(fdt):
        for cpu, (properties, _) in changes.items():
            for name, value in properties.items():
                node = fdt.path_offset(f"/cpus/cpu@{cpu}")
                if value is None:
                    fdt.delprop(node, name)
                else:
                    fdt.setprop(node, name, value)
    tree = edit.with_memreserve(edit.edited(board.tree("memstage.run=test"), change), [(WORD, 8)])
    return tree, [pattern for _, pattern in changes.values()]


def psci_missing(board):
    tree = edit.remove_node(board.tree("memstage.run=boot"), "/psci")
    return tree, [rf"CPU{cpu}: MPIDR {cpu:#x}: its enable-method is psci, which there is none of: stays off$"
                  for cpu in (1, 2)]


def common_method(board):
    """What all CPUs have in common may stand in /cpus."""
    def change(fdt):
        for cpu in range(3):
            fdt.delprop(fdt.path_offset(f"/cpus/cpu@{cpu}"), "enable-method")
        fdt.setprop(fdt.path_offset("/cpus"), "enable-method", b"psci\0")
    return edit.edited(board.tree("memstage.run=boot"), change), [r"CPU1: on line,", r"CPU2: on line,"]


def test_reset(tap):
    """The second boot reads what the first left in the pipe; its UART's FIFO is lost in between."""
    result = Machine(cpus=2, ram=GIB).boot("", ("reboot\n" + "\n" * 100 + "poweroff\n").encode(), LIMIT)
    boots = result.log.count("memstage entered at EL1")
    machine.report(tap, "reboot by PSCI", machine.status_faults(result, 0) + [f"booted {boots} times"] * (boots != 2),
                   result.log)


def main():
    tap = ktap.Tap()
    cases = [("a CPU for each reason not to come, and the suites on the others", 8, holes, 2),
             ("no PSCI", 3, psci_missing, 1), ("one enable-method for all", 3, common_method, 3)]
    for name, cpus, make, online in cases:
        board = Machine(cpus=cpus, ram=GIB, threads=True)
        tree, patterns = make(board)
        result = board.boot_tree(tree, limit=LIMIT)
        log = BootLog(result.log)
        faults = machine.status_faults(result, 0) + machine.lines_faults(result.log, patterns)
        faults += [f"the log has: {line}" for line in log.panics()]
        faults += [f"{log.cpus} CPUs on line, {online} is right"] * (log.cpus != online)
        faults += machine.suite_faults(result, LIMIT) if make is holes else []
        machine.report(tap, name, faults, result.log)
        tap.note(f"  {result.seconds:.1f} s")
    test_reset(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
