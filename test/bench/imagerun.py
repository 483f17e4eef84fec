# SPDX-License-Identifier: BSD-2-Clause
"""Boot the image to measure, and read the rows that it prints.

1. The machine is the one that Linux was measured on: QEMU's virt, instructions counted (-icount), 4 CPUs and 4 GiB in
   one node unless said. Counts are exact, so neither the host nor what else it does can be seen in them.
2. A row comes as "bench: ROW INSTRUCTIONS OPERATIONS" (test/bench/bench.c); its figure is their quotient.
3. A run counts only when it is whole: the image's last line came, its status is 0, and no row failed. Else Failure
   says in one line what was wrong.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/boot"))
# pylint: disable=wrong-import-position
from machine import COMMON, GIB, MIB, QEMU, Machine, ktap

ICOUNT = ["-icount", "shift=0,sleep=off"]
BUILD = ROOT / os.environ.get("BUILD", "build")
LIMIT = float(os.environ.get("BENCH_TIMEOUT", "600"))  # seconds; a run takes twenty, the rest is for a busy host

CPUS = ["cortex-a72", "max"]
ROW = re.compile(r"bench: (\w+) (\d+) (\d+)$")
FAILED = re.compile(r"bench: (\w+) failed: (.*)$")
END = "bench: end, "
COMPLAINT = re.compile(r"bench: (?!\w+ \d+ \d+$)(.*)$")


class Failure(Exception):
    """What went wrong, in one line."""


class Progress:
    """A line on a terminal that says how far things are; on anything else, a line for each machine."""

    def __init__(self, out=sys.stderr):
        self._out, self._terminal, self._about, self._count = out, out.isatty(), "", 0

    def begin(self, about):
        self._about, self._count = about, 0
        if not self._terminal:
            print(f"bench: {about}", file=self._out, flush=True)

    def row(self, name):
        self._count += 1
        if self._terminal:
            print(f"\r\033[Kbench: {self._about}: {self._count} rows, {name}", end="", file=self._out, flush=True)

    def end(self):
        if self._terminal:
            print("\r\033[K", end="", file=self._out, flush=True)


class Silent:
    """No progress line."""

    def begin(self, about):
        pass

    def row(self, name):
        pass

    def end(self):
        pass


def image(config="bench"):
    path = BUILD / config / "Image"
    if not path.exists():
        raise Failure(f"{path}: no such file; `make CONFIG={config} image` builds it")
    return path


def board(cpu, ram=4 * GIB, nodes=1):
    """The machine to measure on; @nodes share the memory in equal parts."""
    return Machine(cpu=cpu, ram=ram, nodes=[ram // nodes] * nodes if nodes > 1 else (), threads=True)


def append(words):
    """The image's command line for the prompt's command @words: idle CPUs sleep, or what they do would be counted."""
    return "memmap_ahead=0 memstage.run=" + ",".join(words)


def command(machine, words, kernel):
    """QEMU's command line for the prompt's command @words, a list."""
    return [QEMU, *COMMON, *ICOUNT, *machine.options(), "-kernel", str(kernel),
            "-append", append(words)]


def parse(line):
    """Return: (row, figure) of a line, or None."""
    match = ROW.search(line)
    return (match[1], round(int(match[2]) / max(int(match[3]), 1), 3)) if match else None


def fault(console, about):
    """Why a run that has ended is worth nothing, or None."""
    failed = [f"{match[1]} failed: {match[2]}" for match in map(FAILED.search, console.lines) if match]
    complaints = [match[1] for match in map(COMPLAINT.search, console.lines) if match and END not in match[0]]
    if failed:
        return f"{about}: {'; '.join(failed)}"
    if console.status is None:
        return f"{about}: no end within {LIMIT:.0f} seconds"
    if console.status and complaints:
        return f"{about}: {complaints[-1]}"
    if console.status or not any(END in line for line in console.lines):
        last = next((line for line in reversed(console.lines) if line.strip()), "nothing")
        return f"{about}: ended early with status {console.status}; the last it said: {last}"
    return None


def measure(machine, about, group="", kernel=None, progress=Silent()):
    """Run the benchmark, or one group of it, on @machine. Return: {row: figure}. Raises Failure."""
    progress.begin(about)
    seen = {}

    def line_came(line):
        row = parse(line)
        if row:
            seen[row[0]] = row[1]
            progress.row(row[0])

    words = ["bench", group] if group else ["bench"]
    try:
        console = ktap.run(command(machine, words, kernel or image()), LIMIT, echo=line_came)
    except FileNotFoundError:
        raise Failure(f"there is no {QEMU}") from None
    finally:
        progress.end()
    what = fault(console, about)
    if what:
        raise Failure(what)
    return seen
