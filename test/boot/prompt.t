#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sessions at the prompt, typed into scripts/run as `echo meminfo | make run` does: the tables are in the formats of
Linux's /proc and agree with each other to the page; whatever is typed, the session ends, with the right status."""

import random
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
import procfs
from bootlog import STAMP, BootLog
from compare import length, union
from machine import GIB, MIB, ROOT, Machine, ktap
from tree import PAGE, Tree

PROMPT = "memstage> "
COMMANDS = ["help", "meminfo", "buddyinfo", "zoneinfo", "vmstat", "numa", "numastat", "slabinfo", "iomem", "memblock",
            "test", "stress", "soak", "poweroff"]
TABLES = ["meminfo", "buddyinfo", "zoneinfo", "slabinfo", "iomem", "memblock"]
SEED = 1
LIMIT = 60
TEST_LIMIT = 300

# Both as options of scripts/run and as the machine whose tree is read.
PLAIN = (["SMP=4", "MEM=4G"], Machine(cpus=4, ram=4 * GIB))
NODES = (["SMP=4", "MEM=512M", "CPU=cortex-a76",
          "QEMU_ARGS=-object memory-backend-ram,id=m0,size=320M -object memory-backend-ram,id=m1,size=192M "
          "-numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3"],
         Machine(cpus=4, ram=512 * MIB, nodes=[320 * MIB, 192 * MIB], cpu="cortex-a76"))


class Session:
    """What came of typing @typed: the run, and what was printed after each line typed at the prompt."""

    def __init__(self, typed, options=(), limit=LIMIT):
        command = ["env", f"RUN_TIMEOUT={limit}", *options, str(ROOT / "scripts/run"), str(machine.IMAGE)]
        self.run = machine.run(command, typed.encode() if isinstance(typed, str) else typed, limit + 10)
        self.answers = []
        self.boot, *rest = self.run.log.split(PROMPT)
        for part in rest:
            line, _, output = part.partition("\n")
            self.answers.append((line, [text for text in output.splitlines() if text]))

    def answer(self, line):
        """What was printed after @line was typed; None when it never was."""
        return next((output for typed, output in self.answers if typed == line), None)

    def faults(self, status=0):
        """Those of every session: how it ended, and that there was a prompt."""
        faults = machine.status_faults(self.run, status)
        faults += [f"the log has: {line}" for line in BootLog(self.run.log).panics()]
        return faults + ["no prompt"] * (not self.answers)


def test_empty(tap):
    """No input at all: boots, gives the prompt, powers off. The time is told, not judged: it depends on the host."""
    session = Session("", PLAIN[0])
    machine.report(tap, "an empty input ends with status 0", session.faults(), session.run.log)
    stamps = BootLog(session.run.log).stamps or [0]
    tap.note(f"from start to end {session.run.seconds:.2f} s of wall time, log stamps from {stamps[0] / 1e6:.3f} to "
             f"{stamps[-1] / 1e6:.3f} s")
    if session.run.seconds > 1:
        tap.note("WARNING: more than 1 s to the prompt and off")


def test_help(tap):
    session = Session("help\n")
    output = session.answer("help") or []
    names = [line.split()[0] for line in output]
    faults = session.faults() + [f"help does not list {name}" for name in COMMANDS if name not in names]
    faults += ["help is not in order"] * (names != sorted(names))
    machine.report(tap, "help lists the commands", faults, session.run.log)


def test_tables(tap, name, options, board):
    session = Session("".join(table + "\n" for table in TABLES) + "poweroff\n", options)
    machine.report(tap, f"{name}: a session of tables ends with status 0", session.faults(), session.run.log)
    data = {}
    for table in TABLES:
        faults = []
        try:
            data[table] = getattr(procfs, table)(session.answer(table) or [])
            if not data[table]:
                faults = ["it is empty"]
        except (ValueError, IndexError) as error:
            faults = [str(error)]
        machine.report(tap, f"{name}: {table} has the format of Linux", faults)
    checks = {"the pages of the zones agree": zones_agree, "the slabs agree": slabs_agree,
              "the physical map agrees": map_agrees}
    tree = Tree(board.tree())
    for what, check in checks.items():
        try:
            faults = check(data, tree)
        except KeyError as error:
            faults = [f"there is no {error}"]
        machine.report(tap, f"{name}: {what}", faults)


def zones_agree(data, tree):
    faults = []
    zones, buddy, memory = data["zoneinfo"], data["buddyinfo"], data["meminfo"]
    populated = {name for name, zone in zones.items() if zone["present"]}
    if populated != set(buddy):
        faults.append(f"zoneinfo has {sorted(populated)}, buddyinfo {sorted(buddy)}")
    for name in populated & set(buddy):
        zone, free = zones[name], sum(count << order for order, count in enumerate(buddy[name]))
        if free != zone["pages free"]:
            faults.append(f"{name}: the blocks of buddyinfo make {free} pages, zoneinfo has {zone['pages free']} free")
        if zone["pages free"] + zone["count"] > zone["managed"]:
            faults.append(f"{name}: more free than managed: {zone}")
        if not zone["managed"] <= zone["present"] <= zone["spanned"]:
            faults.append(f"{name}: not managed <= present <= spanned: {zone}")
        if not zone["min"] <= zone["low"] <= zone["high"]:
            faults.append(f"{name}: not min <= low <= high: {zone}")
    for nid, pages in tree.pages().items():
        present = sum(zone["present"] for name, zone in zones.items() if name[0] == nid)
        if present != pages:
            faults.append(f"node {nid} has {present} pages present, {pages} is right")
    for field, key in (("MemTotal", "managed"), ("MemFree", "pages free")):
        right = sum(zone[key] for zone in zones.values()) * PAGE // 1024
        if memory[field] != right:
            faults.append(f"{field} is {memory[field]} kB, the zones have {right} kB")
    return faults


def slabs_agree(data, _):
    faults = []
    for slab in data["slabinfo"]:
        if slab.active > slab.objects or slab.active_slabs > slab.slabs:
            faults.append(f"{slab.name}: more active than there are: {slab}")
        if slab.objects != slab.slabs * slab.per_slab:
            faults.append(f"{slab.name}: {slab.slabs} slabs of {slab.per_slab} do not make {slab.objects} objects")
        if slab.size * slab.per_slab > slab.pages_per_slab * PAGE:
            faults.append(f"{slab.name}: a slab does not hold its objects: {slab}")
    names = [slab.name for slab in data["slabinfo"]]
    faults += ["a name is listed twice"] * (len(set(names)) != len(names))
    right = sum(slab.slabs * slab.pages_per_slab for slab in data["slabinfo"]) * PAGE // 1024
    if data["meminfo"]["Slab"] != right:
        faults.append(f"Slab is {data['meminfo']['Slab']} kB in meminfo, the slabs take {right} kB")
    return faults


def map_agrees(data, tree):
    """iomem and memblock against the tree's banks; what is listed within a range lies within it, and in order."""
    faults = []
    banks = union((bank.base, bank.base + bank.size) for bank in tree.memory())
    said = union((item.start, item.end) for item in data["iomem"] if item.name.startswith("System RAM"))
    if said != banks:
        faults.append(f"System RAM of iomem is {said}, {banks} is right")
    outer = []
    for item in data["iomem"]:
        del outer[item.depth:]
        if item.start >= item.end or (outer and not outer[-1].start <= item.start < item.end <= outer[-1].end):
            faults.append(f"{item} is not within {outer[-1:]}")
        outer.append(item)
    starts = [item.start for item in data["iomem"] if item.depth == 0]
    faults += ["iomem is not in order"] * (starts != sorted(starts))
    for array in "memory", "reserved":
        regions = data["memblock"][array]
        overlaps = [after for before, after in zip(regions, regions[1:]) if after.start < before.end]
        faults += [f"memblock: {array}: {region} overlaps or is out of order" for region in overlaps]
    if length(data["memblock"]["memory"]) != length(banks):
        faults.append(f"memblock has {length(data['memblock']['memory'])} bytes of memory, {length(banks)} is right")
    return faults


def test_suites(tap):
    session = Session("test\npoweroff\n", PLAIN[0], TEST_LIMIT)
    judged = ktap.judge(ktap.Console(session.answer("test") or [], 0))
    faults = session.faults() + judged.faults + [f"not ok: {result.name}" for result in judged.results
                                                 if not result.passed]
    faults += ["no results"] * (not judged.results)
    machine.report(tap, f"test runs the suites ({len(judged.results)} results)", faults, session.run.log)


def test_stress(tap):
    session = Session("stress 2\nmeminfo\nbuddyinfo\nzoneinfo\npoweroff\n", PLAIN[0])
    faults = session.faults()
    output = session.answer("stress 2") or []
    for line in output:
        tap.note(f"  stress 2: {STAMP.sub('', line)}")
    faults += ["stress says nothing"] * (not output)
    bad = re.compile(r"(?i)\b(failed|wrong|not balanced|not accounted|no such command|[1-9]\d* corruptions)")
    faults += [f"stress says: {line}" for line in output if bad.search(line)]
    try:
        data = {table: getattr(procfs, table)(session.answer(table) or [])
                for table in ("meminfo", "buddyinfo", "zoneinfo")}
        faults += zones_agree(data, Tree(PLAIN[1].tree()))
    except (ValueError, KeyError) as error:
        faults.append(f"a table afterwards: {error}")
    machine.report(tap, "stress 2 runs, and the zones agree afterwards", faults, session.run.log)


def test_bootargs(tap):
    """memstage.run= in the boot arguments: as a word of its own, and not longer than it may be."""
    cases = {
        "memstage.run= runs its command and gives no prompt": ("quiet memstage.run=meminfo x=y", 0, r"MemTotal"),
        "memstage.run= within a word is none": ("x.memstage.run=nonesuch", 0, PROMPT),
        "memstage.run= that is too long is refused": (f"memstage.run={'meminfo,' * 16}", 1,
                                                      r"memstage.run= has more than 127 bytes: not run"),
    }
    for name, (args, status, pattern) in cases.items():
        session = Session("", [f"APPEND={args}"])
        faults = machine.status_faults(session.run, status)
        faults += [f"/{pattern}/ is not in the output"] * (not re.search(pattern, session.run.log))
        faults += ["there is a prompt"] * (pattern != PROMPT and PROMPT in session.run.log)
        machine.report(tap, name, faults, session.run.log)


def test_typing(tap):
    """What a person or a careless script may type."""
    rubbish = bytes(byte for byte in random.Random(SEED).randbytes(3000) if byte != 4)
    cases = {
        "an unknown command is named": ("frobnicate 1 2\nmeminfo\n", r"frobnicate: no such command", True),
        "empty lines and blanks do nothing": ("\n\n   \n\t\nmeminfo\n", r"MemTotal", True),
        "carriage returns end lines too": ("meminfo\r\n", r"MemTotal", True),
        "backspace rubs out": ("memx\x7finfo\n", r"MemTotal", True),
        "a last line without its end is run": ("meminfo", r"MemTotal", True),
        "an argument too many or wrong is refused": ("stress\nstress x\nmeminfo\n", r"MemTotal", True),
        "a line too long is refused whole": ("x" * 300 + "\nmeminfo\n", r"at most \d+ bytes[^$]*MemTotal", True),
        "too many words are refused": ("a " * 40 + "\nmeminfo\n", r"more than \d+ words[^$]*MemTotal", True),
        "what comes after poweroff is not run": ("poweroff\nmeminfo\n", r"MemTotal", False),
        "rubbish does no harm": (rubbish + b"\nmeminfo\n", r"MemTotal", True),
        "the end of the input ends the session": ("\x04meminfo\n", r"MemTotal", False),
    }
    for name, (typed, pattern, wanted) in cases.items():
        session = Session(typed)
        # Commands that fail may make the status a failing one; a hang, a panic or a signal may not.
        status = session.run.status
        faults = session.faults(0 if status == 0 or not wanted else status)
        faults += [f"status {status}"] * (status is not None and status not in (0, 1))
        found = re.search(pattern, "".join(part for part in session.run.log.split(PROMPT)[1:]))
        if bool(found) != wanted:
            faults.append(f"/{pattern}/ is {'not ' if wanted else ''}in the output")
        machine.report(tap, name, faults, session.run.log)


def main():
    tap = ktap.Tap()
    test_empty(tap)
    test_help(tap)
    test_tables(tap, "1 node", *PLAIN)
    test_tables(tap, "2 nodes", *NODES)
    test_suites(tap)
    test_stress(tap)
    test_bootargs(tap)
    test_typing(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
