# SPDX-License-Identifier: BSD-2-Clause
"""Where a row's instructions go: how many in each function, for each operation.

1. `bench_profile` in the image does few operations of each row, and stops before and after them until a byte comes.
   In between, QEMU logs each instruction that it executes: translation blocks of one instruction, none chained to the
   next. What is not wanted runs at full speed and is not logged, but is done, so that each row finds the state it
   always finds.
2. Each row's log is cut at the first and the last instruction of get_cycles(), which the benchmark calls before and
   after what it counts. A block that was entered and left again before its instruction ran ("Stopped execution") does
   not count.
3. An address belongs to the last symbol of System.map before it.
"""

import bisect
import json
import re
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from imagerun import END, LIMIT, ROW, Failure, Silent, command, image

STOP = re.compile(r"bench: profile (\w+) (begins|ends)$")
TRACE = re.compile(rb"^(Trace|Stopped execution)[^\[]*\[(?:[0-9a-f]+/)?([0-9a-f]+)[/\]]", re.MULTILINE)
CLOCK = "get_cycles"
# The image counts the clock's own calls, and not what passes between the CPUs of a row.
SLACK, SLACK_SHARE = 200, 0.02


class Symbols:
    """Addresses to names, from System.map."""

    def __init__(self, path):
        pairs = []
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            address, kind, name = line.split(None, 2)
            if kind in "tTwW" and not name.startswith("$"):
                pairs.append((int(address, 16), name))
        pairs.sort()
        self._addresses = [address for address, _ in pairs]
        self._names = [name for _, name in pairs]

    def name(self, pc):
        index = bisect.bisect_right(self._addresses, pc) - 1
        return self._names[index] if index >= 0 else hex(pc)


class Monitor:
    """QEMU's monitor, by QMP."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._file.readline()
        self._say("qmp_capabilities")

    def _say(self, execute, **arguments):
        self._file.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            answer = json.loads(self._file.readline() or '{"error": {"desc": "it has gone"}}')
            if "error" in answer:
                raise Failure(f"QEMU's monitor: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def line(self, text):
        said = self._say("human-monitor-command", **{"command-line": text})
        if said.strip():
            raise Failure(f"QEMU's monitor: {text}: {said.strip()}")

    def close(self):
        self._file.close()
        self._socket.close()


def count(log, symbols):
    """The Counter of functions in a log (bytes), cut at the clock's calls, or None when the clock was not called."""
    trail = []
    for match in TRACE.finditer(log):
        pc = int(match[2], 16)
        if match[1] == b"Trace":
            trail.append(pc)
        elif trail and trail[-1] == pc:
            trail.pop()
    names = {pc: symbols.name(pc) for pc in set(trail)}
    clock = [index for index, pc in enumerate(trail) if names[pc] == CLOCK]
    if not clock:
        return None
    return Counter(names[pc] for pc in trail[clock[0]:clock[-1]] if names[pc] != CLOCK)


class Run:
    """One boot of the image that profiles the rows of @wanted."""

    def __init__(self, machine, kernel, folder):
        self._log = Path(folder, "log")
        self._socket = Path(folder, "monitor")
        options = ["-qmp", f"unix:{self._socket},server=on,wait=on"]
        try:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with # the class is its context
                ["timeout", "--kill-after=1", str(LIMIT), *command(machine, ["bench_profile"], kernel), *options],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except FileNotFoundError as error:
            raise Failure(f"there is no {error.filename}") from None
        self._monitor = None

    def __enter__(self):
        self._monitor = self._connect()
        return self

    def __exit__(self, *_):
        if self._monitor:
            self._monitor.close()
        self._process.terminate()
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _connect(self):
        for _ in range(int(LIMIT * 20)):
            if self._process.poll() is not None:
                raise Failure(f"QEMU ended early: {self._process.stdout.read().decode(errors='replace').strip()}")
            try:
                return Monitor(self._socket)
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        raise Failure(f"QEMU's monitor did not come within {LIMIT:.0f} seconds")

    def lines(self):
        for raw in self._process.stdout:
            yield raw.decode("utf-8", "replace").strip()

    def go_on(self):
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def watch(self):
        self._log.unlink(missing_ok=True)
        self._monitor.line(f"logfile {self._log}")
        self._monitor.line("one-insn-per-tb on")
        self._monitor.line("log exec,nochain")

    def watched(self):
        """Return: the log since watch()."""
        self._monitor.line("log none")
        self._monitor.line("one-insn-per-tb off")
        return self._log.read_bytes()


def per_operation(row, counts, totals):
    """Counts of a row, by operation. They have to be what the image counted: @totals, instructions and operations."""
    if not counts:
        raise Failure(f"profile of {row}: QEMU's log shows nothing between two calls of {CLOCK}()")
    instructions, operations = totals
    logged = sum(counts.values())
    if abs(logged - instructions) > SLACK + instructions * SLACK_SHARE:
        raise Failure(f"profile of {row}: QEMU's log has {logged} instructions, the image counted {instructions}")
    return {name: round(number / operations, 3) for name, number in counts.most_common()}


def profile(machine, about, wanted, kernel=None, progress=Silent()):
    """
    Profile the rows of @wanted, by the names that bench_begin() has for them. Raises Failure.

    Return: {row: {function: instructions for each operation, the most first}}.
    """
    kernel = kernel or image()
    symbols = Symbols(kernel.with_name("System.map"))
    counts, totals, ended = {}, {}, False
    progress.begin(about)
    with tempfile.TemporaryDirectory() as folder, Run(machine, kernel, folder) as run:
        for line in run.lines():
            stop, total = STOP.search(line), ROW.search(line)
            if stop and stop[1] in wanted:
                if stop[2] == "begins":
                    run.watch()
                else:
                    counts[stop[1]] = count(run.watched(), symbols)
                    progress.row(stop[1])
            if stop:
                run.go_on()
            if total:
                totals[total[1].removesuffix("_pair")] = int(total[2]), int(total[3])
            ended |= END in line
    progress.end()
    missing = sorted(set(wanted) - (counts.keys() & totals.keys()))
    if not ended or missing:
        raise Failure(f"{about}: ended early, without {', '.join(missing) or 'its last line'}")
    return {row: per_operation(row, counts[row], totals[row]) for row in counts}
