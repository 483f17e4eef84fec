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
    """{field: kB}; the name takes 16 columns, the number 8 or more; with a longer name, both together 24."""
    table = {}
    for line in lines:
        match = matched(r"(\w+(?:\(\w+\))?): +(\d+) kB", line)
        width = 8 - max(len(match[1]) - 15, 0)
        if line != f"{match[1] + ':':16}{match[2]:>{width}} kB":
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


def node_meminfo(lines):
    """{field: kB}, as /sys/devices/system/node/nodeN/meminfo; "nid" is the node."""
    table = {}
    for line in lines:
        match = matched(r"Node (\d+) (\w+): +(\d+) kB", line)
        if line != f"Node {match[1]} {match[2] + ':':16}{match[3]:>8} kB":
            raise ValueError(f"not in columns 16 and 8: {line!r}")
        if table.setdefault("nid", int(match[1])) != int(match[1]):
            raise ValueError(f"of another node: {line!r}")
        table[match[2]] = int(match[3])
    return table


BadPages = namedtuple("BadPages", "zones pfns total")


def badpages(lines):
    """zones: {(node, zone): (out of use, waiting)}, those that have any; pfns: {pfn}; total: as the last line says."""
    zones, pfns = {}, set()
    for line in lines[:-1]:
        match = re.fullmatch(r"Node (\d+), zone +(\w+): (\d+) bad, (\d+) in use and waiting", line)
        if match:
            zones[int(match[1]), match[2]] = int(match[3]), int(match[4])
            continue
        first, last = matched(r"  pfn 0x([0-9a-f]+)(?:-0x([0-9a-f]+))?", line).groups()
        pfns |= set(range(int(first, 16), int(last or first, 16) + 1))
    return BadPages(zones, pfns, int(matched(r"(\d+) pages are out of use", lines[-1])[1]))


Owned = namedtuple("Owned", "order pfn trace")


def page_owner(lines):
    """[Owned] of /sys/kernel/debug/page_owner, one for each block in use; blank lines between them are gone."""
    table = []
    for line in lines:
        match = re.fullmatch(r"Page allocated via order (\d+), mask 0x[0-9a-f]+\([A-Z0-9_|x]+\), pid 0, tgid 0 "
                             r"\(cpu/\d+\), ts \d+ ns", line)
        if match:
            table.append(Owned(int(match[1]), [], []))
            continue
        match = re.fullmatch(r"PFN 0x([0-9a-f]+) type (\w+) Block \d+ type (\w+) Flags 0x[0-9a-f]+", line)
        if match:
            if not {match[2], match[3]} <= set(MIGRATETYPES):
                raise ValueError(f"not types of Linux: {line!r}")
            table[-1].pfn.append(int(match[1], 16))
        else:
            table[-1].trace.append(matched(r" (\S+)", line)[1])
    for block in table:
        if len(block.pfn) != 1 or not block.trace:
            raise ValueError(f"a block without its PFN or trace: {block}")
    return table


def vmstat(lines):
    """{name: number}"""
    table = {}
    for line in lines:
        match = matched(r"(\w+) (\d+)", line)
        if match[1] in table:
            raise ValueError(f"twice: {line!r}")
        table[match[1]] = int(match[2])
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


ZONE_COUNTERS = ["nr_free_pages", "nr_free_cma", "nr_slab_reclaimable", "nr_slab_unreclaimable", "numa_hit",
                 "numa_miss", "numa_foreign", "numa_interleave", "numa_local", "numa_other", "pgalloc", "pgfree"]
PAGESET_FIELDS = ["count", "high", "batch"]


def zone_counters(lines):
    """
    {(node, zone): {field: number}} of zones with memory, from zoneinfo: the counters above, the fields of struct zone
    behind "managed", "cpus" with the number of pagesets. The order of the parts is that of Linux.
    """
    table = {}
    text = "\n".join(lines) + "\n"
    for part in re.split(r"(?m)^(?=Node )", text)[1:]:
        match = re.match(r"Node (\d+), zone +(\w+)\n  pages free     (\d+)\n        min      \d+\n"
                         r"        low      \d+\n        high     \d+\n((?:        \w+ +\d+\n)+)"
                         r"        protection: \((\d+(?:, \d+)*)\)\n", part)
        if not match:
            raise ValueError(f"not the head of a zone: {part[:300]!r}")
        fields = {name: int(value) for name, value in re.findall(r"(\w+) +(\d+)\n", match[4])}
        if not fields["present"]:
            continue
        rest = part[match.end():]
        counters, _, rest = rest.partition("  pagesets\n")
        fields.update((name, int(value)) for name, value in re.findall(r"(?m)^      (\S+) +(\d+)$", counters))
        pagesets = re.findall(r"    cpu: (\d+)\n((?:              \w+: +\d+\n)+)  vm stats threshold: \d+\n", rest)
        for _, pageset in pagesets:
            for field in PAGESET_FIELDS:
                fields[field] = fields.get(field, 0) + int(re.search(rf"\b{field}: +(\d+)", pageset)[1])
        if not re.search(r"^  start_pfn: +\d+$", rest, re.MULTILINE):
            raise ValueError("a zone has no start_pfn")
        fields["cpus"], fields["free"] = len(pagesets), int(match[3])
        fields["protection"] = [int(number) for number in match[5].split(", ")]
        for field in ZONE_COUNTERS + PAGESET_FIELDS:
            if field not in fields:
                raise ValueError(f"zone {match[2]} of node {match[1]} has no {field}")
        table[int(match[1]), match[2]] = fields
    return table


Node = namedtuple("Node", "cpus size free")


def numa(lines):
    """What `numactl --hardware` prints: {nid: Node}, sizes in MB; {(from, to): distance}."""
    nodes, text = {}, "\n".join(lines) + "\n"
    head, _, distances = text.partition("node distances:\n")
    available = matched(r"available: (\d+) nodes \(([\d,-]+)\)\n((?:node .*\n)+)", head)
    node = r"node (\d+) cpus:((?: \d+)*)\nnode \1 size: (\d+) MB\nnode \1 free: (\d+) MB\n"
    for nid, cpus, size, free in re.findall(node, available[3]):
        nodes[int(nid)] = Node([int(cpu) for cpu in cpus.split()], int(size), int(free))
    listed = [nid for run in available[2].split(",") for nid in
              range(int(run.split("-")[0]), int(run.split("-")[-1]) + 1)]
    if listed != sorted(nodes) or len(nodes) != int(available[1]) or available[3].count("\n") != 3 * len(nodes):
        raise ValueError(f"not the nodes that are available: {head!r}")
    rows = [[int(number) for number in re.findall(r"\d+", row)] for row in distances.splitlines()]
    if rows[0] != listed or [row[0] for row in rows[1:]] != listed:
        raise ValueError(f"not the distances of these nodes: {distances!r}")
    return nodes, {(row[0], to): value for row in rows[1:] for to, value in zip(listed, row[1:], strict=True)}


NUMASTAT_ROWS = ["numa_hit", "numa_miss", "numa_foreign", "local_node", "other_node"]


def numastat(lines):
    """{nid: {row: pages}}, in the columns of 16 of the tool `numastat`."""
    cells = [[line[start:start + 16].strip() for start in range(0, len(line), 16)] for line in lines]
    nodes = [int(matched(r"node(\d+)", name)[1]) for name in cells[0][1:]]
    if [row[0] for row in cells[1:]] != NUMASTAT_ROWS:
        raise ValueError(f"its rows are {[row[0] for row in cells[1:]]}")
    return {nid: {row[0]: int(row[1 + i]) for row in cells[1:]} for i, nid in enumerate(nodes)}


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
