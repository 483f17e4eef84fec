# SPDX-License-Identifier: BSD-2-Clause
"""Run a machine under a time limit, judge the KTAP it prints, and print TAP.

1. run() starts a command, feeds it, and collects its console until it ends or time is over. Nothing that it started
   outlives it.
2. Parser reads KTAP version 1 out of a console that prints other lines too: a version line and a plan on each level,
   results numbered from 1, subtests two spaces deeper before the result that sums them up.
3. A run fails not only on `not ok` but on each of: no version line, no plan or a second one, a plan of nothing
   that is not skipped, fewer or more results than planned, a number out of order, a subtest without its result, a
   result that contradicts its subtests, an unknown version, a panic banner, `Bail out!`, no end in time, a failing
   exit status.
4. Tap prints plain TAP, for the test scripts of this project.

Source: Documentation/dev-tools/ktap.rst of the Linux kernel ("The Kernel Test Anything Protocol, version 1").
"""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading

VERSION = re.compile(r"((?:  )*)K?TAP version (\d+)$")
PLAN = re.compile(r"((?:  )*)1\.\.(\d+)\s*(#.*)?$")
NOTHING = re.compile(r"# *SKIP\b", re.IGNORECASE)
RESULT = re.compile(r"((?:  )*)(not )?ok (\d+)\b(?: - | )?([^#]*?)\s*(?:# *(\w+)\b *(.*))?$")
SUBTEST = re.compile(r"((?:  )*)# Subtest: (.*)$")
PANIC = re.compile(r"Kernel panic|memstage: panic|(^|\] )panic:")
BAIL_OUT = re.compile(r"\s*Bail out!")
EXCUSED = {"SKIP", "TODO", "XFAIL"}


@dataclasses.dataclass
class Console:
    """What a command printed and how it ended; status is None when it had to be ended."""

    lines: list
    status: int

    @property
    def text(self):
        return "\n".join(self.lines)


def run(command, limit, feed=b"", echo=None):
    """Run a command for at most limit seconds with the bytes of feed as its input.

    echo, if given, is called with each line as it comes.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    lines = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:

        def write():
            try:
                with process.stdin:
                    process.stdin.write(feed)
            except BrokenPipeError:
                pass

        def read():
            for raw in process.stdout:
                line = raw.decode("utf-8", "replace").rstrip("\n").replace("\r", "")
                lines.append(line)
                if echo:
                    echo(line)

        threads = [threading.Thread(target=write, daemon=True), threading.Thread(target=read, daemon=True)]
        try:
            for thread in threads:
                thread.start()
            status = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        threads[1].join(timeout=5)
    return Console(lines, status)


@dataclasses.dataclass
class Result:
    """One leaf test, or a fault of the whole."""

    passed: bool
    name: str
    directive: str = ""


@dataclasses.dataclass
class Level:
    """A version line and what came after it. name is that of `# Subtest:`, for a level that never ends."""

    plan: int = None
    count: int = 0
    failed: bool = False
    name: str = ""
    leaves: list = dataclasses.field(default_factory=list)


class Parser:
    """Feed it lines, then finish(). `results` has the leaves, `faults` what is wrong besides failed tests."""

    def __init__(self):
        self.results = []
        self.faults = []
        self._levels = []
        self._seen_version = False

    @property
    def passed(self):
        return not self.faults and all(result.passed for result in self.results)

    def feed(self, line):
        if PANIC.search(line):
            self._fault(f"panic: {line.strip()}")
            return
        if BAIL_OUT.match(line):
            self._fault(line.strip())
            return
        for pattern, handle in ((VERSION, self._version), (PLAN, self._plan), (RESULT, self._result),
                                (SUBTEST, self._subtest)):
            match = pattern.match(line)
            if match:
                handle(len(match[1]) // 2, match)
                return

    def finish(self, status=0, limit=None):
        """The console has ended: with this exit status, or by force (None) after limit seconds."""
        if status is None:
            self._fault(f"hang: no end within {limit} seconds")
        if not self._seen_version:
            self._fault("no version line")
        while self._levels:
            if len(self._levels) > 1:
                self._fault(f"subtest {self._levels[-1].name or '?'} has no result")
            self._close(self._levels[-1].name or "?")
        if status:
            self._fault(f"exit status {status}")

    def _fault(self, text):
        self.faults.append(text)

    def _version(self, depth, match):
        if match[2] not in ("1", "13", "14"):
            self._fault(f"unknown version: {match[0].strip()}")
        if depth == 0 and len(self._levels) == 1 and self._levels[0].count == self._levels[0].plan:
            self._close("")
        if depth != len(self._levels):
            self._fault(f"version line out of place: {match[0]}")
            self._unwind(depth)
        while len(self._levels) <= depth:
            self._levels.append(Level())
        self._seen_version = True

    def _subtest(self, depth, match):
        if depth == len(self._levels) - 1:
            self._levels[depth].name = match[2]

    def _plan(self, depth, match):
        self._need_level(depth, match[0])
        level = self._levels[depth]
        if level.plan is not None:
            self._fault(f"a second plan: {match[0].strip()}")
        elif level.count:
            self._fault(f"a plan after the first result: {match[0].strip()}")
        level.plan = int(match[2])
        if not level.plan and not NOTHING.match(match[3] or ""):
            self._fault(f"an empty plan, and not skipped: {match[0].strip()}")

    def _result(self, depth, match):
        name, directive = match[4] or "?", (match[5] or "").upper()
        leaf = True
        if depth < len(self._levels) - 1:
            self._unwind(depth + 2)
            child = self._levels[-1]
            if child.failed and not match[2]:
                self._fault(f"{name} is ok though one of its subtests is not")
            if child.name not in ("", name):
                self._fault(f"subtest {child.name} is summed up as {name}")
            self._close(name)
            leaf = False
        self._need_level(depth, match[0])
        level = self._levels[depth]
        level.count += 1
        if level.plan is None and level.count == 1:
            self._fault(f"no plan before: {match[0].strip()}")
        if int(match[3]) != level.count:
            self._fault(f"out of order: {match[3]} ({name}) where {level.count} was due")
            level.count = int(match[3])
        passed = not match[2] or directive in EXCUSED
        level.failed |= not passed
        # A subtest stands for itself by its leaves; it is listed only when they do not explain its failure.
        if leaf or not passed:
            said = f"{directive} {match[6] or ''}".strip() if directive else ""
            level.leaves.append(Result(passed, name, said))

    def _need_level(self, depth, line):
        """Make depth the deepest level."""
        if depth >= len(self._levels):
            self._fault(f"no version line before: {line.strip()}")
            self._seen_version = True
            while len(self._levels) <= depth:
                self._levels.append(Level())
        elif depth < len(self._levels) - 1:
            self._unwind(depth + 1)

    def _unwind(self, depth):
        """Close the levels that have no result of their own until depth of them are left."""
        while len(self._levels) > depth:
            self._fault(f"subtest {self._levels[-1].name or '?'} has no result")
            self._close(self._levels[-1].name or "?")

    def _close(self, name):
        level = self._levels.pop()
        of = f" in {name}" if self._levels else ""
        if level.plan is None and not level.count:
            self._fault(f"no plan{of}")
        elif level.plan is not None and level.count != level.plan:
            few = "few" if level.count < level.plan else "many"
            self._fault(f"too {few} results{of}: {level.count} of {level.plan}")
        if self._levels:
            for leaf in level.leaves:
                leaf.name = f"{name}/{leaf.name}"
            self._levels[-1].leaves += level.leaves
        else:
            self.results += level.leaves


def judge(console, limit=None):
    """A finished Parser of all that a Console has."""
    parser = Parser()
    for line in console.lines:
        parser.feed(line)
    parser.finish(console.status, limit)
    return parser


class Tap:
    """Print TAP: results numbered as they come, the plan first if the number is known, else at the end."""

    def __init__(self, plan=None):
        self._plan = plan
        self._count = 0
        self._failed = 0
        if plan is not None:
            print(f"1..{plan}", flush=True)

    def ok(self, passed, name, directive=""):
        """State one result. Return: passed."""
        self._count += 1
        self._failed += not passed
        said = f" # {directive}" if directive else ""
        print(f"{'ok' if passed else 'not ok'} {self._count} - {name.replace('#', '.')}{said}", flush=True)
        return passed

    def skip(self, name, why):
        self.ok(True, name, f"SKIP {why}")

    def note(self, text):
        for line in str(text).splitlines():
            print(f"# {line}", flush=True)

    def report(self, parser, prefix=""):
        """State all that a Parser found."""
        for result in parser.results:
            self.ok(result.passed, prefix + result.name, result.directive)
        for fault in parser.faults:
            self.ok(False, prefix + fault)

    def done(self):
        """Return: the exit status of the script."""
        if self._plan is None:
            print(f"1..{self._count}", flush=True)
        return int(self._failed != 0 or self._plan not in (None, self._count))
