#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The programs of this folder (misuse.h), each in an image whose checks must find it, and exactly what is printed.

1. The images say which programs they have, at which level and how each ends. Each NAME.c is one, with a NAME.expected.
2. Programs after which the machine goes on share a boot, a few at a time; a panic has a boot of its own. With
   SHOW=NAME what a program prints is shown, as a first draft of its NAME.expected.
3. A text is compared line by line, without time stamps. In NAME.expected stands for what differs from run to run:

	<addr>, <pfn>	a hexadecimal number with or without 0x
	<n>, <time>	a decimal number
	<cpu>		a CPU's
	<addr:x>	the same text wherever it stands with the same name x; so for the others
	<frames with F>	a whole line: lines of a backtrace, present or kept, one of them in the function F
"""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "boot"))
# pylint: disable=wrong-import-position
import machine
from bootlog import STAMP
from machine import GIB, IMAGE, Machine, ktap

HERE = Path(__file__).resolve().parent
BOARD = Machine(cpus=4, ram=GIB)
IMAGES = {"basic": IMAGE, "debug": IMAGE.parents[1] / "debug/Image", "full": IMAGE.parents[1] / "full/Image"}
PROMPT = "memstage> "
ARGS = "cma=16M"  # for the programs that misuse CMA areas
LIMIT = 60
BATCH = 6  # programs in one boot: less than a rate limit of reports

PLACEHOLDERS = {"addr": r"(?:0x)?[0-9a-f]+", "pfn": r"(?:0x)?[0-9a-f]+", "n": r"-?\d+", "cpu": r"\d+",
                "time": r"\d+(?:\.\d+)?"}
PLACEHOLDER = re.compile(rf"<({'|'.join(PLACEHOLDERS)})(?::(\w+))?>")
FRAMES = re.compile(r"^\s*<frames with (\w+)>$")
FRAME = re.compile(r"^ {2,4}(?:\[[0-9a-f]{16}\](?: (\w+)\S*\+0x[0-9a-f]+)?|\.\.\. the same \d+ times more)$|"
                   r"^    (\w+)\S*\+0x[0-9a-f]+$")


class Program:
    """One line of what the prompt's `misuse` lists."""

    def __init__(self, line):
        self.name, self.level, self.end = line.split(maxsplit=2)
        self.output = None  # the lines that it printed

    @property
    def panics(self):
        return self.end == "panics"

    def faults(self):
        path = HERE / f"{self.name}.expected"
        if not path.exists():
            return [f"{path.name} is missing"]
        if self.output is None:
            return ["it was never run: the machine ended before"]
        output, done = list(self.output), f"misuse: {self.name}: the machine goes on"
        if not self.panics:
            if not output or output.pop() != done:
                return [f"the last line is not: {done}"]
        return differences(path.read_text().splitlines(), output)


def line_pattern(line, names):
    """The regular expression of a line with placeholders; @names: the texts that stand for named ones so far."""
    pattern, at = "", 0
    for match in PLACEHOLDER.finditer(line):
        kind, name = match.groups()
        pattern += re.escape(line[at:match.start()])
        at = match.end()
        if not name:
            pattern += PLACEHOLDERS[kind]
        elif name in names:
            pattern += re.escape(names[name])
        elif f"(?P<{name}>" in pattern:
            pattern += f"(?P={name})"
        else:
            pattern += f"(?P<{name}>{PLACEHOLDERS[kind]})"
    return pattern + re.escape(line[at:])


def take_frames(output, at, function):
    """Past the frames that begin at line @at. Return: where they end, and whether one is in @function."""
    found = False
    while at < len(output) and (match := FRAME.match(output[at])):
        found |= function in match.groups()
        at += 1
    return at, found


def differences(expected, output):
    """The first difference of the two texts, as a list of what is wrong."""
    names, at = {}, 0
    for line in expected:
        if frames := FRAMES.match(line):
            at, found = take_frames(output, at, frames[1])
            if not found:
                return [f"no frame of the backtrace that ends at line {at} is in {frames[1]}"]
            continue
        if at == len(output):
            return [f"the text ends before: {line}"]
        match = re.fullmatch(line_pattern(line, names), output[at])
        if not match:
            return [f"line {at + 1} is:   {output[at]}", f"right would be: {line}"]
        names.update(match.groupdict())
        at += 1
    return [f"there is more: {line}" for line in output[at:]]


def run(level, programs):
    """Run @programs in one boot; each gets what it printed. Return: what is wrong with the run as a whole."""
    typed = "".join(f"misuse {program.name}\n" for program in programs)
    result = BOARD.boot(ARGS, typed.encode() + b"\x04", LIMIT, IMAGES[level])
    answers = {}
    for part in result.log.split(PROMPT)[1:]:
        line, _, output = part.partition("\n")
        answers[line] = [STAMP.sub("", text) for text in output.splitlines() if text]
    for program in programs:
        program.output = answers.get(f"misuse {program.name}")
    return machine.status_faults(result, 1 if programs[-1].panics else 0)


def listed(level):
    """The programs of the image of @level that are about its checks."""
    result = BOARD.boot("memstage.run=misuse", limit=LIMIT, image=IMAGES[level])
    lines = [line for line in result.log.splitlines() if re.fullmatch(r"\w+ +\w+ +(goes on|panics)", line)]
    return [program for program in map(Program, lines) if program.level == level]


def batches(programs):
    """@programs as lists that share a boot."""
    calm = [program for program in programs if not program.panics]
    return [calm[i:i + BATCH] for i in range(0, len(calm), BATCH)] + [[one] for one in programs if one.panics]


def main():
    tap = ktap.Tap()
    jobs = [(level, batch) for level in IMAGES for batch in batches(listed(level))]
    with ThreadPoolExecutor(2) as pool:
        run_faults = list(pool.map(lambda job: run(*job), jobs))
    programs = [program for _, batch in jobs for program in batch]
    names = {program.name for program in programs}
    for (_, batch), faults in zip(jobs, run_faults):
        for program in batch:
            shown = os.environ.get("SHOW") == program.name
            wrong = program.faults() or faults
            machine.report(tap, f"{program.name} ({program.level}, {program.end})", wrong)
            for line in (program.output or []) if wrong or shown else []:
                tap.note(f"  | {line}")
    files = {path.stem for path in HERE.glob("*.c")} - {"misuse"}
    tap.ok(files == names, f"every program of the folder is run, and no other: {' '.join(sorted(files ^ names))}")
    texts = {path.stem for path in HERE.glob("*.expected")}
    tap.ok(texts <= names, f"every expected text is a program's: {' '.join(sorted(texts - names))}")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
