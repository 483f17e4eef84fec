# SPDX-License-Identifier: BSD-2-Clause
"""Run a machine under a time limit, judge the KTAP it prints, and print TAP.

1. run() starts a command, feeds it, and collects its console until it ends or time is over. Nothing that it started
   outlives it.
2. judge() feeds a console to a Parser (ktap_parser.py, which says what makes a run fail).
3. read_capture() reads a saved log of a serial line: whatever bytes it has, as lines with their numbers.
4. Tap prints plain TAP, for the test scripts of this project.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

from ktap_lines import Splitter, shown
from ktap_parser import Parser


@dataclasses.dataclass
class Console:
    """What a command printed and how it ended; status is None when it had to be ended.

    numbers: of each line where it stands, None when they are 1, 2, 3 ...; times: the second when each came, if known.
    """

    lines: list
    status: int
    numbers: list = None
    times: list = None

    @property
    def text(self):
        return "\n".join(self.lines)


def run(command, limit, feed=b"", echo=None):
    """Run a command for at most limit seconds with the bytes of feed as its input.

    echo, if given, is called with each line as it comes.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    lines, times = [], []
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
                times.append(time.monotonic())
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
    return Console(lines, status, times=times)


def read_capture(path):
    """The Console of a file."""
    splitter = Splitter()
    with open(path, "rb") as file:
        numbered = splitter.push(file.read()) + splitter.finish()
    return Console([text for _, text in numbered], 0, numbers=[number for number, _ in numbered])


def judge(console, limit=None):
    """A finished Parser of all that a Console has."""
    parser = Parser()
    for index, line in enumerate(console.lines):
        parser.feed(line, console.numbers[index] if console.numbers else index + 1,
                    console.times[index] if console.times else None)
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
        name = shown(name).replace("#", ".")
        print(f"{'ok' if passed else 'not ok'} {self._count} - {name}{shown(said)}", flush=True)
        return passed

    def skip(self, name, why):
        self.ok(True, name, f"SKIP {why}")

    def note(self, text):
        lines = str(text).removesuffix("\n").split("\n") if text else []
        for line in lines:
            print(f"# {shown(line.rstrip(chr(13)))}", flush=True)

    def report(self, parser, prefix=""):
        """State all that a Parser found."""
        for result in parser.results:
            self.ok(result.passed, prefix + result.name, result.directive)
        for fault in parser.faults:
            self.ok(False, prefix + fault)
        for note in parser.notes:
            self.note(note)

    def done(self):
        """Return: the exit status of the script."""
        if self._plan is None:
            print(f"1..{self._count}", flush=True)
        return int(self._failed != 0 or self._plan not in (None, self._count))
