#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions, each made on purpose by the prompt's `fault KIND CPU`, on the boot CPU and on another one.

The report must name the cause and the CPU, show the registers, and a backtrace whose names and addresses are those of
System.map; the run must end with status 1.
"""

import bisect
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
from bootlog import STAMP
from machine import BUILD, GIB, Machine, ktap

LIMIT = 30
CPUS = [0, 2]

# What is done, and what the line that begins with "panic: " must say. N is the CPU.
KINDS = {
    "null": r"(read|write): translation fault.* far 0x[0-9a-f]{1,3},",
    "text-write": r"write: permission fault.*image",
    "data-exec": r"instruction fetch: permission fault",
    "stack": r"stack overflow: .*guard page of CPU N's stack",
    "undef": r"undefined instruction",
    "brk": r"BRK instruction 0x1",
    "unaligned": r"read: alignment fault",
}
REGISTERS = [rf"x{i}\s+[0-9a-f]{{16}}" for i in range(31)]
REGISTERS += [r"sp\s+[0-9a-f]{16}", r"pstate\s+[0-9a-f]{8,16}", r"pc\s+\S", r"lr\s+\S"]
FRAME = re.compile(r"^  \[([0-9a-f]{16})\] (\S+)\+0x([0-9a-f]+)$")


def symbols():
    """[(address, name)] of the image's text, by address."""
    found = []
    for line in (BUILD / "System.map").read_text().splitlines():
        address, kind, name = line.split()
        if kind in "tTwW":
            found.append((int(address, 16), name))
    return sorted(found)


def frame_faults(frames, table):
    faults = []
    addresses = [address for address, _ in table]
    for address, name, offset in frames:
        start = address - offset
        at = bisect.bisect_left(addresses, start)
        names = [symbol for _, symbol in table[at:bisect.bisect_right(addresses, start)]]
        if name not in names:
            faults.append(f"frame {address:#x}: {name}+{offset:#x} is not in System.map, which has {names} there")
    return faults


def report_faults(result, cpu, cause, table):
    faults = machine.status_faults(result, 1)
    lines = [STAMP.sub("", line) for line in result.log.splitlines()]
    panics = [line for line in lines if line.startswith("panic: ")]
    if len(panics) != 1:
        return faults + [f"{len(panics)} lines begin with panic:"] + panics
    if not re.search(cause, panics[0]):
        faults.append(f"/{cause}/ is not in: {panics[0]}")
    if not re.search(rf"on CPU {cpu}\b", panics[0]):
        faults.append(f"CPU {cpu} is not named: {panics[0]}")
    report = lines[lines.index(panics[0]) + 1:]
    text = "\n".join(report)
    faults += [f"/{pattern}/ is not among the registers" for pattern in REGISTERS
               if not re.search(rf"(?m)(^|\s){pattern}", text)]
    if f"Backtrace of CPU {cpu}:" not in report:
        return faults + [f"no backtrace of CPU {cpu}"]
    trace = report[report.index(f"Backtrace of CPU {cpu}:") + 1:]
    frames = [(int(match[1], 16), match[2], int(match[3], 16)) for match in map(FRAME.match, trace) if match]
    if len(frames) < 3:
        faults.append(f"the backtrace has {len(frames)} frames with names")
    return faults + frame_faults(frames, table)


def main():
    tap = ktap.Tap()
    board = Machine(cpus=4, ram=GIB)
    table = symbols()
    for kind, cause in KINDS.items():
        for cpu in CPUS:
            name = f"{kind} on CPU {cpu}"
            result = board.boot("", f"fault {kind} {cpu}\n\x04".encode(), LIMIT)
            machine.report(tap, name, report_faults(result, cpu, cause.replace("N's", f"{cpu}'s"), table), result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
