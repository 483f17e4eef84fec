#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the page tables map, as `ptdump` shows it: W^X, guards and no-map on each machine, and that the check finds what
breaks a rule.

1. What must be mapped is computed from the log: RAM without no-map ranges in the linear map, the image's parts and
   their second addresses, the stacks of the CPUs on line. It is compared page by page with what is shown.
2. Negative: `ptbreak` makes entries that break a rule; the check must name the addresses and the rule, count them, and
   end the run with status 1; undone, it must pass again.
3. What vmalloc maps is followed by pages that nothing maps: `vmallocinfo` says what, `ptdump` shows the rest.
"""

import re
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
import raspi
import uboot
from bootlog import BootLog
from dialog import Dialog
from machine import GIB, IMAGE, MIB, RAM_BASE, ROOT, Machine, ktap
from raspi import Pi

AT_ONCE = 2
LIMIT = 60
PROMPT = "memstage> "
END = "\x04"  # the end of input: the status tells whether a command failed
PAGE = 4096
LINEAR, STACKS, STACK = 0xffff000000000000, 0xfffffd0000000000, 0x4000
NO_MAP = [(RAM_BASE + 0x10000000, 0x10000), (RAM_BASE + 0x10203000, 0x3000), (RAM_BASE + 0x12000000, 0x400000)]
PARTS = ["linear map", "vmalloc", "vmemmap", "stacks", "image text", "image rodata", "image data", "fixmap"]

LAYOUT = re.compile(r"\]   ([a-z ]+?) +0x([0-9a-f]{16}) - 0x([0-9a-f]{16})  ", re.MULTILINE)
USED = re.compile(r"^([a-z ]+?) +0x([0-9a-f]{16}) - 0x([0-9a-f]{16})  .* (\d+) KiB mapped$", re.MULTILINE)
LINE = re.compile(r"^0x([0-9a-f]{16})-0x([0-9a-f]{16})   (?:0x([0-9a-f]{12}) )? *(\d+)([KMGT]) (PUD|PMD|PTE) (.*)$")
HEAD = re.compile(r"^---\[ (.+) \]---$")
LAST = re.compile(r"^(\d+) tables; (\d+) blocks of 1 GiB, (\d+) of 2 MiB, (\d+) pages; "
                  r"(\d+) W\+X, (\d+) open to EL0, (\d+) other breaches: (\w+)$", re.MULTILINE)
AREA = re.compile(r"^0x([0-9a-f]{16})-0x([0-9a-f]{16}) +\d+ ", re.MULTILINE)  # with the unmapped page at its end
BREACH = re.compile(r"page tables: 0x([0-9a-f]+)-0x([0-9a-f]+) \((.+?)\): (.+): (\d+) entries of level (\d), ")
MISCOUNT = re.compile(r"page tables: (\d+) found, but (\d+) in the image and (\d+) allocated$", re.MULTILINE)
BROKEN = re.compile(r"^ptbreak: 0x([0-9a-f]+)-0x([0-9a-f]+)$", re.MULTILINE)

LEVELS = {"PUD": 1 << 30, "PMD": 1 << 21, "PTE": 1 << 12}
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}

# part: what it stands under. pa: None when not shown. words: its attributes.
Run = namedtuple("Run", "part start end pa level words")


def answer(log, command):
    """What was printed after @command was typed, up to the next prompt."""
    found = [part for part in log.split(PROMPT) if part.startswith(f"{command}\n")]
    return found[-1][len(command) + 1:] if found else ""


def runs_of(text):
    """([Run], headings, faults) of a dump."""
    runs, heads, faults, part = [], [], [], None
    for line in text.splitlines():
        if head := HEAD.match(line):
            part = head[1]
            heads.append(part)
        elif match := LINE.match(line):
            run = Run(part, int(match[1], 16), int(match[2], 16), match[3] and int(match[3], 16), match[6],
                      match[7].split())
            if run.end - run.start != int(match[4]) * UNITS[match[5]] or run.start % LEVELS[run.level]:
                faults.append(f"size or alignment: {line}")
            if runs and run.start < runs[-1].end:
                faults.append(f"not in order: {line}")
            runs.append(run)
        elif line.startswith("0x"):
            faults.append(f"not understood: {line}")
    return runs, heads, faults


def merged(ranges):
    """Neighbours with equal values as one: [(start, end, value)]"""
    out = []
    for start, end, value in sorted(ranges):
        if out and out[-1][1] == start and out[-1][2] == value:
            out[-1] = (out[-1][0], end, value)
        elif start < end:
            out.append((start, end, value))
    return out


def without(ranges, holes):
    """[(start, end)] without @holes."""
    for hole, hole_end in holes:
        ranges = [piece for start, end in ranges
                  for piece in ((start, min(end, hole)), (max(start, hole_end), end)) if piece[0] < piece[1]]
    return ranges


def layout_of(log):
    return {match[1]: (int(match[2], 16), int(match[3], 16) + 1) for match in LAYOUT.finditer(log)}


def right_linear(log, layout):
    """RAM without no-map; where the image's text and read-only data lie: read-only."""
    boot = BootLog(log)
    image = int(re.search(r"memstage entered at EL\d, image at 0x([0-9a-f]+)", log)[1], 16)
    fixed = (image, image + layout["image rodata"][1] - layout["image text"][0])
    ram = [(item.base, item.end) for item in boot.claims["memory"]]
    ram = without(ram, [(item.base, item.end) for item in boot.claims["no-map"]])
    both = [(start, end, "RW") for start, end in without(ram, [fixed])] + [(*fixed, "ro")]
    return merged((start + LINEAR, end + LINEAR, value) for start, end, value in both)


def shown(runs, part):
    return merged((run.start, run.end, run.words[0]) for run in runs if run.part == part)


def compare(what, is_shown, right):
    def text(ranges):
        return ", ".join(f"{start:#x}-{end:#x} {value}" for start, end, value in ranges)
    return [f"{what}: {text(is_shown)} is shown, {text(right)} is right"] * (is_shown != right)


def map_faults(log, runs):
    """Each part of the layout against what must be there."""
    layout, cpus = layout_of(log), BootLog(log).cpus
    text, rodata, data = (layout[f"image {name}"] for name in ("text", "rodata", "data"))
    stacks = [(STACKS + (2 * cpu + 1) * STACK, STACKS + (2 * cpu + 2) * STACK, "RW") for cpu in range(cpus)]
    faults = compare("linear map", shown(runs, "linear map"), right_linear(log, layout))
    faults += compare("stacks", shown(runs, "stacks"), stacks)
    faults += compare("text", shown(runs, "image text"), [(*text, "ro")])
    faults += compare("rodata", shown(runs, "image rodata"), [(*rodata, "ro")])
    faults += compare("data", shown(runs, "image data"), [(*data, "RW")])
    for run in runs:
        executable = "x" in run.words
        if executable != (run.part == "image text"):
            faults.append(f"{'' if executable else 'not '}executable: {run}")
        if "USR" in run.words or "UXN" not in run.words or "AF" not in run.words:
            faults.append(f"EL0, or no access flag: {run}")
        if "NX" not in run.words and run.words[0] != "ro":
            faults.append(f"W+X: {run}")
        if run.part not in ("fixmap", "vmalloc") and run.words[-1] != "MEM/NORMAL":
            faults.append(f"memory type: {run}")
        if run.pa is not None and run.part == "linear map" and run.pa != run.start - LINEAR:
            faults.append(f"linear map: {run}")
        low, high = layout[run.part]
        if not low <= run.start < run.end <= high:
            faults.append(f"outside of its part: {run}")
    return faults


def count_faults(text, runs):
    """The last line against the lines above."""
    last = LAST.search(text)
    if not last:
        return ["no last line"]
    counts = [sum((run.end - run.start) // size for run in runs if run.level == level)
              for level, size in LEVELS.items()]
    faults = [f"last line: {last[0]}, lines: {counts}"] * ([int(last[i]) for i in (2, 3, 4)] != counts)
    return faults + [f"last line: {last[0]}"] * (last.groups()[4:] != ("0", "0", "0", "passed"))


def layout_faults(log, runs):
    """`layout`, whose parts are those of the log, against the dump."""
    used = [(match[1], int(match[2], 16), int(match[3], 16) + 1, int(match[4]) * 1024)
            for match in USED.finditer(answer(log, "layout"))]
    right = [(name, *layout_of(log).get(name, (0, 0)),
              sum(run.end - run.start for run in runs if run.part == name)) for name in PARTS]
    apart = all(a[2] <= b[1] for a, b in zip(used, used[1:]))
    return [f"layout shows {used}, {right} is right"] * (used != right) + ["parts overlap"] * (not apart)


def vmalloc_faults(log):
    """Each area is mapped, and the page behind it is not. There is one at least."""
    areas = [(int(match[1], 16), int(match[2], 16) - PAGE) for match in AREA.finditer(answer(log, "vmallocinfo"))]
    runs, _, faults = runs_of(answer(log, "ptdump"))
    mapped = {page for run in runs if run.part == "vmalloc" for page in range(run.start, run.end, PAGE)}
    right = {page for start, end in areas for page in range(start, end, PAGE)}
    faults += [f"vmalloc maps {sorted(mapped)}, areas are {sorted(right)}"] * (mapped != right)
    return faults + ["no area"] * (not areas)


def dump_faults(result):
    """Of a session that has typed ptdump -p, layout."""
    log = result.log
    text = answer(log, "ptdump -p")
    runs, heads, faults = runs_of(text)
    faults = machine.status_faults(result, 0) + faults
    if heads != PARTS or sorted(layout_of(log)) != sorted(PARTS):
        return faults + [f"headings are {heads}, the log has {sorted(layout_of(log))}"]
    return faults + map_faults(log, runs) + count_faults(text, runs) + layout_faults(log, runs)


class Case:
    """@boot: starts the machine and types the given bytes. @judge: what is wrong with the result."""

    def __init__(self, name, boot, judge=dump_faults, typed=("ptdump -p", "layout", "poweroff")):
        self.name, self.boot, self.judge, self.typed, self.result = name, boot, judge, typed, None

    def faults(self):
        self.result = self.boot(self.typed)
        return self.judge(self.result)


def as_bytes(lines):
    return "".join(f"{line}\n" for line in lines).encode()


def on_virt(**options):
    board = Machine(cpus=4, ram=GIB, **options)
    return lambda lines: board.boot("", as_bytes(lines), LIMIT)


def with_no_map(lines):
    """The tree names three ranges: whole pages, pages off any border, and blocks of 2 MiB."""
    board = Machine(cpus=2, ram=GIB)
    blob = edit.with_reserved_memory(board.tree(""), NO_MAP, "no-map")
    return board.boot_tree(blob, stdin=as_bytes(lines), limit=LIMIT)


def no_map_faults(result):
    said = sorted((item.base, item.end) for item in BootLog(result.log).claims["no-map"])
    right = sorted((base, base + size) for base, size in NO_MAP)
    return [f"no-map ranges are {said}, {right} is right"] * (said != right) + dump_faults(result)


def through_uboot(folder):
    board = uboot.Board("EL2", ["SMP=4", "MEM=1G", "MACHINE=virtualization=on", f"QEMU_ARGS={uboot.IN_TURNS}"],
                        2, 4)
    return lambda lines: uboot.boot(uboot.LOADERS[0], board, folder, as_bytes(lines).decode(), limit=uboot.LIMIT)


def on_pi(lines):
    return Pi().boot(raspi.board_tree(), "", as_bytes(lines), LIMIT)


def on_pi_no_map(lines):
    """The page that holds the words by which the cores are let go must not be mapped."""
    blob = edit.with_memreserve(raspi.board_tree(), [])
    blob = edit.add_node(blob, "/reserved-memory", "firmware@0",
                         {"reg": edit.cells64(0) + edit.cells32(PAGE), "no-map": b""})
    return Pi().boot(blob, "", as_bytes(lines), LIMIT)


def pi_through_uboot(folder):
    def boot(lines):
        card, tree = folder / "card", folder / "dtb"
        subprocess.run([ROOT / "scripts/sdcard", "rpi4", str(IMAGE), str(card)], cwd=ROOT, check=True, timeout=LIMIT,
                       capture_output=True)
        tree.write_bytes(raspi.board_tree())
        command = Pi().command("-kernel", str(raspi.UBOOT), "-dtb", str(tree), *raspi.SEMIHOSTING,
                               "-drive", f"if=sd,format=raw,file={card}")
        with Dialog(command, LIMIT) as dialog:
            for line in lines:
                if not dialog.wait_for(PROMPT):
                    break
                dialog.type(line)
            result = dialog.end()
        _, entered, rest = result.log.partition("memstage entered")
        return result._replace(log="[] " + entered + rest)
    return boot


Breach = namedtuple("Breach", "how rule counts part level skip", defaults=("vmalloc", 3, 0))
# how: what ptbreak is told. rule: what the line must say; None when none may be said. counts: W+X, open to EL0, others.
# part, level: of the entries. skip: how many entries at the begin of the range break no rule.
HALF_GROUP = "not one of a group of sixteen that its contiguous hint names"
BREACHES = [
    Breach("wx", "writable and executable", (3, 0, 0)),
    Breach("user", "open to EL0", (0, 3, 0)),
    Breach("user-exec", "open to EL0", (0, 3, 0)),
    Breach("wx-user", "writable and executable", (3, 3, 0)),
    Breach("no-access", "no access flag", (0, 0, 3)),
    Breach("ro-exec", "executable, and writable in the linear map", (0, 0, 3)),
    Breach("ro-exec-guarded", "guarded by BTI and should not be, or the other way round", (0, 0, 3)),
    Breach("reserved", "reserved entry", (0, 0, 3)),
    Breach("hint", HALF_GROUP, (0, 0, 3)),
    Breach("group-hint", HALF_GROUP, (0, 0, 15), "linear map", 3, 1),
    Breach("group-rights", HALF_GROUP, (0, 0, 16), "linear map"),
    Breach("misaligned", "misaligned block", (0, 0, 1), "vmalloc", 2),
    Breach("no-part", "in no part of the layout", (0, 0, 1), "no part"),
    Breach("top-block", "block at level 0", (0, 0, 1), "no part", 0),
    Breach("count", None, (0, 0, 0)),
]


def right_lines(breach, start, end):
    """What the check must say of the entries of [@start, @end)."""
    size = PAGE << 9 * (3 - breach.level)
    start += breach.skip * size
    return [(start, end, breach.part, breach.rule, (end - start) // size, str(breach.level))] * bool(breach.rule)


def count_faults_said(log, miscounted):
    """Of the number of tables: one line, of one table too many that is counted, or none."""
    said = [[int(number) for number in match.groups()] for match in MISCOUNT.finditer(log)]
    good = [found == static + allocated - 1 for found, static, allocated in said] == [True] * miscounted
    return [f"tables: {said}"] * (not good)


def breach_faults(breach):
    """Of a session that has typed ptbreak HOW, ptdump -x, ptbreak undo, ptdump -x, test vmalloc, ptdump -x."""
    counts = tuple(str(count) for count in breach.counts)

    def judge(result):
        faults, log = machine.status_faults(result, 1), result.log
        broken, checks = BROKEN.search(log), LAST.findall(log)
        if not broken or len(checks) != 3:
            return faults + [f"{len(checks)} checks"]
        said = [(int(m[1], 16), int(m[2], 16) + 1, m[3], m[4], int(m[5]), m[6]) for m in BREACH.finditer(log)]
        right = right_lines(breach, int(broken[1], 16), int(broken[2], 16))
        faults += [f"said: {said}, {right} is right"] * (said != right)
        faults += count_faults_said(log, breach.how == "count")
        faults += [f"counted: {checks[0][4:7]}, {counts} is right"] * (checks[0][4:7] != counts)
        verdicts = [check[7] for check in checks]
        return faults + [f"verdicts: {verdicts}"] * (verdicts != ["FAILED", "passed", "passed"])
    return judge


def area_faults(result):
    runs, _, _ = runs_of(answer(result.log, "ptdump"))
    broken = BROKEN.search(result.log)
    right = [(int(broken[1], 16) - PAGE, int(broken[1], 16), ["RW", "NX"]),
             (int(broken[1], 16), int(broken[2], 16), ["USR", "RW"]),
             (int(broken[2], 16), int(broken[2], 16) + PAGE, ["RW", "NX"])]
    is_shown = [(run.start, run.end, run.words[:2]) for run in runs if right[0][0] <= run.start <= right[2][1]]
    return ([f"vmalloc: {is_shown} is shown, {right} is right"] * (is_shown != right) + vmalloc_faults(result.log) +
            machine.status_faults(result, 1))


def cases(folder):
    for level in 1, 2:
        yield Case(f"virt, EL{level}", on_virt(level=level))
    yield Case("virt, landing pads", on_virt(cpu="max"))
    yield Case("virt, two nodes", on_virt(nodes=[512 * MIB, 512 * MIB]))
    yield Case("virt, no-map ranges", with_no_map, no_map_faults)
    yield Case("virt, U-Boot, EL2", through_uboot(folder))
    yield Case("raspi4b", on_pi)
    yield Case("raspi4b, the first page no-map", on_pi_no_map)
    yield Case("raspi4b, U-Boot", pi_through_uboot(folder))
    for breach in BREACHES:
        yield Case(f"found: {breach.how}", on_virt(), breach_faults(breach),
                   (f"ptbreak {breach.how}", "ptdump -x", "ptbreak undo", "ptdump -x", "test vmalloc", "ptdump -x",
                    END))
    yield Case("an area of vmalloc, three of its pages changed", on_virt(), area_faults,
               ("ptbreak wx-user", "ptdump", "vmallocinfo", END))


def main():
    tap = ktap.Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        uboot.files(folder, "")
        machine.report_cases(tap, list(cases(folder)), AT_ONCE)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
