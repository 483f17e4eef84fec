#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The KTAP runner fails where it must: one test for each kind of fault, and for what must pass."""

import os
import subprocess
import sys
import tempfile
import time

RUNNER = os.path.join("scripts", "ktap-run")
sys.dont_write_bytecode = True
sys.path.insert(0, "scripts")
import ktap  # pylint: disable=wrong-import-position

GOOD = """\
[    0.000000] memstage: ok 1 is not a result here
KTAP version 1
1..2
  KTAP version 1
  # Subtest: memblock
  1..3
  ok 1 add
[    0.100000] a line of the log
  ok 2 - remove
  ok 3 nodes # SKIP only one node
ok 1 memblock
ok 2 buddy
"""


def without(text):
    return "".join(line + "\n" for line in GOOD.splitlines() if line != text)


def replaced(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


PASSING = {
    "a good log": GOOD,
    "carriage returns": GOOD.replace("\n", "\r\n"),
    "an empty plan that is skipped": "KTAP version 1\n1..0 # SKIP nothing to do\n",
    "a failure that was expected": replaced("ok 2 buddy", "not ok 2 buddy # XFAIL known"),
    "two runs, one after the other": GOOD + GOOD,
}

# What is wrong, the log, and words that the report must have.
FAILING = [
    ("a failed test", replaced("ok 2 buddy", "not ok 2 buddy"), "not ok 4 - buddy"),
    ("a failed subtest", replaced("  ok 1 add", "  not ok 1 add").replace("ok 1 memb", "not ok 1 memb"),
     "not ok 1 - memblock/add"),
    ("a result that contradicts its subtest", replaced("  ok 1 add", "  not ok 1 add"), "memblock is ok though"),
    ("no output at all", "", "no version line"),
    ("no KTAP", "[    0.000000] hello\n", "no version line"),
    ("no version line", without("KTAP version 1"), "no version line"),
    ("no version line of a subtest", without("  KTAP version 1"), "no version line"),
    ("an unknown version", replaced("KTAP version 1\n1..2", "KTAP version 9\n1..2"), "unknown version"),
    ("no plan", without("1..2"), "no plan"),
    ("no plan of a subtest", without("  1..3"), "no plan"),
    ("an empty plan", "KTAP version 1\n1..0\n", "an empty plan"),
    ("an empty plan of a subtest", "KTAP version 1\n1..1\n  KTAP version 1\n  1..0\nok 1 suite\n", "an empty plan"),
    ("a plan after the results", without("1..2") + "1..2\n", "no plan"),
    ("a second plan", replaced("1..2\n", "1..2\n1..2\n"), "second plan"),
    ("only a version line", "KTAP version 1\n", "no plan"),
    ("only a plan", "KTAP version 1\n1..2\n", "too few results: 0 of 2"),
    ("too few results", without("ok 2 buddy"), "too few results: 1 of 2"),
    ("too few results in a subtest", without("  ok 3 nodes # SKIP only one node"),
     "too few results in memblock: 2 of 3"),
    ("too many results", GOOD + "ok 3 slub\n", "too many results: 3 of 2"),
    ("a number beyond the plan", replaced("ok 2 buddy", "ok 3 buddy"), "out of order"),
    ("a lost result", without("  ok 2 - remove"), "result 2 in memblock is missing after line 7"),
    ("a result twice", replaced("  ok 1 add\n", "  ok 1 add\n" * 2), "a line twice: ok 1 add, as in line 7"),
    ("a number twice", replaced("  ok 2 - remove", "  ok 1 - remove"), "out of order"),
    ("a subtest without a result", without("ok 1 memblock"), "memblock is summed up as buddy"),
    ("a subtest closed by the level above it", GOOD[GOOD.index("KTAP"):GOOD.index("  KTAP")] + "  KTAP version 1\n"
     "  1..1\n    KTAP version 1\n    1..1\n    ok 1 deep\nok 1 high\nok 2 buddy\n", "no result"),
    ("an end within a subtest", GOOD[:GOOD.index("  ok 3")], "no result"),
    ("a panic", GOOD + "panic: BUG at mm/slub.c:1\n", "panic"),
    ("a panic with a time stamp", GOOD + "[    1.000000] panic: out of memory\n", "panic"),
    ("a kernel's panic", GOOD + "Kernel panic - not syncing\n", "panic"),
    ("a bail-out", GOOD + "Bail out! no memory\n", "Bail out"),
]


def judge(text):
    with tempfile.NamedTemporaryFile("w", suffix=".log", newline="") as log:
        log.write(text)
        log.flush()
        done = subprocess.run([RUNNER, "--file", log.name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def shell(script, *options):
    return subprocess.run([RUNNER, *options, "--", "sh", "-c", script], capture_output=True, text=True, check=False)


def check_commands(tap):
    """Faults that only a running command can have."""
    good = "printf 'KTAP version 1\\n1..1\\nok 1 a\\n'"

    done = shell(good)
    tap.ok(done.returncode == 0 and done.stdout == "ok 1 - a\n1..1\n", "a command that passes")

    done = shell(good, "-v", "-p", "x/")
    tap.ok("# KTAP version 1\n" in done.stdout and "ok 1 - x/a" in done.stdout, "console and prefix")

    done = shell(good + "; exit 3")
    tap.ok(done.returncode == 1 and "exit status 3" in done.stdout, "a failing exit status fails")

    done = shell(good + "; kill -9 $$")
    tap.ok(done.returncode == 1 and "exit status -9" in done.stdout, "a command ended by a signal fails")

    begin = time.monotonic()
    done = shell(good + "; sleep 60 & sleep 60", "-t", "0.5")
    tap.ok(done.returncode == 1 and "hang" in done.stdout and time.monotonic() - begin < 20, "a hang fails, in time")


def main():
    tap = ktap.Tap()
    for name, log in PASSING.items():
        status, report = judge(log)
        tap.ok(status == 0, f"{name} passes") or tap.note(report)
    for name, log, words in FAILING:
        status, report = judge(log)
        tap.ok(status == 1, f"{name} fails") or tap.note(report)
        said = [line for line in report.splitlines() if not line.startswith("#")]
        tap.ok(any(words in line for line in said), f"{name} is named") or tap.note(report)
    check_commands(tap)
    names = [result.name for result in ktap.judge(ktap.Console(GOOD.splitlines(), 0)).results]
    tap.ok(names == ["memblock/add", "memblock/remove", "memblock/nodes", "buddy"], "leaves have their path as name")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
