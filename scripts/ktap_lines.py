# SPDX-License-Identifier: BSD-2-Clause
"""From the bytes of a console to lines, and what a line that a serial line damaged could have been.

1. Splitter cuts bytes at newlines and numbers the lines from 1, as an editor does. A line may hold carriage returns:
   the parser takes each as the end of a line too, so a line end of two bytes survives the loss of one.
2. Bytes that are no UTF-8 stay in the text (surrogateescape); shown() makes any text safe to print and to put in XML.
3. What has no line end is cut after MAX_LINE bytes at most, at a carriage return if it has one, so no line is costly to
   look at.
4. could_be() names what KTAP line a text resembles: one that stands within another line, or one whose beginning is at
   most a few single-byte errors away from the form that was due.
"""

import re

MAX_LINE = 4096

# Besides printable text consoles send tabs, backspaces, carriage returns, and the escape sequences of boot loaders.
NOT_TEXT = re.compile("[\x00-\x07\x0a-\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")
NOT_SHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
WITHIN = re.compile(r"(?<!\w)(?:not )?ok \d+\b|K?TAP version \d")


class Splitter:
    """Push bytes as they come; `partial` is the text of the line that has not ended yet."""

    def __init__(self):
        self.count = 0  # lines that have ended
        self._rest = b""

    @property
    def partial(self):
        return decode(self._rest)

    def push(self, data):
        """Return: (number, text) of each line that ended."""
        lines = []
        *ended, self._rest = (self._rest + data).split(b"\n")
        for raw in ended:
            self.count += 1
            lines += [(self.count, decode(piece)) for piece in pieces(raw)]
        *cut, self._rest = pieces(self._rest)
        return lines + [(self.count + 1, decode(piece)) for piece in cut]

    def finish(self):
        """Return: what push() does, of a last line without an end."""
        return self.push(b"\n") if self._rest else []


def pieces(raw):
    """Cut a line into parts of at most MAX_LINE bytes."""
    parts = []
    while len(raw) > MAX_LINE:
        end = raw.rfind(b"\r", 0, MAX_LINE) + 1 or MAX_LINE
        parts.append(raw[:end])
        raw = raw[end:]
    return [*parts, raw]


def decode(data):
    return data.decode("utf-8", "surrogateescape")


def shown(text):
    """@text with what cannot be printed written as \\xNN."""
    return NOT_SHOWN.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", str(text))


def could_be(text, due):
    """What KTAP line @text resembles, when result @due was due; None when none."""
    body = text.strip()
    found = WITHIN.search(body)
    if found:
        return f"'{found[0]}' within it"
    if len(body) <= 6 and errors("1..", body) <= 1:
        return "a plan"
    forms = {f"ok {due} ": (f"result {due}", 2), f"not ok {due} ": (f"result {due}", 3),
             "KTAP version": ("a version line", 4), "# Totals: pass:": ("totals", 4),
             "# Subtest: ": ("the name of a subtest", 3)}
    for form, (what, most) in forms.items():
        if errors(form, body) <= most:
            return what
    return None


def errors(form, text):
    """How many bytes must be changed, lost or added for @text to begin with @form."""
    text = text[:2 * len(form)]
    row = list(range(len(text) + 1))
    for done, wanted in enumerate(form, 1):
        before, row = row, [done]
        for at, have in enumerate(text):
            row.append(min(before[at] + (have != wanted), before[at + 1] + 1, row[at] + 1))
    return min(row)
