#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Exceptions and a panic, each made on purpose by the prompt's `fault KIND CPU`, on the boot CPU, on another one, and
on all at once.

There must be one report, whole, of one CPU. It must name the cause and the CPU, show the registers, and a backtrace
whose names and addresses are those of System.map, wherever the image was placed; the run must end with status 1.

What W^X, the guards and no-map promise is tried on each core: the fault must be caught at the address that the command
said, which must be where this file thinks that it is.
"""

import bisect
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
from bootlog import STAMP, BootLog
from machine import BUILD, GIB, RAM_BASE, Machine, ktap

LIMIT = 30
CPUS = [0, 2, "all"]

# What is done, and what the line that begins with "panic: " must say. N is the CPU.
KINDS = {
    "null": r"(read|write): translation fault.* far 0x[0-9a-f]{1,3},",
    "text-write": r"write: permission fault.*image: text",
    "data-exec": r"instruction fetch: permission fault.*image: data",
    "stack": r"stack overflow: .*guard page of CPU N's stack",
    "undef": r"undefined instruction",
    "brk": r"BRK instruction 0x1",
    "unaligned": r"read: alignment fault",
}
# On a CPU that has the features: the landing pad is missed, and the signature too.
PROTECTION = {
    "bti": r"no branch target \(BTI\), BTYPE 2",
    "pac": r"pointer authentication failed: key A of instructions",
}
# On one that has neither.
UNPROTECTED = {
    "bti": r"undefined instruction",
    "pac": r"instruction fetch: .* fault.*not a canonical address",
}
# Each access that must be stopped: what the line must say, and where this must be, of the Places of that boot.
ACCESSES = {
    "null": (r"read: translation fault.*null page", lambda at: (0, 1)),
    "null-exec": (r"instruction fetch: translation fault.*null page", lambda at: (0, 1)),
    "text-write": (r"write: permission fault.*image: text", lambda at: at.text),
    "text-alias-write": (r"write: permission fault.*linear map", lambda at: at.alias(at.text)),
    "text-alias-exec": (r"instruction fetch: permission fault.*linear map", lambda at: at.alias(at.text)),
    "rodata-write": (r"write: permission fault.*image: read-only", lambda at: at.rodata),
    "rodata-exec": (r"instruction fetch: permission fault.*image: read-only", lambda at: at.rodata),
    "rodata-alias-write": (r"write: permission fault.*linear map", lambda at: at.alias(at.rodata)),
    "tree-write": (r"write: permission fault.*device tree", lambda at: (FIXMAP, FIXMAP + 1)),
    "data-exec": (r"instruction fetch: permission fault.*image: data", lambda at: at.data),
    "linear-exec": (r"instruction fetch: permission fault.*linear map", lambda at: at.ram),
    "stack-exec": (r"instruction fetch: permission fault.*page of CPU N's", lambda at: at.stack(0, STACK)),
    "vmalloc-exec": (r"instruction fetch: permission fault.*vmalloc", lambda at: VMALLOC),
    "vmap-exec": (r"instruction fetch: permission fault.*vmalloc", lambda at: VMALLOC),
    "percpu-exec": (r"instruction fetch: permission fault.*vmalloc", lambda at: VMALLOC),
    "vmemmap-exec": (r"instruction fetch: permission fault.*vmemmap", lambda at: at.memmap),
    "device-exec": (r"instruction fetch: permission fault.*device registers", lambda at: (DEVICES, DEVICES + 1)),
    "vmap-ro-write": (r"write: permission fault.*vmalloc", lambda at: VMALLOC),
    "vmalloc-guard": (r"read: translation fault.*vmalloc", lambda at: VMALLOC),
    "vmalloc-large-guard": (r"read: translation fault.*vmalloc", lambda at: VMALLOC),
    "vmalloc-before": (r"read: translation fault.*vmalloc", lambda at: VMALLOC),
    "vmalloc-large-before": (r"read: translation fault.*vmalloc", lambda at: VMALLOC),
    "vmalloc-freed": (r"read: translation fault.*vmalloc", lambda at: VMALLOC),
    "stack-guard": (r"read: translation fault.*guard page of CPU N's", lambda at: at.stack(0, STACK - 4)),
    "stack-guard-write": (r"write: translation fault.*guard page of CPU N's", lambda at: at.stack(0, STACK - 4)),
    "other-stack-guard": (r"read: translation fault.*guard page of CPU O's", lambda at: at.stack(1, 0)),
    "nomap": (r"read: translation fault.*no-map", lambda at: (LINEAR + NO_MAP, LINEAR + NO_MAP + 1)),
    "nomap-write": (r"write: translation fault.*no-map", lambda at: (LINEAR + NO_MAP, LINEAR + NO_MAP + 1)),
    "nomap-exec": (r"instruction fetch: translation fault.*no-map", lambda at: (LINEAR + NO_MAP, LINEAR + NO_MAP + 1)),
    "linear-hole": (r"read: translation fault.*linear map: no RAM", lambda at: (at.ram[1], at.ram[1] + 1)),
    "vmemmap-hole": (r"read: translation fault.*vmemmap", lambda at: (VMEMMAP_END - 64, VMEMMAP_END - 63)),
    "past-vmemmap": (r"read: translation fault.*between the parts", lambda at: (VMEMMAP_END, VMEMMAP_END + 1)),
    "past-image": (r"read: translation fault.*past the end of the image", lambda at: (at.data[1], at.data[1] + 1)),
    "before-image": (r"read: translation fault.*between the parts", lambda at: (at.text[0] - 4, at.text[0] - 3)),
}
LINEAR, STACKS, STACK, FIXMAP = 0xffff000000000000, 0xfffffd0000000000, 0x4000, 0xffffffffe0000000
DEVICES = FIXMAP + 0x600000
VMEMMAP, VMEMMAP_END, STRUCT_PAGE = 0xfffff80000000000, 0xfffffc0000000000, 64
VMALLOC = (0xfffff00000000000, 0xfffff80000000000)
NO_MAP = RAM_BASE + 0x10203000
CORES, PAGE = 4, 4096
AT_ONCE = 2
SAID = re.compile(r"^fault: CPU (\d+): (read|write|call) of 0x([0-9a-f]+)$", re.MULTILINE)
PART = re.compile(r"^  image (\w+) +0x([0-9a-f]{16}) - 0x([0-9a-f]{16})  ", re.MULTILINE)
NESTED = r"an exception at .* while reporting one at pc 0x[0-9a-f]+, far 0x[0-9a-f]+,"
REGISTERS = [rf"x{i}\s+[0-9a-f]{{16}}" for i in range(31)]
REGISTERS += [r"sp\s+[0-9a-f]{16}", r"pstate\s+[0-9a-f]{8,16}", r"pc\s+\S", r"lr\s+\S"]
FRAME = re.compile(r"^  \[([0-9a-f]{16})\] (\S+)\+0x([0-9a-f]+)$")


class Symbols:
    """addresses, names: of the image's text as linked, by address; text: where it is linked."""

    def __init__(self):
        found = []
        for line in (BUILD / "System.map").read_text().splitlines():
            address, kind, name = line.split()
            if kind in "tTwW":
                found.append((int(address, 16), name))
            if name == "_text":
                self.text = int(address, 16)
        self.table = sorted(found)

    def slide(self, lines):
        """How far above its link address the image of this log lies."""
        return Places("\n".join(lines)).text[0] - self.text


class Places:
    """Where things are in the boot of one log, without stamps: (first address, end) of each."""

    def __init__(self, log, cpu=0):
        parts = {match[1]: (int(match[2], 16), int(match[3], 16) + 1) for match in PART.finditer(log)}
        self.text, self.rodata, self.data = parts["text"], parts["rodata"], parts["data"]
        self.cpu = cpu
        self.image = int(re.search(r"image at 0x([0-9a-f]+)", log)[1], 16)
        memory = BootLog(log).claims["memory"]
        self.ram = (LINEAR + memory[0].base, LINEAR + memory[-1].end)
        self.memmap = tuple(VMEMMAP + (address - LINEAR) // PAGE * STRUCT_PAGE for address in self.ram)

    def alias(self, part):
        return tuple(address - self.text[0] + self.image + LINEAR for address in part)

    def stack(self, further, offset):
        """A byte at @offset of the slot of the CPU that is @further behind this one."""
        base = STACKS + (self.cpu + further) % CORES * 2 * STACK + offset
        return base, base + 1


def frame_faults(frames, table, slide):
    faults = []
    addresses = [address for address, _ in table]
    for address, name, offset in frames:
        start = address - offset - slide
        at = bisect.bisect_left(addresses, start)
        names = [symbol for _, symbol in table[at:bisect.bisect_right(addresses, start)]]
        if name not in names:
            faults.append(f"frame {address:#x}: {name}+{offset:#x} is not in System.map, which has {names} there")
    return faults


def panic_lines(result):
    """The lines of the log without their stamps, and which of them begin with "panic: ": one, or faults."""
    lines = [STAMP.sub("", line) for line in result.log.splitlines()]
    panics = [line for line in lines if line.startswith("panic: ")]
    faults = machine.status_faults(result, 1)
    return lines, panics, faults + ([f"{len(panics)} lines begin with panic:"] + panics) * (len(panics) != 1)


def trace_faults(report, cpu, least, table, slide):
    """@report: what comes after the panic line; @least: frames with names that there are at least."""
    if f"Backtrace of CPU {cpu}:" not in report:
        return [f"no backtrace of CPU {cpu}"]
    trace = report[report.index(f"Backtrace of CPU {cpu}:") + 1:]
    frames = [(int(match[1], 16), match[2], int(match[3], 16)) for match in map(FRAME.match, trace) if match]
    few = [f"the backtrace has {len(frames)} frames with names"] * (len(frames) < least)
    return few + frame_faults(frames, table, slide)


def report_faults(result, cpu, cause, symbols, least=3):
    lines, panics, faults = panic_lines(result)
    if len(panics) != 1:
        return faults
    said = re.search(r"on CPU (\d+)$", panics[0])
    if not said or cpu not in ("all", int(said[1])):
        return faults + [f"CPU {cpu} is not named: {panics[0]}"]
    cause = cause.replace("N's", f"{said[1]}'s").replace("O's", f"{(int(said[1]) + 1) % CORES}'s")
    if not re.search(cause, panics[0]):
        faults.append(f"/{cause}/ is not in: {panics[0]}")
    report = lines[lines.index(panics[0]) + 1:]
    text = "\n".join(report)
    faults += [f"/{pattern}/ is not among the registers" for pattern in REGISTERS
               if not re.search(rf"(?m)(^|\s){pattern}", text)]
    return faults + trace_faults(report, said[1], least, symbols.table, symbols.slide(lines))


def access_faults(result, kind, cpu, symbols):
    """Of an access that must be stopped: at the address that was said, which must be where it should be."""
    cause, place = ACCESSES[kind]
    faults = report_faults(result, cpu, cause, symbols, least=2)
    log = "\n".join(STAMP.sub("", line) for line in result.log.splitlines())
    said, far = SAID.findall(log), re.search(r"^panic: .* far 0x([0-9a-f]+),", log, re.MULTILINE)
    if len(said) != 1 or not far or int(said[0][0]) != cpu:
        return faults + [f"said: {said}, far: {far and far[1]}"]
    address = int(said[0][2], 16)
    low, high = place(Places(log, cpu))
    faults += [f"the fault is at 0x{far[1]}, {address:#x} was tried"] * (int(far[1], 16) != address)
    faults += [f"tried was {address:#x}, {low:#x}-{high:#x} is right"] * (not low <= address < high)
    return faults + ["nothing has stopped it"] * ("nothing has stopped it" in log)


class Access:
    """A boot in which CPU @cpu does what it must not."""

    def __init__(self, kind, cpu, board, tree, symbols):
        self.kind, self.cpu, self.board, self.tree, self.symbols = kind, cpu, board, tree, symbols
        self.name, self.result = f"{kind} on CPU {cpu}", None

    def faults(self):
        typed = f"fault {self.kind} {self.cpu}\n\x04".encode()
        self.result = self.board.boot_tree(self.tree, stdin=typed, limit=LIMIT)
        return access_faults(self.result, self.kind, self.cpu, self.symbols)


def panic_faults(result, cpu, symbols):
    """Of panic(), whose line says no CPU and which shows no registers."""
    lines, panics, faults = panic_lines(result)
    if len(panics) != 1:
        return faults
    report = lines[lines.index(panics[0]) + 1:]
    heads = [line for line in report if line.startswith("Backtrace of CPU ")]
    if len(heads) != 1:
        return faults + [f"{len(heads)} backtraces"] + heads
    reporter = heads[0].split()[-1].rstrip(":")
    faults += [f"the backtrace is CPU {reporter}'s"] * (cpu not in ("all", int(reporter)))
    return faults + trace_faults(report, reporter, 3, symbols.table, symbols.slide(lines))


def nested_faults(result):
    """Of a stack overflow during the report of one: one line, that names both, and the end."""
    _, panics, faults = panic_lines(result)
    if len(panics) == 1 and not re.search(NESTED, panics[0]):
        faults.append(f"/{NESTED}/ is not in: {panics[0]}")
    return faults


def main():
    tap = ktap.Tap()
    board = Machine(cpus=4, ram=GIB, threads=True)
    symbols = Symbols()

    def judge(kind, cpu, faults_of, on=board):
        result = on.boot("", f"fault {kind} {cpu}\n\x04".encode(), LIMIT)
        machine.report(tap, f"{kind} on CPU {cpu} ({on.cpu})", faults_of(result), result.log)

    for cpu in CPUS:
        for kind, cause in KINDS.items():
            judge(kind, cpu, lambda result, cpu=cpu, cause=cause: report_faults(result, cpu, cause, symbols))
        judge("panic", cpu, lambda result, cpu=cpu: panic_faults(result, cpu, symbols))
    for cpu in CPUS[:2]:
        judge("stack-twice", cpu, nested_faults)
        # A chain of frames that goes round is left at the first record that leads back.
        judge("frames", cpu, lambda result, cpu=cpu: report_faults(result, cpu, KINDS["undef"], symbols, least=2))
    protected = Machine(cpus=4, ram=GIB, cpu="max")
    for on, kinds in ((board, UNPROTECTED), (protected, PROTECTION)):
        for kind, cause in kinds.items():
            judge(kind, 2, lambda result, cause=cause: report_faults(result, 2, cause, symbols), on)
    # Backtraces of signed frames, and a fetch whose fix-up must not be taken for the target of a branch.
    for kind in ("null", "data-exec", "stack"):
        judge(kind, 0, lambda result, kind=kind: report_faults(result, 0, KINDS[kind], symbols, least=5), protected)
    judge("panic", 2, lambda result: panic_faults(result, 2, symbols), protected)
    turns = Machine(cpus=4, ram=GIB)
    tree = edit.with_reserved_memory(turns.tree(""), [(NO_MAP, 0x3000)], "no-map")
    machine.report_cases(tap, [Access(kind, cpu, turns, tree, symbols) for kind in ACCESSES for cpu in range(CORES)],
                         AT_ONCE)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
