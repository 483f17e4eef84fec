# SPDX-License-Identifier: BSD-2-Clause
"""Have a board run its tests, at the other end of a serial line, and judge what it says.

1. The port is opened at the given speed, 8N1, without flow control, for us alone.
2. A line that is quiet is woken by one carriage return, for the board may stand at its prompt. While it talks nothing
   is sent: a key would stop a boot loader's countdown. Where no prompt comes the user is told to reset the board.
3. The command is typed byte by byte, as slowly as a small receive FIFO wants. When the prompt comes back and nothing of
   KTAP came before it, the command did not arrive whole and is typed again, three times at most.
4. What comes before the command is kept, but not judged, a panic apart; with an empty command all is judged.
5. The end is the prompt after a run, or quiet after a complete run or a panic. It is also a fault that a silence lasts
   too long, that time is over, that the port fails, and that the user or a signal stops us: there is always a verdict.
"""

import time

from ktap_lines import NOT_TEXT, Splitter, shown
from ktap_parser import PROMPT, Parser

POLL = 0.05  # seconds of each read
QUIET = 1.5  # seconds without a byte after which a line counts as quiet
LOST_QUIET = 10  # the same after a run whose totals were lost
KEY_GAP = 0.002
MAX_WAKES = 5
MAX_SENT = 3
MIN_NOISE = 200  # bytes from which on their share that is no text says something of the speed


class PortError(Exception):
    """The port cannot be opened."""


class _Stop(Exception):
    """The reading is over; its text is a fault unless empty."""


def open_port(path, baud):
    """Return: an open serial.Serial. Raises PortError."""
    try:
        import serial  # pylint: disable=import-outside-toplevel
    except ImportError as error:
        raise PortError("python3-serial is not installed: scripts/setup does that") from error
    try:
        return serial.Serial(path, baud, timeout=POLL, write_timeout=5, exclusive=True)
    except (OSError, ValueError) as error:
        raise PortError(f"{path}: {error}") from error


class Reader:
    """
    command: what is typed at the prompt, "" for nothing
    silence, limit: seconds without a byte, and over all, after which the reading ends
    save: a binary file that gets all bytes, or None; say: called with each message for the user
    echo: called with each line of the board, or None
    """

    def __init__(self, port, command, silence, limit, save=None, say=print, echo=None):
        self._port, self._command = port, command
        self._silence, self._limit = silence, limit
        self._save, self._say, self._echo = save, say, echo
        self._splitter = Splitter()
        self._parser = Parser(asked=bool(command))
        self._judging = not command
        self._start = self._last = time.monotonic()
        self._received = self._no_text = 0
        self.lines = []

    def read(self):
        """Read to the end, whatever that is. Return: a finished Parser."""
        try:
            if self._command:
                self._wait_for_prompt()
                self._run_command()
            else:
                self._wait_for_end(lambda: False)
        except _Stop as stop:
            if str(stop):
                self._parser.fault(str(stop), failed=True, place=False)
        except (KeyboardInterrupt, SystemExit):
            self._parser.fault(f"stopped by the user after {self._splitter.count} lines", place=False)
        except OSError as error:  # serial.SerialException is one
            if not self._parser.ended:
                self._parser.fault(f"the port failed after line {self._splitter.count}: {error}", place=False)
        for number, text in self._splitter.finish():
            if not text.startswith(PROMPT):
                self._line(number, text)
        self._parser.finish()
        if self._received >= MIN_NOISE and self._no_text * 5 > self._received:
            self._parser.notes.append(f"{self._no_text} of {self._received} bytes are no text: is the speed right?")
        return self._parser

    def _quiet(self):
        return time.monotonic() - self._last

    def _line(self, number, text):
        self.lines.append(text)
        if self._echo:
            self._echo(text)
        if self._judging:
            self._parser.feed(text, number, time.monotonic())
        else:
            self._parser.feed_before(text, number)

    def _pump(self):
        """Take what has come within POLL seconds. Return: whether anything has. Raises _Stop when time is over."""
        data = self._port.read(max(1, self._port.in_waiting))
        if data:
            self._last = time.monotonic()
            self._received += len(data)
            self._no_text += len(NOT_TEXT.findall(data.decode("latin-1").replace("\r", "").replace("\n", "")))
            if self._save:
                self._save.write(data)
                self._save.flush()
            for number, text in self._splitter.push(data):
                self._line(number, text)
        if self._parser.panicked and self._quiet() >= QUIET:
            raise _Stop()
        if self._quiet() >= self._silence:
            raise _Stop(f"hang: silence for {self._silence:g} seconds after line {self._splitter.count}")
        if time.monotonic() - self._start >= self._limit:
            raise _Stop(f"hang: no end within {self._limit:g} seconds")
        return bool(data)

    def _at_prompt(self, since):
        """The board waits for a command, in a line after line @since."""
        return self._splitter.count > since and self._splitter.partial.endswith(PROMPT)

    def _wait_for_prompt(self):
        wakes, talked, told = 0, True, False
        while not self._at_prompt(-1):
            talked |= self._pump()
            if self._quiet() < QUIET or self._at_prompt(-1):
                continue
            if talked and wakes < MAX_WAKES:
                self._port.write(b"\r")
                wakes, talked, self._last = wakes + 1, False, time.monotonic()
            elif not told:
                self._say("no prompt yet: reset the board, or switch it on")
                told = True

    def _run_command(self):
        for attempt in range(MAX_SENT):
            if attempt:
                self._say("the board did not get the whole command: typed again")
            since = self._splitter.count
            self._judging = True
            for byte in f"{self._command}\r".encode():
                self._port.write(bytes([byte]))
                time.sleep(KEY_GAP)
            self._wait_for_end(lambda line=since: self._at_prompt(line))
            if self._parser.begun:
                return
        self._parser.fault(f"'{shown(self._command)}' was typed {MAX_SENT} times, and the prompt came back each time "
                           "without a test", place=False)

    def _wait_for_end(self, prompted):
        while not (prompted() or self._parser.ended and self._quiet() >= QUIET or
                   self._parser.complete and self._quiet() >= LOST_QUIET):
            self._pump()
