#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/ktap-run at a serial port: boards of all tempers behind a pseudo-terminal, and QEMU itself.

Each board is a script of what it says and what it waits for; the cases mostly wait, so they run at the same time.
"""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import tty
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test/boot"))
# pylint: disable=wrong-import-position
from machine import IMAGE, QEMU, ktap

RUNNER = str(ROOT / "scripts/ktap-run")
LIMIT = 60
PROMPT = b"memstage> "
GOOD = (HERE / "capture.log").read_bytes()
BOOT, RUN = GOOD[:GOOD.index(PROMPT)], GOOD[GOOD.index(PROMPT + b"test") + len(PROMPT + b"test\r\n"):]
CUT = RUN[:RUN.index(b"  ok 5 timer")]
ECHO = b"test\r\n"


class Board:
    """The far end of a serial line, as steps: bytes are said, a string is waited for, a number sleeps, OPENED waits for
    the file that the reader makes when it has opened the port, CLOSE hangs up. `played` is set after the last one."""

    OPENED, CLOSE = object(), object()

    def __init__(self, steps, made):
        self.fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.heard = b""
        self._steps, self._made = steps, made
        self.played = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        for fd in self.fd, self._slave:
            if fd is not None:
                os.close(fd)

    def _play(self):
        for step in self._steps:
            if step is Board.CLOSE:
                os.close(self._slave)
                os.close(self.fd)
                self.fd = self._slave = None
                return
            if step is Board.OPENED:
                while not os.path.exists(self._made) and not self._stop.wait(0.02):
                    pass
            elif isinstance(step, float):
                self._stop.wait(step)
            elif isinstance(step, str):
                self._wait_for(step.encode())
            else:
                self._say(step)
            if self._stop.is_set():
                return
        self.played.set()

    def _say(self, data):
        while data and not self._stop.is_set():
            if select.select([], [self.fd], [], 0.1)[1]:
                data = data[os.write(self.fd, data[:512]):]

    def _wait_for(self, text):
        while text not in self.heard and not self._stop.is_set():
            if select.select([self.fd], [], [], 0.1)[0]:
                self.heard += os.read(self.fd, 512)
        self.heard = self.heard.partition(text)[2]


# A prompt in answer to a first key; then what follows the command.
READY = ["\r", b"\r\n" + PROMPT, "test\r", ECHO]

# Name: (steps, options, exit status, what stdout or stderr must have).
CASES = {
    "a board that waits at its prompt": ([*READY, RUN], [], 0, ["31 passed, 0 failed, 2 skipped; 0 faults",
                                                                "verdict: passed"]),
    "a board that is booting": ([Board.OPENED, BOOT[:999], 0.3, BOOT[999:] + PROMPT, "test\r", ECHO + RUN], [], 0,
                             ["verdict: passed"]),
    "a board that has to be reset": (["\r", 2.5, BOOT + PROMPT, "test\r", ECHO + RUN], [], 0,
                                     ["reset the board", "verdict: passed"]),
    "a command that lost a byte": (["\r", b"\r\n" + PROMPT, "test\r",
                                    b"tst\r\ntst: no such command; `help` lists them\r\n" + PROMPT, "test\r",
                                    ECHO + RUN], [], 0, ["typed again", "verdict: passed"]),
    "a command that nobody knows": (["\r", PROMPT] + ["x\r", b"x\r\nx: no such command\r\n" + PROMPT] * 3,
                                    ["--send", "x"], 1, ["'x' was typed 3 times", "verdict: NOT TRUSTED"]),
    "nothing to type": ([Board.OPENED, BOOT + RUN.removesuffix(PROMPT)], ["--send", ""], 0, ["verdict: passed"]),
    "a lost line": ([*READY, RUN.replace(b"  ok 3 zones\r\n", b"")], [], 1,
                    ["result 3 in pages is missing", "verdict: NOT TRUSTED"]),
    "a run without an end": ([*READY, RUN.removesuffix(PROMPT).replace(b"ok 4 slub\r\n", b"")], ["--timeout", "2"], 1,
                             ["hang: silence for 2 seconds", "verdict: FAILED"]),
    "a reset in the middle": ([*READY, CUT + BOOT + PROMPT], [], 1,
                              ["after result 4 of suite cpus reset: .*memstage entered at EL1", "verdict: FAILED"]),
    "a reset before the first line": ([*READY, BOOT + PROMPT, "test\r", ECHO + RUN], [], 1,
                                      ["reset before the first line of the run", "31 passed", "verdict: FAILED"]),
    "a panic": ([*READY, CUT + b"[    9.000000] panic: out of memory\r\n[    9.100000] Backtrace\r\n"], [], 1,
                ["panic: out of memory", "# .*Backtrace", "verdict: FAILED"]),
    "a panic before the prompt": ([Board.OPENED, BOOT + b"[    9.000000] panic: no memory\r\n"], [], 1,
                                  ["panic: no memory", "verdict: FAILED"]),
    "a board that is silent": ([60.0], ["--timeout", "5"], 1, ["hang: silence for 5 seconds", "verdict: FAILED"]),
    "a board that babbles": ([b"x" * 70 + b"\r\n", 0.2] * 100, ["-t", "3"], 1,
                             ["hang: no end within 3", "verdict: FAILED"]),
    "the wrong speed": ([*READY, bytes(range(128, 256)) * 9], ["--timeout", "2"], 1, ["is the speed right"]),
    "a port that is unplugged": ([*READY, CUT, 0.5, Board.CLOSE], [], 1, ["the port failed", "verdict: NOT TRUSTED"]),
}


def execute(arguments, stop=None):
    """Run the runner; after the event @stop it gets the SIGINT that Ctrl-C sends. Return: status, all it printed."""
    with subprocess.Popen([RUNNER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="surrogateescape") as process:
        try:
            if stop:
                stop.wait(LIMIT)
                process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0] + "\nended by force"
    return process.returncode, output


def faults_of(status, output, right, patterns):
    faults = [f"status {status}, {right} is right"] * (status != right)
    return faults + [f"/{pattern}/ is not said" for pattern in patterns if not re.search(pattern, output)]


def check_case(case):
    """A session, and its saved bytes judged again. Return: faults, output."""
    steps, options, right, patterns = case
    with tempfile.TemporaryDirectory() as folder:
        saved, xml = os.path.join(folder, "log"), os.path.join(folder, "xml")
        with Board(steps, saved) as board:
            status, output = execute(["--serial", board.path, "--save", saved, "--junit", xml, *options])
        faults = faults_of(status, output, right, patterns)
        again, verdict = execute(["--capture", saved])
        if right == 0:
            faults += faults_of(again, verdict, 0, ["31 passed, 0 failed, 2 skipped; 0 faults"])
        faults += ["no XML was written"] * (not os.path.exists(xml))
    return faults, output


def check_stopped():
    with Board([*READY, CUT, 1.0], "") as board:
        status, output = execute(["--serial", board.path], stop=board.played)
    return faults_of(status, output, 1, ["stopped by the user", "ok 4 - .*spinlock", "verdict: NOT TRUSTED"]), output


def check_no_port():
    status, output = execute(["--serial", "/dev/nonesuch"])
    return faults_of(status, output, 2, ["ktap-run: /dev/nonesuch: .*No such file"]), output


def check_no_file():
    """The verdict does not wait for files."""
    with Board([*READY, CUT + PROMPT], "") as board:
        status, output = execute(["--serial", board.path, "--junit", "/nonesuch/xml"])
    return faults_of(status, output, 1, ["verdict: NOT TRUSTED", "ktap-run: .*/nonesuch"]), output


def check_qemu():
    """End to end: QEMU's own pseudo-terminal, one suite."""
    command = [QEMU, "-M", "virt", "-cpu", "cortex-a72", "-smp", "4", "-m", "1G", "-nodefaults", "-nographic",
               "-monitor", "none", "-serial", "pty", "-semihosting-config", "enable=on,target=native", "-kernel",
               str(IMAGE)]
    with subprocess.Popen(["timeout", str(LIMIT), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as qemu:
        try:
            said = qemu.stdout.readline()
            port = re.search(r"/dev/\S+", said)
            if not port:
                return [f"QEMU names no port: {said}"], said
            with tempfile.NamedTemporaryFile() as xml:
                status, output = execute(["--serial", port[0], "--send", "test cpus", "--timeout", "30",
                                          "--junit", xml.name])
                spent = float(ET.parse(xml.name).getroot().get("time"))
            faults = faults_of(status, output, 0, ["ok 1 - cpus/", "5 results: 5 passed", "verdict: passed"])
            faults += [f"the suite took {spent} s"] * (not 0 < spent < LIMIT)
        finally:
            qemu.terminate()
    return faults, output


def main():
    tap = ktap.Tap()
    checks = {name: lambda case=case: check_case(case) for name, case in CASES.items()}
    checks |= {"stopped by the user": check_stopped, "no such port": check_no_port, "no such folder": check_no_file,
               "QEMU's pty": check_qemu}
    with ThreadPoolExecutor(len(checks)) as pool:
        futures = {name: pool.submit(check) for name, check in checks.items()}
        for name, future in futures.items():
            faults, output = future.result()
            if not tap.ok(not faults, name):
                tap.note("\n".join(faults + output.splitlines()[-40:]))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
