# SPDX-License-Identifier: BSD-2-Clause
"""Read KTAP version 1 out of a console that prints other lines too, loses bytes, and may start anew at any moment.

1. A version line and a plan on each level, results numbered from 1, subtests two spaces deeper before the result that
   sums them up. Lines of the log and whatever else is said go to the result that comes next, as its output.
2. A fault is anything that is wrong besides a failed test. Some prove a failure: a panic, a reset, `Bail out!`, no end
   in time, a failing exit status, a result that contradicts its subtests. The others say what cannot be trusted: no
   version line, no plan or a second one, a plan of nothing that is not skipped, fewer or more results than planned,
   a number out of order, a line twice, a subtest without its result, an unknown version, totals that do not agree.
3. The verdict is `FAILED` when a failure is proved, else `NOT TRUSTED` when there is any fault, else `passed`.
4. `# Totals: pass:1 fail:0 skip:0` counts the leaf tests of its level. They find the `ok` that was a `not ok`. Totals
   that other levels of the same depth have must not be missing.
5. A damaged number is told from lost results by what comes next: the number after the one that was due, or not.
6. A reset is the banner of a boot, or a log whose time goes back (two stamps below the two before, so that one damaged
   stamp is none). Results of a run that it cut short are skipped as not trusted; failures among them stay. What comes
   then is judged on its own, and the verdict is `FAILED`. After a run that is complete a reset is only noted.
7. Lines that nothing here knows are kept until finish(), which names those that could be a damaged KTAP line, but only
   when there is a fault: with every number, plan and total in order none is missing.

Source: Documentation/dev-tools/ktap.rst of the Linux kernel ("The Kernel Test Anything Protocol, version 1"); the form
of the totals is that of its tools/testing/selftests/kselftest.h.
"""

import collections
import dataclasses
import re

from ktap_lines import NOT_TEXT, could_be, shown

VERSION = re.compile(r"((?:  )*)K?TAP version (\d+)$")
PLAN = re.compile(r"((?:  )*)1\.\.(\d{1,9})\s*(#.*)?$")
NOTHING = re.compile(r"# *SKIP\b", re.IGNORECASE)
RESULT = re.compile(r"((?:  )*)(not )?ok (\d{1,9})\b(?: - | )?([^#]*)(?:# *(\w*) *(.*))?$")
SUBTEST = re.compile(r"((?:  )*)# Subtest: (.*)$")
TOTALS = re.compile(r"((?:  )*)# Totals:((?: (?:pass|fail|xfail|xpass|skip|error|total):\d{1,9})+)\s*$")
PANIC = re.compile(r"Kernel panic|memstage: panic|(^|\] )panic:")
BAIL_OUT = re.compile(r"\s*Bail out!")
PROMPT = "memstage> "
BANNER = re.compile(r"^[^#]*(memstage entered at EL|U-Boot (SPL |TPL )?20\d\d\.\d\d|NOTICE:  BL\d|"
                    r"UEFI firmware \(version|Booting Linux on physical CPU)")
STAMP = re.compile(r"\[ *(\d{1,9}\.\d{6})\] ")
# Directives that excuse a failure, of TAP and KTAP, and under which key of totals they count.
EXCUSED = {"SKIP": "skip", "TODO": "xfail", "XFAIL": "xfail"}
MAX_OUTPUT = 400  # lines kept for one result
MAX_NAMED = 40  # lines named as possibly damaged
MAX_STUDIED = 4000  # lines looked at for that


@dataclasses.dataclass
class Result:
    """One leaf test, or the result of a subtest that its leaves do not explain.

    run: 1 for the first run of the console, and so on; path: the names of the levels it stands in; seconds: since the
    result before it, None when not known.
    """

    passed: bool
    case: str
    directive: str = ""
    line: int = 0
    run: int = 1
    path: tuple = ()
    seconds: float = None
    output: list = dataclasses.field(default_factory=list)

    @property
    def name(self):
        return "/".join([*self.path, self.case])

    @property
    def skipped(self):
        return self.passed and self.directive.startswith("SKIP")


@dataclasses.dataclass
class Level:
    """A version line and what came after it. name is that of `# Subtest:`, for a level that never ends.

    count: the number of the last result; resume: the number that comes next if that one was damaged.
    last, last_line: text and place of the last result; tally: leaf tests by kind, subtests' too.
    """

    line: int = 0
    plan: int = None
    count: int = 0
    resume: int = None
    failed: bool = False
    name: str = ""
    last: str = ""
    last_line: int = 0
    totals: str = None
    leaves: list = dataclasses.field(default_factory=list)
    tally: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    @property
    def fresh(self):
        return self.plan is None and not self.count

    @property
    def complete(self):
        return self.plan is not None and self.count == self.plan


class Parser:
    """Feed it lines, then finish(). `results` has the leaves, `faults` what is wrong besides failed tests, `notes` what
    a reader should know besides."""

    def __init__(self, asked=False):
        """asked: a run has been asked for, so a reset before its first line is one within it."""
        self.results = []
        self.faults = []
        self.notes = []
        self.panicked = False
        self.begun = False  # something of KTAP has been seen
        self._asked = asked
        self._levels = []
        self._failed = False
        self._seen_version = False
        self._run = 1
        self._line = 0
        self._at = self._since = None
        self._output = []
        self._stamps = []
        self._strange = []  # (line, text, number due)
        self._no_text = []
        self._closed = []  # (run, depth, name, whether it had totals)

    @property
    def passed(self):
        return self.verdict == "passed"

    @property
    def verdict(self):
        if self._failed or not all(result.passed for result in self.results):
            return "FAILED"
        return "NOT TRUSTED" if self.faults else "passed"

    @property
    def ended(self):
        """The last run is complete, and so are its totals if it has any."""
        wants_totals = any(run == self._run and had for run, _, _, had in self._closed)
        return self.complete and (not wants_totals or self._levels[0].totals is not None)

    @property
    def complete(self):
        """The last run has all the results of its plan."""
        return len(self._levels) == 1 and self._levels[0].complete

    @property
    def has_totals(self):
        """Some run has said its totals, so an `ok` that lost its `not ` is found."""
        return any(had for _, _, _, had in self._closed)

    @property
    def summary(self):
        """The results in numbers."""
        kinds = collections.Counter(kind(result) for result in self.results)
        words = [f"{kinds['pass']} passed", f"{kinds['fail']} failed", f"{kinds['skip']} skipped"]
        words += [f"{kinds['xfail']} failed as expected"] * bool(kinds["xfail"])
        return f"{len(self.results)} results: {', '.join(words)}; {len(self.faults)} faults"

    def feed(self, text, number=None, at=None):
        """The next line of the console; its @number when lines are not fed one by one, and the second it came @at."""
        self._line = number or self._line + 1
        self._at = at
        if NOT_TEXT.search(text):
            self._no_text.append(self._line)
        for piece in text.rstrip("\r").split("\r"):
            self._feed(piece)

    def feed_before(self, text, number):
        """A line from before the run that is judged: a panic counts, and the time."""
        self._line = number
        stamp = STAMP.match(text)
        if PANIC.search(text):
            self._panic(text)
        if stamp:
            self._stamps = [*self._stamps[-1:], float(stamp[1])]

    def _panic(self, text):
        self.panicked = True
        self.fault(f"panic: {text.strip()}", failed=True)

    def _feed(self, text):
        stamp = STAMP.match(text)
        if PANIC.search(text):
            self._panic(text)
        elif BANNER.search(text):
            self._reset(text.strip())
        elif BAIL_OUT.match(text):
            self.fault(text.strip(), failed=True)
        elif text.startswith(PROMPT):
            self._end_run()
        else:
            for pattern, handle in ((VERSION, self._version), (PLAN, self._plan), (RESULT, self._result),
                                    (SUBTEST, self._subtest), (TOTALS, self._totals)):
                match = None if stamp else pattern.match(text)
                if match:
                    self.begun = True
                    handle(len(match[1]) // 2, match)
                    return
        if stamp:
            self._time(stamp[1])
        if text.strip():
            del self._output[:-MAX_OUTPUT]
            self._output.append(text)
            self._strange.append((self._line, text, self._levels[-1].count + 1 if self._levels else 1))

    def finish(self, status=0, limit=None):
        """The console has ended: with this exit status, or by force (None) after limit seconds."""
        if status is None:
            self.fault(f"hang: no end within {limit} seconds", failed=True, place=False)
        if not self._seen_version:
            self.fault("no version line", place=False)
        self._end_run()
        if status:
            self.fault(f"exit status {status}", failed=True, place=False)
        self._missing_totals()
        if self.faults:
            self._name_strange()
        if self._no_text:
            self.notes.append(f"lines with bytes that are no text: {ranges(self._no_text)}")

    def fault(self, text, failed=False, place=True):
        """Something is wrong; @failed: it proves a failure; @place: it was found at the line fed last."""
        self.faults.append(shown(f"line {self._line}: {text}" if place and self._line else text))
        self._failed |= failed

    # What each kind of line does.

    def _version(self, depth, match):
        if match[2] not in ("1", "13", "14"):
            self.fault(f"unknown version: {match[0].strip()}")
        open_levels = len(self._levels)
        if depth == open_levels - 1 and self._levels[-1].fresh:
            self.fault(f"a version line twice: {match[0].strip()}")
            return
        if depth == 0 and open_levels:
            if not self.complete:
                self._lose("a run begins, though the one before it has not ended: a reset that was not seen?")
            self._end_run()
        elif depth < open_levels:
            self._unwind(depth)
        elif depth > open_levels:
            self.fault(f"version line out of place: {match[0].strip()}")
        while len(self._levels) <= depth:
            self._levels.append(Level(self._line))
        self._seen_version = True
        self._since, self._output = self._at, []

    def _subtest(self, depth, match):
        if depth == len(self._levels) - 1:
            self._levels[depth].name = match[2].strip()

    def _plan(self, depth, match):
        self._need_level(depth, match[0])
        level = self._levels[depth]
        if level.plan is not None:
            self.fault(f"a second plan: {match[0].strip()}")
        elif level.count:
            self.fault(f"a plan after the first result: {match[0].strip()}")
        level.plan = int(match[2])
        if not level.plan and not NOTHING.match(match[3] or ""):
            self.fault(f"an empty plan, and not skipped: {match[0].strip()}")

    def _result(self, depth, match):
        name, directive = match[4].strip() or "?", (match[5] or "").upper()
        leaf = depth >= len(self._levels) - 1
        if not leaf:
            self._sum_up(depth, name, bool(match[2]))
        self._need_level(depth, match[0])
        level = self._levels[depth]
        if not self._number(level, int(match[3]), name, match[0].strip()):
            return
        passed = not match[2] or directive in EXCUSED
        level.failed |= not passed
        said = f"{directive} {match[6] or ''}".strip()
        result = Result(passed, name, said, self._line, self._run)
        if self._at is not None and self._since is not None:
            result.seconds = self._at - self._since
        self._since = self._at
        if leaf:
            level.tally[kind(result)] += 1
        # A subtest stands for itself by its leaves; it is listed only when they do not explain its failure.
        if leaf or not passed:
            result.output, self._output = self._output, []
            level.leaves.append(result)

    def _sum_up(self, depth, name, failed):
        """Close the levels deeper than depth, of which result @name is the sum."""
        self._unwind(depth + 2)
        child = self._levels[-1]
        if child.failed and not failed:
            self.fault(f"{name} is ok though one of its subtests is not", failed=True)
        if child.name not in ("", name):
            self.fault(f"subtest {child.name} is summed up as {name}")
        self._close(name)

    def _number(self, level, number, name, text):
        """Take a result's number. Return: whether it is a result of its own, and no copy of the one before."""
        due = level.count + 1
        if level.count and number == level.count and text == level.last:
            self.fault(f"a line twice: {text}, as in line {level.last_line}")
            return False
        if level.plan is None and not level.count:
            self.fault(f"no plan before: {text}")
        if number == due or number == level.resume:
            level.count, level.resume = number, None
        elif number > due and (level.plan is None or number <= level.plan):
            after = level.last_line or level.line
            lost, verb = (f"result {due}", "is") if number == due + 1 else (f"results {due} to {number - 1}", "are")
            self.fault(f"{lost}{of(level.name)} {verb} missing after line {after}, or this number is damaged: "
                       f"{number} ({name})")
            level.count, level.resume = number, due + 1
        else:
            self.fault(f"out of order: {number} ({name}) where {due} was due")
            level.count, level.resume = due, number + 1
        level.last, level.last_line = text, self._line
        return True

    def _totals(self, depth, match):
        if depth >= len(self._levels):
            self.fault(f"totals without results: {match[0].strip()}")
            return
        self._unwind(depth + 1)
        level = self._levels[depth]
        if level.totals is not None:
            self.fault(f"totals twice: {match[0].strip()}")
        level.totals = match[2].strip()
        said = collections.Counter({key: int(value) for key, value in (pair.split(":") for pair in match[2].split())})
        read = level.tally.copy()
        if "xfail" not in said:
            read["pass"] += read.pop("xfail", 0)
        same = (said["pass"] + said["xpass"] == read["pass"] and said["fail"] + said["error"] == read["fail"] and
                said["skip"] == read["skip"] and said["xfail"] == read["xfail"])
        if not same or said.get("total", sum(level.tally.values())) != sum(level.tally.values()):
            self.fault(f"the totals{of(level.name)} do not agree, so an 'ok' may be a 'not ok': {level.totals} is "
                       f"said, pass:{read['pass']} fail:{read['fail']} skip:{read['skip']} was read")

    # Levels.

    def _need_level(self, depth, line):
        """Make depth the deepest level."""
        if depth >= len(self._levels):
            self.fault(f"no version line before: {line.strip()}")
            self._seen_version = True
            while len(self._levels) <= depth:
                self._levels.append(Level(self._line))
        elif depth < len(self._levels) - 1:
            self._unwind(depth + 1)

    def _unwind(self, depth):
        """Close the levels that have no result of their own until depth of them are left."""
        while len(self._levels) > depth:
            name = self._levels[-1].name or "?"
            if len(self._levels) > 1:
                self.fault(f"subtest {name} has no result")
            self._close(name)

    def _close(self, name):
        level = self._levels.pop()
        where = of(name if self._levels else "")
        if level.fresh:
            self.fault(f"no plan{where}")
        elif level.plan is not None and level.count != level.plan:
            few = "few" if level.count < level.plan else "many"
            self.fault(f"too {few} results{where}: {level.count} of {level.plan}")
        if level.count:
            self._closed.append((self._run, len(self._levels), name, level.totals is not None))
        if self._levels:
            for leaf in level.leaves:
                leaf.path = (name, *leaf.path)
            self._levels[-1].leaves += level.leaves
            self._levels[-1].tally += level.tally
        else:
            self.results += level.leaves

    def _end_run(self):
        """No more results of this run will come."""
        if self._levels:
            self._unwind(0)
            self._run += 1
            self._output = []

    def _missing_totals(self):
        have = {(run, depth) for run, depth, _, had in self._closed if had}
        for run, depth, name, had in self._closed:
            if not had and (run, depth) in have:
                self.fault(f"the totals{of(name)} are missing, which others have", place=False)

    # Resets.

    def _time(self, stamp):
        self._stamps = [*self._stamps[-3:], float(stamp)]
        if len(self._stamps) == 4 and max(self._stamps[2:]) < min(self._stamps[:2]):
            self._reset(f"the log's time goes back from {self._stamps[1]:.6f} to {self._stamps[2]:.6f} s")

    def _reset(self, seen):
        self._stamps = []
        if self.complete or self.begun and not self._levels:
            self.notes.append(shown(f"line {self._line}: a reset after the end of the run: {seen}"))
            self._end_run()
        elif self._levels:
            self._lose(f"reset: {seen}", failed=True)
        elif self._asked:
            self.fault(f"reset before the first line of the run: {seen}", failed=True)

    def _lose(self, why, failed=False):
        """The run that is open did not end: @why."""
        names = [level.name or "?" for level in self._levels[1:]]
        level = self._levels[-1]
        after = f"after result {level.count}" if level.count else "before the first result"
        where = f" of suite {'/'.join(names)}" if names else ""
        for depth, inner in enumerate(self._levels):
            for leaf in inner.leaves:
                leaf.path = (*names[:depth], *leaf.path)
                if leaf.passed:
                    leaf.directive = f"SKIP not trusted: its run was cut short in line {self._line}"
            self.results += inner.leaves
        lost = sum(len(inner.leaves) for inner in self._levels)
        self.fault(f"{after}{where} {why}: the {lost} results of this run, from line {self._levels[0].line} on, "
                   "cannot be trusted", failed=failed)
        self._levels, self._output = [], []
        self._run += 1

    def _name_strange(self):
        found = []
        for line, text, due in self._strange[:MAX_STUDIED]:
            what = could_be(text, due) if not STAMP.match(text) or " ok " in text else None
            if what:
                found.append(f"line {line} could be {what}, damaged: {shown(text.strip())[:200]}")
        self.notes += found[:MAX_NAMED] + [f"and {len(found) - MAX_NAMED} more lines"] * (len(found) > MAX_NAMED)
        if len(self._strange) > MAX_STUDIED:
            self.notes.append(f"lines after line {self._strange[MAX_STUDIED][0]} were not studied for damaged results")


def kind(result):
    """Under which of its keys a line of totals counts a result."""
    if not result.passed:
        return "fail"
    return EXCUSED.get(result.directive.partition(" ")[0], "pass")


def of(name):
    return f" in {name}" if name else ""


def ranges(numbers):
    """Sorted numbers in words, the first dozen of ranges."""
    spans = []
    for number in numbers:
        if spans and number <= spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    words = [f"{first}" if first == last else f"{first}-{last}" for first, last in spans]
    return ", ".join(words[:12]) + f" and {len(words) - 12} more places" * (len(words) > 12)
