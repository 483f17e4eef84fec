#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every device tree of Debian's arm64 kernel package, and of dts/boards: what discovery makes of it, on the host under
sanitizers, is what an independent reader (tree.py) makes of it.

1. Both print one canonical text per tree (its form: test/host/show_trees.c), and the texts must be equal.
2. Where a board expects its boot loader to fill in a bank, the tree gets one of 2 GiB first, at its own address if it
   has one.
3. A reservation that names only a size may be placed anywhere that is right; it is judged by the rules of the binding,
   and its place is then taken over into our text.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
from machine import GIB, MIB, ROOT, ktap
from tree import PAGE, Tree

HOST = ROOT / os.environ.get("BUILD", "build") / "host"
READER = HOST / "asan/show_trees"
TREES = ROOT / "build/deps/usr/lib"
OURS = HOST / "dts/boards"
AT_ONCE = 2
LIMIT = 120  # seconds for all trees
FEWEST = 300  # trees that the package has at the least

PHYS_LIMIT = 1 << 38  # of the host port
BANK_BASE, BANK_SIZE = 2 * GIB, 2 * GIB
IMAGE_OFFSET, IMAGE_SIZE, TREE_OFFSET = 2 * MIB, MIB, 8 * MIB


def page_up(number):
    return -(-number // PAGE) * PAGE


def filled(blob):
    """@blob, with a bank in its memory node if it has none that can be used."""
    def change(fdt):
        name = path.split("/")[1]
        at = fdt.path_offset(path) if exists else fdt.add_subnode(0, name)
        fdt.setprop(at, "device_type", b"memory\0")
        fdt.setprop(at, "reg", base.to_bytes(cells[0] * 4, "big") + BANK_SIZE.to_bytes(cells[1] * 4, "big"))

    tree = Tree(blob)
    if tree.memory():
        return blob
    cells = tree.cells("/")
    nodes = [path for path in tree.children("/") if path.split("@")[0] == "/memory"]
    exists, path = bool(nodes), (nodes + [f"/memory@{BANK_BASE:x}"])[0]
    unit = path.partition("@")[2]
    base = int(unit, 16) if unit else BANK_BASE
    return edit.edited(blob, change)


class Case:
    """One tree: its file (as both readers get it), where image and tree lie, and what each reader has to say."""

    def __init__(self, path, folder):
        self.name = "/".join(path.parts[-2:])
        self.vendor = self.name.split("/")[0]
        original = path.read_bytes()
        blob = filled(original)
        self.was_filled = blob is not original
        self.file = folder / self.name.replace("/", "_") if self.was_filled else path
        if self.was_filled:
            self.file.write_bytes(blob)
        self.tree = Tree(blob)
        self.banks = [bank._replace(size=min(bank.size, PHYS_LIMIT - bank.base)) for bank in self.tree.memory()
                      if bank.base < PHYS_LIMIT]
        start = page_up(self.banks[0].base) if self.banks else 0
        self.image, self.blob = start + IMAGE_OFFSET, start + TREE_OFFSET
        self.said = []

    def job(self):
        return f"{self.image:x} {self.blob:x} {self.file}\n"

    def faults(self):
        static, nomap = self.static(), {place.path for place in self.tree.reserved_memory() if place.nomap}
        dynamic = {item.path for item in self.tree.reserved_dynamic()}
        claims = sorted(line for line in self.said if line.split()[0] in ("memory", "reserved", "no-map")
                        and line.split(" ", 2)[2] not in dynamic | {"partial page"})
        right = sorted([f"memory {span(bank.base, bank.base + bank.size)} {bank.path}" for bank in self.banks] +
                       [f"{'no-map' if who in nomap else 'reserved'} {span(base, end)} {who}"
                        for base, end, who in static])
        placed, faults = self.placed(static)
        faults += difference(right, claims)
        faults += difference(self.map(static, nomap, placed), [line for line in self.said if line.startswith("ram ")])
        rest = [line for line in self.said if line.split()[0] in ("dma", "ended")]
        return faults + difference([f"dma {self.tree.dma_limit() or 0:#x}", "ended 0"], rest)

    def static(self):
        """[(base, end, who)] of what has a place of its own, image and tree left out. The page at 0 is always kept."""
        found = [(base, base + size, f"/memreserve/ {i}") for i, (base, size) in enumerate(self.tree.memreserve())]
        found += [(place.base, place.base + place.size, place.path) for place in self.tree.reserved_memory()]
        found += [(*place, "initrd") for place in [self.tree.initrd()] if place]
        memory = any(bank.base == 0 for bank in self.banks)
        kept = any(base < PAGE for base, *_ in found + self.own())
        return found + [(0, PAGE, "first page")] * (memory and not kept)

    def own(self):
        return [(self.image, self.image + IMAGE_SIZE), (self.blob, self.blob + self.tree.totalsize())]

    def placed(self, static):
        """([(base, end, nomap)] of the reservations that were placed for a node with a size, the faults of that)"""
        said, taken, faults, placed = defaultdict(list), [item[:2] for item in static] + self.own(), [], []
        for line in self.said:
            if line.startswith(("reserved ", "no-map ")):
                kind, place, who = line.split(" ", 2)
                said[who].append((kind == "no-map", *(int(end, 16) for end in place.split("-"))))
        for item in self.tree.reserved_dynamic():
            size, align = page_up(item.size), max(item.align, PAGE)
            places = said[item.path]
            if not places:
                if highest(self.usable(taken), item.ranges, size, align) is not None:
                    faults.append(f"{item.path}: was not placed, though there is room")
                continue
            nomap, base, last = places[0]
            within = any(first <= base and last < first + length for first, length in item.ranges) or not item.ranges
            room = any(first <= base and last < end for first, end in self.usable(taken))
            right = (1, item.nomap, size, 0, True, True)
            if (len(places), nomap, last + 1 - base, base % align, within, room) != right:
                faults.append(f"{item.path}: was placed wrongly, {item}: {places}")
            taken.append((base, last + 1))
            placed.append((base, last + 1, nomap))
        return placed, faults

    def usable(self, taken):
        """[(base, end)] of memory that is not in @taken, by address."""
        return [(base, end) for base, end, _, state in self.pieces([], taken) if state == "free"]

    def pieces(self, nomap, reserved):
        """[[base, end, nid, state]] of memory, by address, neighbours that are alike made one."""
        banks = [(bank.base, bank.base + bank.size, bank.nid) for bank in self.banks]
        ends = sorted({end for item in banks + nomap + reserved for end in item[:2]})
        pieces = []
        for base, end in zip(ends, ends[1:]):
            owner = next((nid for first, last, nid in banks if first <= base < last), None)
            if owner is None:
                continue
            state = ("no-map" if any(first <= base < last for first, last in nomap) else
                     "reserved" if any(first <= base < last for first, last in reserved) else "free")
            if pieces and pieces[-1][1:] == [base, owner, state]:
                pieces[-1][1] = end
            else:
                pieces.append([base, end, owner, state])
        return pieces

    def map(self, static, nomap, placed):
        hidden = [(base, end) for base, end, who in static if who in nomap]
        taken = [(base, end) for base, end, who in static if who not in nomap] + self.own()
        # What is no whole page beside memory that is not mapped, or at the end of RAM, nobody can use.
        for base, end, _, state in self.pieces(hidden, []):
            if state == "free":
                taken += [(base, min(page_up(base), end)), (max(end // PAGE * PAGE, base), end)]
        hidden += [place[:2] for place in placed if place[2]]
        taken += [place[:2] for place in placed if not place[2]]
        return [f"ram {span(base, end)} {state} node {nid}" for base, end, nid, state in self.pieces(hidden, taken)]

    def traits(self):
        """What the tree has, for the statistics."""
        tree = self.tree
        has = {"a bank filled in": self.was_filled, "several banks": len(self.banks) > 1,
               "/memreserve/": tree.memreserve(), "reservations with a place": tree.reserved_memory(),
               "no-map": any(place.nomap for place in tree.reserved_memory()),
               "reservations by size": tree.reserved_dynamic(), "node ids": tree.has_node_ids(),
               "dma-ranges": tree.dma_windows(), "masters that are limited": tree.dma_limit()}
        return [name for name, value in has.items() if value]


def span(base, end):
    return f"{base:#x}-{end - 1:#x}"


def difference(right, said):
    return ([f"not said: {line}" for line in right if line not in said] +
            [f"said: {line}" for line in said if line not in right] or
            ([] if len(right) == len(said) else ["a line is said twice"]))


def highest(free, ranges, size, align):
    """The highest place for @size bytes in free memory and, if there are any, in @ranges; None if there is none."""
    windows = [(base, base + length) for base, length in ranges] or [(0, PHYS_LIMIT)]
    places = [(min(end, last) - size) // align * align for base, end in free for first, last in windows
              if (min(end, last) - size) // align * align >= max(base, first)]
    return max(places, default=None)


def read(cases):
    """Have the core read all trees; each case gets its lines."""
    done = subprocess.run([READER], input="".join(case.job() for case in cases), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=LIMIT, check=False, text=True, errors="replace")
    answers = {}
    for line in done.stdout.splitlines():
        if line.startswith("tree "):
            lines = answers[line[len("tree "):]] = []
        else:
            lines.append(line)
    for case in cases:
        case.said = answers.get(str(case.file), ["not read"])


def main():
    tap = ktap.Tap()
    files = sorted(TREES.glob("linux-image-*/**/*.dtb"))
    tap.ok(len(files) >= FEWEST, f"there are trees to be read: {len(files)}")
    ours = [OURS / f"{path.stem}.dtb" for path in sorted((ROOT / "dts/boards").glob("*.dts"))]
    tap.ok(ours and all(path.exists() for path in ours), f"there are those of dts/boards: {len(ours)}")
    with tempfile.TemporaryDirectory() as folder:
        cases = [Case(path, Path(folder)) for path in files + ours]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(read, [cases[i::AT_ONCE] for i in range(AT_ONCE)]))
    vendors = defaultdict(list)
    for case in cases:
        vendors[case.vendor].append(case)
    for vendor, group in vendors.items():
        faulty = [(case, faults) for case in group if (faults := case.faults())]
        tap.ok(not faulty, f"{vendor}: {len(group)} trees")
        for case, faults in faulty:
            tap.note("\n".join([case.name] + [f"  {fault}" for fault in faults[:20]]))
    counts = Counter(trait for case in cases for trait in case.traits())
    tap.note(f"{len(cases)} trees: " + ", ".join(f"{count} with {trait}" for trait, count in counts.most_common()))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
