# SPDX-License-Identifier: BSD-2-Clause
"""A machine that one talks to while it runs, as a person at its serial line would.

1. Input that comes too early is lost or stops the loader's countdown, so a word is typed only after the one it answers
   has been read: wait_for(), then type().
2. memory() reads the machine's RAM through QEMU's own protocol (QMP), past anything that runs in it.
3. All of a dialog has one time limit. When that is over waits fail at once, and leaving the `with` block ends QEMU.
"""

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from machine import Run


class Dialog:
    """
    command: QEMU with the serial line on stdin and stdout
    limit: seconds

    with Dialog(command, 30) as dialog:
        if dialog.wait_for("> "):
            dialog.type("poweroff")
        result = dialog.end()
    """

    def __init__(self, command, limit):
        self.command, self.limit = command, limit
        self.start = time.monotonic()
        self.text, self.read_to, self.ended = "", 0, False
        self.changed = threading.Condition()

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.socket = Path(self.folder.name, "qmp")
        # timeout(1) stands behind our own limit: it ends QEMU even when this script is killed.
        self.process = subprocess.Popen(
            ["timeout", "--kill-after=1", str(self.limit + 5), *self.command,
             "-qmp", f"unix:{self.socket},server=on,wait=off"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.reader.join(timeout=5)
        self.folder.cleanup()

    def wait_for(self, text):
        """Wait until @text has come after what was waited for before. Return: whether it has."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or self.text.find(text, self.read_to) >= 0, self._left())
            found = self.text.find(text, self.read_to)
            if found >= 0:
                self.read_to = found + len(text)
            return found >= 0

    def type(self, line):
        """@line and the return key. A machine that has ended does not mind."""
        try:
            self.process.stdin.write(line.encode() + b"\r")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def memory(self, address, size):
        """The machine's physical memory as it is now."""
        path = Path(self.folder.name, "memory")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(max(self._left(), 0.1))
            connection.connect(str(self.socket))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.readline()  # its greeting
                self._ask(stream, "qmp_capabilities", {})
                self._ask(stream, "pmemsave", {"val": address, "size": size, "filename": str(path)})
        return path.read_bytes()

    def end(self):
        """Wait until the machine ends. Return: a Run."""
        try:
            status = self.process.wait(timeout=max(self._left(), 0))
        except subprocess.TimeoutExpired:
            status = None
        self.reader.join(timeout=1)
        with self.changed:
            return Run(status, self.text + "\n", time.monotonic() - self.start)

    def _left(self):
        return self.start + self.limit - time.monotonic()

    def _read(self):
        while raw := os.read(self.process.stdout.fileno(), 1 << 16):
            with self.changed:
                self.text += raw.decode("utf-8", "replace").replace("\r", "")
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    @staticmethod
    def _ask(stream, command, arguments):
        stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        stream.flush()
        while "return" not in (answer := json.loads(stream.readline())):
            if "error" in answer:
                raise RuntimeError(f"QMP: {command}: {answer['error']['desc']}")
