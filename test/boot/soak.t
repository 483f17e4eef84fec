#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The soak: four cores, in threads and interrupt handlers, drive memory to exhaustion and back, on 1, 2 and 8 nodes;
and every page returns.

SOAK=60 in the environment makes each run last at least 60 s of the machine's time; it is 10 s otherwise. There are
four, two at once: TEST_TIMEOUT may have to be larger, too. The rounds are those of test/target/soak.c; the account
afterwards must balance, and nothing may be left allocated that was not before.
"""

import os
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
from bootlog import BootLog
from machine import IMAGE, MIB, Machine, ktap

SECONDS = int(os.environ.get("SOAK", "10"))
AT_ONCE = 2
PROMPT = "memstage> "
DEBUG_IMAGE = IMAGE.parents[1] / "debug/Image"

# A round takes some seconds, most of them for the load and for the bottom; the limit is for a busy host.
LIMIT = 120 + 4 * SECONDS

WRONG = re.compile(r"not true|not ok|[a-z]+ check: |slub: |bad page|kmem_cache_(create|destroy): ")
MACHINES = {
    "1 node": (Machine(cpus=4, ram=256 * MIB, threads=True), "", IMAGE),
    "2 nodes, movable zones": (Machine(cpus=4, ram=256 * MIB, nodes=[160 * MIB, 96 * MIB], threads=True),
                               "movablecore=64M", IMAGE),
    "8 nodes": (Machine(cpus=4, ram=256 * MIB, nodes=[32 * MIB] * 8, distance=lambda a, b: 20 + 2 * abs(a - b),
                        threads=True), "", IMAGE),
    "2 nodes, debug checks": (Machine(cpus=4, ram=128 * MIB, nodes=[80 * MIB, 48 * MIB], threads=True), "",
                              DEBUG_IMAGE),
}

DONE = re.compile(r"^soak: (\d+) rounds, (\d+) taken by threads and (\d+) by handlers in (\d+) interrupts, "
                  r"without memory (\d+) and (\d+) times, (\d+) operations of load, (\d+) caches made and ended, "
                  r"(\d+) corruptions$", re.MULTILINE)
FREE = re.compile(r"^soak: (\d+) pages free before, (\d+) after: (.+)$", re.MULTILINE)


class Case:
    def __init__(self, name):
        self.name = f"{name}, {SECONDS} s"
        self.board, self.args, self.image = MACHINES[name]
        self.result = None

    def faults(self):
        typed = f"soak {SECONDS}\naccount\npoweroff\n"
        self.result = self.board.boot(self.args, typed.encode(), LIMIT, self.image)
        log = self.result.log
        faults = machine.status_faults(self.result, 0) + BootLog(log).panics()
        faults += [line for line in log.splitlines() if WRONG.search(line)]
        accounts = BootLog(log).accounts
        faults += ["the account does not balance"] * (not accounts or accounts[-1].verdict != "balanced")
        done, free = DONE.search(log), FREE.search(log)
        if not done or not free:
            return faults + ["the soak came to no end"]
        return faults + counts_faults([int(number) for number in done.groups()], self.board) + free_faults(free)


def counts_faults(counts, board):
    rounds, threads, handlers, interrupts, thread_nulls, handler_nulls, load, caches, corruptions = counts
    faults = [f"{corruptions} corruptions"] * (corruptions != 0)
    # Each context of each CPU comes to the bottom in each round.
    least = rounds * board.cpus
    for what, count in (("NULLs in threads", thread_nulls), ("NULLs in handlers", handler_nulls),
                        ("interrupts", interrupts), ("blocks taken by handlers", handlers),
                        ("operations of load", load), ("caches made and ended", caches)):
        faults += [f"{count} {what} in {rounds} rounds"] * (not rounds or count < least)
    # No block is larger than 1024 pages: so many at least make the machine's memory.
    faults += [f"{threads} blocks taken by threads"] * (threads < rounds * board.ram // (4 * MIB) // 2)
    return faults


def free_faults(free):
    return [f"not the pages that were free: {free[0]}"] * (free[1] != free[2] or free[3] != "whole")


def main():
    tap = ktap.Tap()
    cases = [Case(name) for name in MACHINES]
    machine.report_cases(tap, cases, AT_ONCE)
    for case in cases:
        tap.note(f"  {case.name}: {match[0] if (match := DONE.search(case.result.log)) else 'no result'}")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
