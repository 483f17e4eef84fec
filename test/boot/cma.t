#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""CMA areas of a tree: what may be one is handed over and lent, what may not stays reserved; the tables of
fragmentation are in the formats of Linux and agree with buddyinfo to the page."""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
import procfs
from edit import cells32, cells64
from machine import GIB, MIB, RAM_BASE, Machine, ktap

LIMIT = 60
BOARD = Machine(cpus=4, ram=GIB)
TABLES = ["cma", "buddyinfo", "pagetypeinfo", "extfrag", "account"]
FIXED = RAM_BASE + 512 * MIB
UNALIGNED = RAM_BASE + 600 * MIB + 0x1000
POOL = {"compatible": b"shared-dma-pool\0", "reusable": b""}

# The node's name: properties besides POOL.
NODES = {
    "linux,cma": {"size": cells64(64 * MIB), "alignment": cells64(2 * MIB), "linux,cma-default": b"",
                  "alloc-ranges": cells64(RAM_BASE, 512 * MIB)},
    f"pool@{FIXED:x}": {"reg": cells64(FIXED, 16 * MIB)},
    f"odd@{UNALIGNED:x}": {"reg": cells64(UNALIGNED, 8 * MIB)},
}


def tree():
    blob = BOARD.tree()
    blob = edit.add_node(blob, "/", "reserved-memory",
                         {"#address-cells": cells32(2), "#size-cells": cells32(2), "ranges": b""})
    for name, properties in NODES.items():
        blob = edit.add_node(blob, "/reserved-memory", name, {**POOL, **properties})
    return blob


def answers(log):
    """{what was typed: lines printed after it}"""
    table = {}
    for part in log.split("memstage> ")[1:]:
        line, _, output = part.partition("\n")
        table[line.strip()] = [text for text in output.splitlines() if text.strip()]
    return table


def areas_faults(lines):
    areas = {words[0]: words[1:] for words in map(str.split, lines[1:])}
    names = ["linux,cma", f"pool@{FIXED:x}"]
    if sorted(areas) != sorted(names):
        return [f"the areas are {sorted(areas)}, {names} is right"]
    faults = []
    for name, size in zip(names, (64 * MIB, 16 * MIB)):
        _, _, base, pages, used, free, lent = areas[name][:7]
        if int(pages) * 4096 != size or int(used) or int(free) + int(lent) != int(pages) or int(base, 0) % (4 * MIB):
            faults.append(f"{name}: {areas[name]}")
    faults += ["linux,cma is not the default"] * (areas["linux,cma"][-1] != "default")
    faults += ["pool is not where it is"] * (int(areas[names[1]][2], 0) != FIXED)
    return faults


def types_faults(types, buddy):
    faults = []
    for zone, counts in buddy.items():
        sums = [sum(row[order] for row in types.free[zone].values()) for order in range(len(counts))]
        if sums != counts:
            faults.append(f"{zone}: pagetypeinfo makes {sums}, buddyinfo says {counts}")
    blocks = sum(zone["CMA"] for zone in types.blocks.values())
    if blocks != 80 // 4:
        faults.append(f"{blocks} pageblocks are CMA")
    return faults


def extfrag_faults(lines):
    faults, tables = [], procfs.extfrag(lines)
    for title, low in (("extfrag_index", -1), ("unusable_index", 0)):
        for zone, values in tables[title].items():
            if not all(low <= value <= 1 for value in values):
                faults.append(f"{title}: {zone}: {values}")
            if title == "unusable_index" and sorted(values) != values:
                faults.append(f"{title}: {zone} falls with the order: {values}")
    return faults


def main():
    tap = ktap.Tap()
    typed = "".join(line + "\n" for line in [*TABLES, "test contig", *TABLES, "poweroff"])
    result = BOARD.boot_tree(tree(), limit=LIMIT, stdin=typed.encode())
    said = answers(result.log)
    machine.report(tap, "a machine with areas boots, and ends with status 0", machine.status_faults(result, 0),
                   result.log)
    patterns = [rf"cma: /reserved-memory/odd@{UNALIGNED:x} .*: base and size are no multiples of a pageblock",
                r"account: +67108864 bytes handed over, CMA: /reserved-memory/linux,cma",
                rf"account: +8388608 bytes reserved: /reserved-memory/odd@{UNALIGNED:x}", r": balanced$"]
    machine.report(tap, "what may be an area is handed over, the other stays reserved",
                   [f"there is no /{pattern}/" for pattern in patterns if not re.search(pattern, result.log, re.M)],
                   result.log)
    machine.report(tap, "the table of areas", areas_faults(said.get("cma", [])), result.log)
    try:
        types, buddy = procfs.pagetypeinfo(said["pagetypeinfo"]), procfs.buddyinfo(said["buddyinfo"])
        faults = types_faults(types, buddy)
        frag_faults = extfrag_faults(said["extfrag"])
    except (KeyError, ValueError) as error:
        faults = frag_faults = [repr(error)]
    machine.report(tap, "pagetypeinfo has the format of Linux and agrees with buddyinfo", faults, result.log)
    machine.report(tap, "the fragmentation indices", frag_faults, result.log)
    judged = ktap.judge(ktap.Console(said.get("test contig", []), 0))
    skipped = [line for line in said.get("test contig", []) if "SKIP" in line]
    machine.report(tap, "the suite of ranges, with an area",
                   judged.faults + skipped + ["no results"] * (not judged.results) +
                   [f"not ok: {each.name}" for each in judged.results if not each.passed], result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
