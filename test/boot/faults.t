#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions and a panic, each made on purpose by the prompt's `fault KIND CPU`, on the boot CPU, on another one, and
on all at once.

There must be one report, whole, of one CPU. It must name the cause and the CPU, show the registers, and a backtrace
whose names and addresses are those of System.map; the run must end with status 1.
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
CPUS = [0, 2, "all"]

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
# On a CPU that has the features: the landing pad is missed, and the signature too.
PROTECTION = {
    "bti": r"no branch target \(BTI\), BTYPE 2",
    "pac": r"pointer authentication failed: key A of instructions",
}
# On one that has neither.
UNPROTECTED = {
    "bti": r"undefined instruction",
    "pac": r"instruction fetch: .* fault.*not a canonical address",
}
NESTED = r"an exception at .* while reporting one at pc 0x[0-9a-f]+, far 0x[0-9a-f]+,"
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


def panic_lines(result):
    """The lines of the log without their stamps, and which of them begin with "panic: ": one, or faults."""
    lines = [STAMP.sub("", line) for line in result.log.splitlines()]
    panics = [line for line in lines if line.startswith("panic: ")]
    faults = machine.status_faults(result, 1)
    return lines, panics, faults + ([f"{len(panics)} lines begin with panic:"] + panics) * (len(panics) != 1)


def trace_faults(report, cpu, least, table):
    """@report: what comes after the panic line; @least: frames with names that there are at least."""
    if f"Backtrace of CPU {cpu}:" not in report:
        return [f"no backtrace of CPU {cpu}"]
    trace = report[report.index(f"Backtrace of CPU {cpu}:") + 1:]
    frames = [(int(match[1], 16), match[2], int(match[3], 16)) for match in map(FRAME.match, trace) if match]
    few = [f"the backtrace has {len(frames)} frames with names"] * (len(frames) < least)
    return few + frame_faults(frames, table)


def report_faults(result, cpu, cause, table, least=3):
    lines, panics, faults = panic_lines(result)
    if len(panics) != 1:
        return faults
    said = re.search(r"on CPU (\d+)$", panics[0])
    if not said or cpu not in ("all", int(said[1])):
        return faults + [f"CPU {cpu} is not named: {panics[0]}"]
    cause = cause.replace("N's", f"{said[1]}'s")
    if not re.search(cause, panics[0]):
        faults.append(f"/{cause}/ is not in: {panics[0]}")
    report = lines[lines.index(panics[0]) + 1:]
    text = "\n".join(report)
    faults += [f"/{pattern}/ is not among the registers" for pattern in REGISTERS
               if not re.search(rf"(?m)(^|\s){pattern}", text)]
    return faults + trace_faults(report, said[1], least, table)


def panic_faults(result, cpu, table):
    """Of panic(), whose line says no CPU and which shows no registers."""
    lines, panics, faults = panic_lines(result)
    if len(panics) != 1:
        return faults
    report = lines[lines.index(panics[0]) + 1:]
    heads = [line for line in report if line.startswith("Backtrace of CPU ")]
    if len(heads) != 1:
        return faults + [f"{len(heads)} backtraces"] + heads
    reporter = heads[0].split()[-1].rstrip(":")
    faults += [f"the backtrace is CPU {reporter}'s"] * (cpu not in ("all", int(reporter)))
    return faults + trace_faults(report, reporter, 3, table)


def nested_faults(result):
    """Of a stack overflow during the report of one: one line, that names both, and the end."""
    _, panics, faults = panic_lines(result)
    if len(panics) == 1 and not re.search(NESTED, panics[0]):
        faults.append(f"/{NESTED}/ is not in: {panics[0]}")
    return faults


def main():
    tap = ktap.Tap()
    board = Machine(cpus=4, ram=GIB)
    table = symbols()

    def judge(kind, cpu, faults_of, on=board):
        result = on.boot("", f"fault {kind} {cpu}\n\x04".encode(), LIMIT)
        machine.report(tap, f"{kind} on CPU {cpu} ({on.cpu})", faults_of(result), result.log)

    for cpu in CPUS:
        for kind, cause in KINDS.items():
            judge(kind, cpu, lambda result, cpu=cpu, cause=cause: report_faults(result, cpu, cause, table))
        judge("panic", cpu, lambda result, cpu=cpu: panic_faults(result, cpu, table))
    for cpu in CPUS[:2]:
        judge("stack-twice", cpu, nested_faults)
        # A chain of frames that goes round is left at the first record that leads back.
        judge("frames", cpu, lambda result, cpu=cpu: report_faults(result, cpu, KINDS["undef"], table, least=2))
    protected = Machine(cpus=4, ram=GIB, cpu="max")
    for on, kinds in ((board, UNPROTECTED), (protected, PROTECTION)):
        for kind, cause in kinds.items():
            judge(kind, 2, lambda result, cause=cause: report_faults(result, 2, cause, table), on)
    # Backtraces of signed frames, and a fetch whose fix-up must not be taken for the target of a branch.
    for kind in ("null", "data-exec", "stack"):
        judge(kind, 0, lambda result, kind=kind: report_faults(result, 0, KINDS[kind], table, least=5), protected)
    judge("panic", 2, lambda result: panic_faults(result, 2, table), protected)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
