#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The memory test in the image: memtest= with and without broken memory, with one CPU and with four.

Broken memory is simulated (memtest_fault=ADDRESS,BIT[,VALUE]). Each bad range must be one line and one range of
iomem, no byte of it may be handed over, and the account must show it among what is reserved.
"""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
from bootlog import STAMP, BootLog
from machine import MIB, Machine, ktap

LIMIT = 60
SECONDS = 20  # of the image's own time, for 4 patterns over 256 MiB on a busy host; alone it takes one or two
PAGE = 4096
RAM = 256 * MIB
SEED = 0xC0FFEE

# Address, bit, what it is stuck at; and the pages that are bad by that.
FAULTS = [(0x44000000, 0, 1), (0x44000FF8, 63, 0), (0x44001000, 12, 0), (0x4A345678 & ~7, 37, 1)]
BAD = [(0x44000000, 0x44001FFF), (0x4A345000, 0x4A345FFF)]

HEAD = re.compile(r"^memtest: (\d+) KiB, patterns: (\d+), seed (0x[0-9a-f]+)$")
PATTERN = re.compile(r"^memtest: pattern (\d+) of (\d+): (\w.*)$")
BAD_LINE = re.compile(r"^memtest: bad \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\], at 0x([0-9a-f]+) "
                      r"pattern 0x([0-9a-f]+), read 0x([0-9a-f]+) \(wrong reads: (\d+)\)$")
DONE = re.compile(r"^memtest: done in (\d+) ms by (\d+) of (\d+) CPUs: (\w.*)$")
IOMEM = re.compile(r"^  ([0-9a-f]+)-([0-9a-f]+) : bad RAM\b")
NAMES = ["own address", "own address, inverted", "random", "random, inverted"]


def lines_of(result):
    return [STAMP.sub("", line) for line in result.log.splitlines()]


def found(pattern, lines):
    return [match for match in map(pattern.match, lines) if match]


def head_faults(lines, cpus, patterns):
    heads, done = found(HEAD, lines), found(DONE, lines)
    faults = [f"{len(some)} lines match {pattern.pattern}" for some, pattern in ((heads, HEAD), (done, DONE))
              if len(some) != 1]
    if faults:
        return faults
    said = (int(heads[0][2]), int(heads[0][3], 16), int(done[0][2]), int(done[0][3]))
    if said != (patterns, SEED, cpus, cpus):
        faults.append(f"patterns, seed, CPUs: {said}, {(patterns, SEED, cpus, cpus)} is right")
    if not RAM * 9 // 10 < int(heads[0][1]) * 1024 < RAM:
        faults.append(f"{heads[0][1]} KiB tested of {RAM // 1024}")
    if int(done[0][1]) > SECONDS * 1000:
        faults.append(f"took {done[0][1]} ms")
    progress = [(int(match[1]), int(match[2]), match[3]) for match in found(PATTERN, lines)]
    if progress != [(n + 1, patterns, NAMES[n]) for n in range(patterns)]:
        faults.append(f"progress: {progress}")
    return faults


def bad_faults(lines, bad):
    faults = []
    said = [(int(match[1], 16), int(match[2], 16)) for match in found(BAD_LINE, lines)]
    if said != bad:
        faults.append(f"bad ranges: {said}")
    for match in found(BAD_LINE, lines):
        at, wrote, read = (int(match[n], 16) for n in (3, 4, 5))
        cause = [1 << bit for address, bit, value in FAULTS if address == at and (read >> bit & 1) == value]
        if wrote ^ read not in cause:
            faults.append(f"no fault at {at:#x} makes {read:#x} of {wrote:#x}")
    claimed = [(int(match[1], 16), int(match[2], 16)) for match in found(IOMEM, lines)]
    if claimed != bad:
        faults.append(f"iomem: bad RAM at {claimed}")
    kib = sum(end + 1 - base for base, end in bad) // 1024
    verdict = f"bad ranges: {len(bad)}, {kib} KiB reserved" if bad else "no bad memory"
    done = found(DONE, lines)
    if done and done[0][4] != verdict:
        faults.append(f"verdict: {done[0][4]}")
    return faults


def account_faults(log, lines, extra):
    """@extra: bytes that are reserved besides what discovery found."""
    if not log.accounts or log.accounts[0].verdict != "balanced":
        return ["the account is not balanced"]
    faults = []
    pages = set()
    for claim in log.claims["reserved"]:
        pages |= set(range(claim.base // PAGE, -(-claim.end // PAGE)))
    reserved = log.accounts[0].parts["reserved"]
    if reserved != len(pages) * PAGE + extra:
        faults.append(f"{reserved} bytes reserved, {len(pages) * PAGE} + {extra} is right")
    tested = found(HEAD, lines)
    if tested and int(tested[0][1]) * 1024 != log.memory.available * 1024 + extra:
        faults.append(f"{tested[0][1]} KiB tested, {log.memory.available} KiB handed over, {extra} bytes bad")
    return faults


def run_case(tap, name, cpus, broken):
    append = f"memstage.run=iomem memtest=4,{SEED}"
    if broken:
        append += "".join(f" memtest_fault={address:#x},{bit},{value}" for address, bit, value in FAULTS)
    result = Machine(cpus=cpus, ram=RAM, threads=True).boot(append, limit=LIMIT)
    lines = lines_of(result)
    bad = BAD if broken else []
    faults = machine.status_faults(result, 0)
    faults += head_faults(lines, cpus, 4) + bad_faults(lines, bad)
    faults += account_faults(BootLog(result.log), lines, sum(end + 1 - base for base, end in bad))
    machine.report(tap, name, faults, result.log)
    tap.note(f"  {result.seconds:.1f} s")


def wrong_value(tap):
    result = Machine(cpus=1, ram=RAM).boot("memstage.run=boot memtest=x", limit=LIMIT)
    said = [line for line in lines_of(result) if line.startswith("memtest: ")]
    faults = machine.status_faults(result, 0)
    if said != ["memtest: memtest=x is not a number of patterns from 0 to 262: memory is not tested"]:
        faults.append(f"said: {said}")
    machine.report(tap, "memtest=x is said to be wrong, and the boot goes on", faults, result.log)


def main():
    tap = ktap.Tap()
    for cpus in (1, 4):
        for broken in (False, True):
            name = f"{cpus} CPU{'s' if cpus > 1 else ''}, memory {'broken' if broken else 'whole'}"
            run_case(tap, name, cpus, broken)
    wrong_value(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
