#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tables of memory agree with each other, to the page: meminfo, of each node too, buddyinfo, pagetypeinfo,
zoneinfo, vmstat, numa, numastat, slabinfo, badpages, page_owner and account, on machines with 1, 2 and 8 nodes, with a
CMA area, with guarded caches and where owners are tracked, when idle and after a load in which pages were taken out of
use.

1. What is free in one table is free in all: MemFree, the sum of buddyinfo's blocks, zoneinfo's "pages free" and
   nr_free_pages, vmstat's nr_free_pages, the nodes' MemFree, numa's MB rounded down, and account's. Pageblocks whose
   struct pages are not written yet are blocks of the largest order in buddyinfo. pagetypeinfo has the blocks of
   buddyinfo.
2. What is managed is MemTotal, what the CPUs' caches hold is PerCpuPages, what slabs take is Slab: SReclaimable what
   those of kmalloc-rcl-* take, which the slub suite leaves behind, SUnreclaim what all others do; no
   kmalloc() that is too large for a slab is left.
3. Pages taken - pages given back = managed - free - bad; hit + away = local + other = taken; miss = foreign.
4. Memmap is what the account's "memmap" is; what of it was touched is that of the pageblocks that are not deferred, and
   of a stock; and it is more after a load.
5. What is out of use is HardwareCorrupted, zoneinfo's bad, badpages' and account's; and what page_owner has in use is
   what is allocated.
"""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
import procfs
from bootlog import BootLog
from machine import GIB, MIB, Machine, ktap

PROMPT = "memstage> "
PAGE_KIB = 4
BLOCK_MEMMAP_KIB = 64
DEFERRED_STOCK = 8  # <mm/mmzone.h>
AT_ONCE = 2
LIMIT = 90


def board(**what):
    return Machine(threads=True, **what)


MACHINES = {
    "1 node": board(cpus=4, ram=4 * GIB),
    "1 node, movable zone": board(cpus=4, ram=512 * MIB),
    "1 node, CMA area": board(cpus=2, ram=512 * MIB),
    "2 nodes": board(cpus=4, ram=GIB, nodes=[640 * MIB, 384 * MIB], distance=lambda a, b: 21),
    "8 nodes": board(cpus=8, ram=GIB, nodes=[128 * MIB] * 8, distance=lambda a, b: 12 + 4 * abs(a - b)),
    "1 node, guarded caches": board(cpus=4, ram=GIB),
    "2 nodes, guarded caches": board(cpus=4, ram=GIB, nodes=[640 * MIB, 384 * MIB], distance=lambda a, b: 21),
    "2 nodes, owners": board(cpus=2, ram=512 * MIB, nodes=[256 * MIB] * 2, distance=lambda a, b: 21),
}
ARGS = {"1 node, movable zone": "movablecore=128M", "1 node, CMA area": "cma=64M",
        "1 node, guarded caches": "slub_debug=FZPU", "2 nodes, guarded caches": "slub_debug=FZPU"}
DEBUG_IMAGE = machine.IMAGE.parents[1] / "debug/Image"
# Two neighbours and one alone, of the same zone, which are free, and one in the image, which is reserved.
BAD = ["badpages 0x5a100", "badpages 0x5a101", "badpages 0x5a105", "badpages 0x40200"]
LOADS = [*BAD, "test slub", "stress 2"]


def commands(nodes, owners):
    tables = ["meminfo", "buddyinfo", "pagetypeinfo", "zoneinfo", "vmstat", "numa", "numastat", "slabinfo", "badpages"]
    tables += ["page_owner"] * owners
    return tables + [f"meminfo {nid}" for nid in range(nodes)] + ["account"]


class Tables:
    """All tables of one moment, parsed: zones are those of zoneinfo."""

    def __init__(self, answers, nodes, owners):
        self.meminfo = procfs.meminfo(answers["meminfo"])
        self.buddy = procfs.buddyinfo(answers["buddyinfo"])
        self.types = procfs.pagetypeinfo(answers["pagetypeinfo"])
        self.zones = procfs.zone_counters(answers["zoneinfo"])
        self.bad = procfs.badpages(answers["badpages"])
        self.tracked = owners
        self.owned = procfs.page_owner(answers["page_owner"]) if owners else []
        self.vmstat = procfs.vmstat(answers["vmstat"])
        self.numa, self.distances = procfs.numa(answers["numa"])
        self.numastat = procfs.numastat(answers["numastat"])
        self.slabs = procfs.slabinfo(answers["slabinfo"])
        self.nodes = {nid: procfs.node_meminfo(answers[f"meminfo {nid}"]) for nid in range(nodes)}
        log = BootLog("\n".join(answers["account"]))
        if len(log.accounts) != 1:
            raise ValueError(f"account printed {len(log.accounts)} accounts")
        self.account = log.accounts[0]
        self.memmap = sum(int(size) for size in re.findall(r"account: +(\d+) bytes metadata: memmap\n",
                                                           "\n".join(answers["account"])))

    def total(self, field, nid=None):
        return sum(zone[field] for name, zone in self.zones.items() if nid in (None, name[0]))


class Facts:
    def __init__(self):
        self.faults = []

    def equal(self, what, *values):
        if any(value != values[0] for value in values):
            self.faults.append(f"{what}: {', '.join(str(value) for value in values)}")

    def hold(self, what, condition):
        if not condition:
            self.faults.append(what)


def free_pages(facts, tables):
    for name, zone in tables.zones.items():
        account = next((one.parts for one in tables.account.zones if (one.nid, one.zone) == name), {})
        facts.equal(f"{name}: free in zoneinfo, nr_free_pages, buddyinfo, account", zone["free"], zone["nr_free_pages"],
                    sum(blocks << order for order, blocks in enumerate(tables.buddy[name])), account.get("free"))
        facts.equal(f"{name}: per-CPU in zoneinfo, account", zone["count"], account.get("per-CPU"))
        facts.equal(f"{name}: managed, free + per-CPU + allocated + bad", zone["managed"],
                    sum(account.get(part, 0) for part in ("free", "per-CPU", "allocated", "bad")))
        facts.equal(f"{name}: bad in zoneinfo, account, badpages", zone["bad"], account.get("bad"),
                    tables.bad.zones.get(name, (0, 0))[0])
        facts.equal(f"{name}: deferred is a number of pageblocks", zone["deferred"] % 1024, 0)
        facts.hold(f"{name}: fewer blocks of the largest order than deferred ones",
                   tables.buddy[name][10] >= zone["deferred"] // 1024)
    facts.equal("MemFree, zoneinfo, vmstat, nodes", tables.meminfo["MemFree"], tables.total("free") * PAGE_KIB,
                tables.vmstat["nr_free_pages"] * PAGE_KIB, sum(node["MemFree"] for node in tables.nodes.values()))
    facts.equal("PerCpuPages, zoneinfo, vmstat, nodes", tables.meminfo["PerCpuPages"], tables.total("count") * PAGE_KIB,
                tables.vmstat["nr_pcp_pages"] * PAGE_KIB,
                sum(node["PerCpuPages"] for node in tables.nodes.values()))
    facts.equal("CmaTotal, zoneinfo", tables.meminfo["CmaTotal"], tables.total("cma") * PAGE_KIB)
    facts.equal("CmaFree, zoneinfo, vmstat", tables.meminfo["CmaFree"], tables.total("nr_free_cma") * PAGE_KIB,
                tables.vmstat["nr_free_cma"] * PAGE_KIB)
    facts.equal("deferred in zoneinfo, vmstat", tables.total("deferred"), tables.vmstat["nr_deferred_pages"])


def groups(facts, tables):
    """pagetypeinfo: each order's blocks of all types, whole pageblocks, CMA's of the areas alone."""
    facts.equal("zones in pagetypeinfo, buddyinfo", sorted(tables.types.free), sorted(tables.buddy),
                sorted(tables.types.blocks))
    for name, types in tables.types.free.items():
        facts.equal(f"{name}: blocks in pagetypeinfo, buddyinfo", [sum(counts) for counts in zip(*types.values())],
                    tables.buddy[name])
        facts.equal(f"{name}: free CMA in pagetypeinfo, zoneinfo",
                    sum(blocks << order for order, blocks in enumerate(types["CMA"])),
                    tables.zones[name]["nr_free_cma"])
        blocks = tables.types.blocks[name]
        facts.equal(f"{name}: CMA pageblocks, zoneinfo", blocks["CMA"] * 1024, tables.zones[name]["cma"])
        facts.hold(f"{name}: {sum(blocks.values())} pageblocks for {tables.zones[name]['present']} pages",
                   sum(blocks.values()) * 1024 <= tables.zones[name]["spanned"] + 2048)


def bad_pages(facts, tables):
    facts.equal("bad pages: HardwareCorrupted, zoneinfo, badpages' total, its pages",
                tables.meminfo["HardwareCorrupted"] // PAGE_KIB, tables.total("bad"), tables.bad.total,
                len(tables.bad.pfns))


def owners(facts, tables):
    allocated = sum(zone.parts["allocated"] for zone in tables.account.zones)
    facts.equal("pages in use: page_owner, account", sum(1 << block.order for block in tables.owned), allocated)
    facts.hold("a block is twice in page_owner", len({block.pfn[0] for block in tables.owned}) == len(tables.owned))


def sizes(facts, tables, board):
    memory = tables.meminfo
    facts.equal("MemTotal, managed, nodes", memory["MemTotal"], tables.total("managed") * PAGE_KIB,
                sum(node["MemTotal"] for node in tables.nodes.values()))
    for field in ("Reserved", "Metadata"):
        facts.equal(f"{field} of meminfo, zoneinfo, nodes", memory[field], tables.total(field.lower()) * PAGE_KIB,
                    sum(node[field] for node in tables.nodes.values()))
    facts.equal("total, reserved and metadata make the RAM", board.ram // 1024,
                memory["MemTotal"] + memory["Reserved"] + memory["Metadata"])
    facts.hold("MemAvailable is more than there can be",
               memory["MemAvailable"] <= memory["MemFree"] + memory["PerCpuPages"])
    for nid, node in tables.nodes.items():
        facts.equal(f"node {nid}: its number", node["nid"], nid)
        facts.equal(f"node {nid}: MB in numa", tables.numa[nid].size, node["MemTotal"] // 1024)
        facts.equal(f"node {nid}: free MB in numa", tables.numa[nid].free, node["MemFree"] // 1024)
        facts.equal(f"node {nid}: MemTotal, zoneinfo", node["MemTotal"], tables.total("managed", nid) * PAGE_KIB)
        facts.equal(f"node {nid}: MemFree, zoneinfo", node["MemFree"], tables.total("free", nid) * PAGE_KIB)
        facts.equal(f"node {nid}: MemUsed", node["MemUsed"], node["MemTotal"] - node["MemFree"])
    facts.equal("CPUs of all nodes", sorted(cpu for node in tables.numa.values() for cpu in node.cpus),
                list(range(board.cpus)))
    facts.hold("a zone without a pageset for each CPU",
               all(zone["cpus"] == board.cpus for zone in tables.zones.values()))
    for (a, b), value in tables.distances.items():
        facts.equal(f"distance from {a} to {b}", value, 10 if a == b else board.distance(a, b))


def slabs(facts, tables, guarded):
    pages = {True: 0, False: 0}
    for slab in tables.slabs:
        pages[slab.name.startswith("kmalloc-rcl-")] += slab.slabs * slab.pages_per_slab
        facts.hold(f"{slab.name}: {slab.active} of {slab.objects} objects are in use", slab.active <= slab.objects)
        facts.equal(f"{slab.name}: objects, slabs of {slab.per_slab}", slab.objects, slab.slabs * slab.per_slab)
    for field, counter, reclaimable in (("SReclaimable", "nr_slab_reclaimable", True),
                                        ("SUnreclaim", "nr_slab_unreclaimable", False)):
        facts.equal(f"{field}, slabinfo, zoneinfo, vmstat, nodes", tables.meminfo[field], pages[reclaimable] * PAGE_KIB,
                    tables.total(counter) * PAGE_KIB, tables.vmstat[counter] * PAGE_KIB,
                    sum(node[field] for node in tables.nodes.values()))
        for nid, node in tables.nodes.items():
            facts.equal(f"node {nid}: {field}, zoneinfo", node[field], tables.total(counter, nid) * PAGE_KIB)
    for name, memory in [("all", tables.meminfo), *tables.nodes.items()]:
        facts.equal(f"node {name}: Slab, its parts", memory["Slab"], memory["SReclaimable"] + memory["SUnreclaim"])
        facts.equal(f"node {name}: KReclaimable, SReclaimable", memory["KReclaimable"], memory["SReclaimable"])
    cell = next(slab.size for slab in tables.slabs if slab.name == "kmalloc-64")
    facts.hold(f"an object of kmalloc-64 takes {cell} bytes", (cell > 64) == guarded)


def counters(facts, tables):
    vmstat = tables.vmstat
    for name, zone in tables.zones.items():
        facts.equal(f"{name}: taken - given back, managed - free - bad", zone["pgalloc"] - zone["pgfree"],
                    zone["managed"] - zone["free"] - zone["bad"])
        facts.equal(f"{name}: taken, hit + away, local + other", zone["pgalloc"],
                    zone["numa_hit"] + zone["pgalloc_away"], zone["numa_local"] + zone["numa_other"])
    for kind in ("dma", "dma32", "normal", "movable"):
        facts.equal(f"pgalloc_{kind} in vmstat, zoneinfo", vmstat[f"pgalloc_{kind}"],
                    sum(zone["pgalloc"] for name, zone in tables.zones.items() if name[1].lower() == kind))
    facts.equal("pgfree in vmstat, zoneinfo", vmstat["pgfree"], tables.total("pgfree"))
    facts.equal("numa_miss, numa_foreign", vmstat["numa_miss"], vmstat["numa_foreign"])
    for row, field in (("numa_hit",) * 2, ("numa_miss",) * 2, ("numa_foreign",) * 2, ("local_node", "numa_local"),
                       ("other_node", "numa_other")):
        facts.equal(f"{row} in numastat, vmstat, zoneinfo", sum(node[row] for node in tables.numastat.values()),
                    vmstat[field], tables.total(field))
        for nid, node in tables.numastat.items():
            facts.equal(f"node {nid}: {row} in numastat, zoneinfo", node[row], tables.total(field, nid))


def memmap(facts, tables):
    memory = tables.meminfo
    facts.equal("Memmap, account's", memory["Memmap"], tables.memmap // 1024)
    facts.hold(f"MemmapTouched, {memory['MemmapTouched']} kB, is no number of pageblocks' worth",
               memory["MemmapTouched"] % BLOCK_MEMMAP_KIB == 0)
    # All that is not deferred has been written; of what is, no more than each zone's stock and the block being written.
    touched, deferred = memory["MemmapTouched"] // BLOCK_MEMMAP_KIB, tables.total("deferred") // 1024
    least = -(-(tables.total("managed") - tables.total("deferred")) // 1024)
    most = memory["Memmap"] // BLOCK_MEMMAP_KIB - deferred + (DEFERRED_STOCK + 1) * len(tables.zones)
    facts.hold(f"{touched} pageblocks touched, between {least} and {most} is right", least <= touched <= most)


def agree(tables, board, guarded):
    facts = Facts()
    free_pages(facts, tables)
    groups(facts, tables)
    bad_pages(facts, tables)
    if tables.tracked:
        owners(facts, tables)
    sizes(facts, tables, board)
    slabs(facts, tables, guarded)
    counters(facts, tables)
    memmap(facts, tables)
    facts.equal("account", tables.account.verdict, "balanced")
    return facts.faults


def changed(before, after):
    """What a load must have left in the counters."""
    facts = Facts()
    for field in ("pgfree", "pcp_refill", "pcp_drain", "numa_hit", "numa_local"):
        facts.hold(f"{field} is no more after a load", after.vmstat[field] > before.vmstat[field])
    facts.hold("MemmapTouched is no more after a load",
               after.meminfo["MemmapTouched"] > before.meminfo["MemmapTouched"])
    facts.hold("there is no reclaimable slab after a load", after.meminfo["SReclaimable"] > 0)
    facts.equal("nothing is out of use at first", before.bad.total, 0)
    facts.hold(f"out of use are {sorted(after.bad.pfns)}", {0x5a100, 0x5a101, 0x5a105} <= after.bad.pfns)
    return facts.faults


class Case:
    def __init__(self, name):
        self.name, self.board = name, MACHINES[name]
        self.nodes = max(len(self.board.nodes), 1)
        self.owners = "owners" in name

    def boot(self):
        tables = commands(self.nodes, self.owners)
        typed = "\n".join([*tables, *LOADS, *tables, "poweroff"]) + "\n"
        self.result = self.board.boot(ARGS.get(self.name, ""), typed.encode(), LIMIT,
                                      DEBUG_IMAGE if self.owners else machine.IMAGE)
        parts = [part.partition("\n") for part in self.result.log.split(PROMPT)[1:]]
        answers = [(typed, [line for line in output.splitlines() if line]) for typed, _, output in parts]
        at = next((i for i, (line, _) in enumerate(answers) if line == LOADS[0]), len(answers))
        end = at + len(LOADS)
        self.idle, self.load, self.loaded = dict(answers[:at]), answers[at:end], dict(answers[end:])
        return self

    def report(self, tap):
        machine.report(tap, f"{self.name}: the session ends with status 0", machine.status_faults(self.result, 0),
                       self.result.log)
        said = "\n".join(line for _, lines in self.load for line in lines)
        machine.report(tap, f"{self.name}: the load finds memory whole",
                       [f"there is no /{words}/" for words in (r"\b0 corruptions", "is accounted for",
                                                               "badpages: pfn 0x40200 is reserved")
                        if not re.search(words, said)], said)
        moments = {}
        for when, answers in (("idle", self.idle), ("after a load", self.loaded)):
            try:
                moments[when] = Tables(answers, self.nodes, self.owners)
                faults = agree(moments[when], self.board, "guarded" in self.name)
                faults += ["there is no movable zone"] * (("movable" in self.name) !=
                                                          ((0, "Movable") in moments[when].zones))
            except (ValueError, KeyError, TypeError, IndexError) as error:
                faults = [f"{type(error).__name__}: {error}"]
            machine.report(tap, f"{self.name}, {when}: the tables agree", faults)
        if len(moments) == 2:
            machine.report(tap, f"{self.name}: a load is counted", changed(*moments.values()))
        tap.note(f"  {self.result.seconds:.1f} s")


def main():
    tap = ktap.Tap()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case in pool.map(Case.boot, [Case(name) for name in MACHINES]):
            case.report(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
