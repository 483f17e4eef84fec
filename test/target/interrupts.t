#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The suites about interrupts, where an interrupt comes at the very instruction at which it is due.

By itself QEMU takes interrupts between translation blocks only, so what is done without a branch is hardly ever
interrupted in the middle. With -icount it ends the block where the timer is due."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
# pylint: disable=wrong-import-position
from machine import GIB, Machine, ktap

LIMIT = 200
SUITES = ("percpu", "stacks")


class Exact(Machine):
    def options(self, machine_option=""):
        return super().options(machine_option) + ["-icount", "shift=0,sleep=off"]


def main():
    tap = ktap.Tap()
    for cpu in ("cortex-a72", "max"):
        board = Exact(cpus=4, ram=GIB, cpu=cpu)
        for suite in SUITES:
            result = board.boot("", f"test {suite}\n\x04".encode(), LIMIT)
            judged = ktap.judge(ktap.Console(result.log.splitlines(), result.status), LIMIT)
            tap.ok(bool(judged.results), f"{cpu}: there is a suite {suite}")
            tap.report(judged, f"{cpu}: ")
            tap.note(f"{cpu}, {suite}: {result.seconds:.1f} s")
            if not judged.passed:
                tap.note(result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
