#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux and memstage, measured in one session on the same machines: make bench-linux.

1. Kernels are built when they are not there (build.py). "lean" is compared with the column linux of rows.toml and
   memory.toml, "numa" with their numa, "deferred" with their deferred; only_linux.toml has what only Linux has.
2. Each run is a boot of its own under -icount, as many at once as there are processors: counts are exact, so one run
   does not see the other. What a run said is kept in build/linux/run-....log.
3. All runs done, the tables are printed and written to build/linux/results.json. A figure of Linux's that is off from
   the recorded one by more than TOLERANCE, or is not there, is named at the end, and the exit status is 1.
4. Linux's boot is the sum of PHASES. "In the end" has those of the threads that write the rest of the memmap too.
5. The size of the code is not compared here: which of Linux's objects do what mm/ does has been judged once.
"""

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# pylint: disable=wrong-import-position
import build
import imagerun
import results
import table
from imagerun import CPUS, GIB, board

TOLERANCE = 0.03
OURS = "memstage"
RAM = {"1g": 1 * GIB, "4g": 4 * GIB, "16g": 16 * GIB, "64g": 64 * GIB, "255g": 255 * GIB}
PHASES = ["arm64_memblock_init", "paging_init", "bootmem_init", "setup_per_cpu_areas", "memblock_free_all",
          "kmem_cache_init", "vmalloc_init", "setup_per_cpu_pageset"]
LATE_PHASE = "page_alloc_init_late"
RESULTS = build.LINUX / "results.json"

# kernel: OURS or a name of build.py's. what: "all", "memblock" or "boot".
Job = namedtuple("Job", "kernel what cpu size")
# One line of the tables: ours is None for a row that only Linux has, linux and recorded are None for one it has not.
Line = namedtuple("Line", "table row what ours linux recorded")


def say(text):
    print(f"bench-linux: {text}", file=sys.stderr, flush=True)


def jobs():
    """All runs, the long ones first."""
    first = CPUS[0]
    rows = [Job(kernel, "all", cpu, "4g") for cpu in CPUS for kernel in ("lean", OURS)]
    rows += [Job("numa", "all", first, "4g"), Job("lean", "memblock", first, "4g")]
    boots = [Job(kernel, "boot", first, size) for size in reversed(RAM) for kernel in ("lean", "deferred", OURS)]
    return rows + boots


def append(job):
    if job.kernel == OURS:
        return imagerun.append(["bench"] + ["boot"] * (job.what == "boot"))
    return f"console=ttyAMA0 panic=-1 mmbench={job.what}"


class Run:
    """A boot under way; what it says goes to a log."""

    def __init__(self, job, image):
        self.job, self.about = job, f"{job.kernel}, {job.what}, {job.cpu}, {job.size}"
        self.log = build.LINUX / f"run-{'-'.join(job)}.log"
        command = [imagerun.QEMU, *imagerun.COMMON, *imagerun.ICOUNT, "-no-reboot",
                   *board(job.cpu, RAM[job.size]).options(), "-kernel", str(image), "-append", append(job)]
        self._end = time.monotonic() + imagerun.LIMIT
        with open(self.log, "wb") as log:
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            except OSError as error:
                raise build.Failure(f"{imagerun.QEMU}: {error.strerror}") from None

    def over(self):
        return self._process.poll() is not None or time.monotonic() > self._end

    def figures(self):
        """Return: {row: figure}, now that it is over."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        console = imagerun.ktap.Console(text.replace("\r", "").splitlines(), self._process.poll())
        fault = imagerun.fault(console, self.about)
        if fault:
            raise build.Failure(f"{fault}: see {self.log}")
        return dict(filter(None, map(imagerun.parse, console.lines)))

    def end(self):
        self._process.kill()
        self._process.wait()


def measure_all(images):
    """Return: {job: {row: figure}}. The first run that fails ends the others."""
    waiting, under_way, figures = jobs(), [], {}
    try:
        while waiting or under_way:
            while waiting and len(under_way) < os.cpu_count():
                job = waiting.pop(0)
                under_way.append(Run(job, images[job.kernel]))
            time.sleep(0.05)
            for run in [run for run in under_way if run.over()]:
                figures[run.job] = run.figures()
                under_way.remove(run)
                say(f"{len(figures)} of {len(jobs())}: {run.about}")
    finally:
        for run in under_way:
            run.end()
    return figures


def brought_up(figures, phases):
    return sum(figures[f"mark_{phase}_end"] - figures[f"mark_{phase}"] for phase in phases)


class Session:
    """The figures of all runs, and the lines of the tables made of them."""

    def __init__(self, figures):
        self._figures = figures
        self._rows = results.Rows()
        with open(HERE / "only_linux.toml", "rb") as file:
            self._only_linux = tomllib.load(file)
        self.lines = []

    def _run(self, kernel, what, cpu=CPUS[0], size="4g"):
        return self._figures[Job(kernel, what, cpu, size)]

    def _what(self, row):
        return (self._rows.all | self._only_linux)[row]["what"]

    def _add(self, name, row, ours, linux, recorded):
        if linux is not None or recorded is not None:
            self.lines.append(Line(name, row, self._what(row), ours, linux, recorded))

    def _operations(self):
        for cpu in CPUS:
            lean, ours = self._run("lean", "all", cpu), self._run(OURS, "all", cpu)
            memblock = self._run("lean", "memblock") if cpu == CPUS[0] else {}
            lean = {row: figure for row, figure in (lean | memblock).items() if not row.startswith("unmanaged")}
            for row in self._rows.all:
                recorded = self._rows.linux(row, cpu)
                if not row.startswith(("boot_", "unmanaged_", "code_", "data_")):
                    self._add(cpu, row, ours.get(row), lean.get(row), recorded)

    def _numa(self):
        numa = self._run("numa", "all")
        for row, is_ in self._rows.operations.items():
            self._add(f"{CPUS[0]}, Linux with NUMA", row, None, numa.get(row), is_.get("numa"))

    def _boot(self):
        name = f"boot, {CPUS[0]}"
        for size in RAM:
            lean, deferred, ours = (self._run(kernel, "boot", size=size) for kernel in ("lean", "deferred", OURS))
            up, unmanaged, end = f"boot_mm_{size}", f"unmanaged_{size}", f"boot_mm_{size}_end"
            self._add(name, up, ours["boot_mm"], brought_up(lean, PHASES), self._rows.linux(up, CPUS[0]))
            self._add(f"{name}, Linux deferred until usable", up, ours["boot_mm"], brought_up(deferred, PHASES),
                      self._rows.memory[up].get("deferred"))
            self._add(f"{name}, Linux deferred, in the end", end, None, brought_up(deferred, [*PHASES, LATE_PHASE]),
                      self._only_linux[end]["linux"][CPUS[0]])
            self._add(name, unmanaged, ours["unmanaged_mib_per_gib"], lean["unmanaged_mib_per_gib"],
                      self._rows.linux(unmanaged, CPUS[0]))

    def fill(self):
        self._operations()
        self._numa()
        self._boot()
        return self.lines


def off(line):
    """By how much Linux's figure differs from the recorded one, as a part of it; None when one of them is not there."""
    return None if line.linux is None or not line.recorded else line.linux / line.recorded - 1


def tables(lines):
    """The lines as tables, in the order in which the tables first come."""
    made = {}
    for line in lines:
        if line.table not in made:
            made[line.table] = table.Table(f"Instructions, {line.table}", "", "memstage", "Linux", "ours / Linux",
                                           "recorded", "off")
        by = off(line)
        made[line.table].add(line.what, table.number(line.ours), table.number(line.linux),
                             table.ratio(line.ours, line.linux), table.number(line.recorded),
                             None if by is None else f"{by * 100:+.1f} %")
    return made.values()


def not_reproduced(lines):
    """What is to be said of each line whose recorded figure was not met."""
    faults = []
    for line in [line for line in lines if line.recorded]:
        by = off(line)
        if by is None:
            faults.append(f"{line.row} ({line.table}): not measured")
        elif abs(by) > TOLERANCE:
            faults.append(f"{line.row} ({line.table}): {table.number(line.linux)}, recorded "
                          f"{table.number(line.recorded)}, {by * 100:+.1f} %")
    return faults


def record(lines):
    ours = results.circumstances(imagerun.image())
    ours["linux"] = {"package": build.package(), "compiler": build.compiler(), "kernels": build.KERNELS}
    results.write(RESULTS, ours | {"rows": [line._asdict() for line in lines]})


def compare():
    images = {OURS: imagerun.image()}
    for kernel in build.KERNELS:
        images[kernel] = build.build(kernel, say)
    say(f"{len(jobs())} runs, {build.package()}")
    lines = Session(measure_all(images)).fill()
    record(lines)
    print("\n".join(one.text() for one in tables(lines)))
    faults = not_reproduced(lines)
    for fault in faults:
        print(f"bench-linux: not reproduced: {fault}")
    recorded = sum(bool(line.recorded) for line in lines)
    print(f"bench-linux: {recorded - len(faults)} of {recorded} recorded figures reproduced within {TOLERANCE:.0%}, "
          f"{build.package()}; all figures in {RESULTS}")
    return int(bool(faults))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return compare()
    except (build.Failure, imagerun.Failure) as failure:
        say(failure)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
