# SPDX-License-Identifier: BSD-2-Clause
"""
The tables of the prompt, read in the formats that Linux's /proc gives (proc(5)): each function takes the lines of one
table and returns it as data, and raises ValueError at a line that is not in the format.
"""

import re
from collections import namedtuple

from bootlog import STAMP

Slab = namedtuple("Slab", "name active objects size per_slab pages_per_slab active_slabs slabs")
Resource = namedtuple("Resource", "depth start end name")
Region = namedtuple("Region", "start end")


def matched(pattern, line):
    match = re.fullmatch(pattern, line)
    if not match:
        raise ValueError(f"not /{pattern}/: {line!r}")
    return match


def meminfo(lines):
    """{field: kB}; the name takes 16 columns, the number 8 or more."""
    table = {}
    for line in lines:
        match = matched(r"(\w+(?:\(\w+\))?): +(\d+) kB", line)
        if line != f"{match[1] + ':':16}{match[2]:>8} kB":
            raise ValueError(f"not in columns 16 and 8: {line!r}")
        table[match[1]] = int(match[2])
    return table


def buddyinfo(lines):
    """{(node, zone): [free blocks of each order]}"""
    table = {}
    for line in lines:
        match = matched(r"Node (\d+), zone +(\w+)((?: +\d+){11}) ?", line)
        table[int(match[1]), match[2]] = [int(count) for count in match[3].split()]
    return table


PageTypes = namedtuple("PageTypes", "free blocks")
MIGRATETYPES = ["Unmovable", "Movable", "Reclaimable", "HighAtomic", "CMA", "Isolate"]


def pagetypeinfo(lines):
    """free: {(node, zone): {type: [free blocks of each order]}}; blocks: {(node, zone): {type: pageblocks}}"""
    free, blocks = {}, {}
    matched(r"Page block order: \d+", lines[0])
    matched(r"Pages per block:  \d+", lines[1])
    matched(r"Free pages count per migrate type at order " + "".join(rf" {order:6}" for order in range(11)) + " ",
            lines[2])
    for number, line in enumerate(lines[3:], 3):
        match = re.fullmatch(r"Node +(\d+), zone +(\w+), type +(\w+)((?: +\d+){11}) ", line)
        if not match:
            break
        free.setdefault((int(match[1]), match[2]), {})[match[3]] = [int(count) for count in match[4].split()]
    if [list(zone) for zone in free.values()] != [MIGRATETYPES] * len(free):
        raise ValueError("the types are not those of Linux")
    matched("Number of blocks type  " + "".join(f"{name:>12} " for name in MIGRATETYPES), lines[number])
    for line in lines[number + 1:]:
        match = matched(r"Node (\d+), zone +(\w+)((?: +\d+){6}) ", line)
        blocks[int(match[1]), match[2]] = dict(zip(MIGRATETYPES, map(int, match[3].split())))
    return PageTypes(free, blocks)


def extfrag(lines):
    """{"extfrag_index" or "unusable_index": {(node, zone): [index of each order]}}, two files of Linux's debugfs"""
    tables, table = {}, None
    for line in lines:
        if re.fullmatch(r"\w+_index:", line):
            table = tables.setdefault(line[:-1], {})
            continue
        match = matched(r"Node (\d+), zone +(\w+)((?: -?\d\.\d{3}){11}) ", line)
        table[int(match[1]), match[2]] = [float(index) for index in match[3].split()]
    return tables


ZONE_FIELDS = ["pages free", "min", "low", "high", "spanned", "present", "managed"]


def zoneinfo(lines):
    """{(node, zone): {field: number}} for the fields above; "count" is the sum of all CPUs' page caches."""
    table, zone = {}, None
    for line in lines:
        match = re.fullmatch(r"Node (\d+), zone +(\w+)", line)
        if match:
            zone = table.setdefault((int(match[1]), match[2]), {"count": 0})
            continue
        if zone is None:
            raise ValueError(f"before the first zone: {line!r}")
        match = re.fullmatch(r" {2,}(pages free|\w+):? +(\d+)", line)
        if match and match[1] in ZONE_FIELDS:
            zone.setdefault(match[1], int(match[2]))  # a "high" comes again for each CPU
        elif match and match[1] == "count":
            zone["count"] += int(match[2])
    for name, fields in table.items():
        for field in ZONE_FIELDS:
            if field not in fields:
                raise ValueError(f"zone {name} has no {field}")
    return table


def slabinfo(lines):
    """[Slab]"""
    matched(r"slabinfo - version: 2\.1", lines[0])
    matched(r"# name +<active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
            r"<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>", lines[1])
    table = []
    for line in lines[2:]:
        match = matched(r"(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +\d+ +\d+ +\d+ "
                        r": slabdata +(\d+) +(\d+) +\d+", line)
        table.append(Slab(match[1], *(int(number) for number in match.groups()[1:])))
    return table


def iomem(lines):
    """[Resource], depth 0 for the outermost; each inner one lies within the outer one before it."""
    table = []
    for line in lines:
        match = matched(r"((?:  )*)([0-9a-f]{8,16})-([0-9a-f]{8,16}) : (.+)", line)
        table.append(Resource(len(match[1]) // 2, int(match[2], 16), int(match[3], 16) + 1, match[4]))
    return table


MEMBLOCK_REGION = re.compile(
    r" *(memory|reserved)\[(\d+)\] \[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\], 0x([0-9a-f]+) bytes.*")


def memblock(lines):
    """
    {"memory": [Region], "reserved": [Region]}. Not in /proc: it is as Linux prints it at boot with memblock=debug, so
    the lines have time stamps.
    """
    table = {"memory": [], "reserved": []}
    for line in lines:
        match = MEMBLOCK_REGION.fullmatch(STAMP.sub("", line))
        if not match:
            continue
        region = Region(int(match[3], 16), int(match[4], 16) + 1)
        if int(match[2]) != len(table[match[1]]) or int(match[5], 16) != region.end - region.start:
            raise ValueError(f"its number or size is wrong: {line!r}")
        table[match[1]].append(region)
    if not table["memory"] or not table["reserved"]:
        raise ValueError("an array has no regions")
    return table
