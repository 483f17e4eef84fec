#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark: measure, compare with Linux and with the budgets, and keep the results.

	bench.py [GROUP]             measure all, or one group, and print the tables (make bench B=GROUP)
	bench.py --accept            the last run becomes what `make bench-check` compares with (make bench-accept)
	bench.py --text FILE         the tables of a results file
	bench.py --markdown FILE     the same for README.md

1. All is: every row on each CPU model, on two nodes, some rows with the hardening level basic, the boot on machines of
   128 MiB to 255 GiB with one node, of 1 to 255 GiB with eight, the size of the core, and a profile of each gated row.
   Only that makes a results file.
2. GROUP is one of the image's (bench.c); "boot" means all those machines. Nothing is written then.
3. Whatever goes wrong is one line, and no file.
"""

import argparse
import os
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import results as data
import table
from imagerun import CPUS, GIB, MIB, ROOT, Failure, Progress, board, image, measure
from symbols import profile

BYTES = {"128m": 128 * MIB, "1g": 1 * GIB, "4g": 4 * GIB, "16g": 16 * GIB, "64g": 64 * GIB, "255g": 255 * GIB}
STANDARD = "4g"  # what the board of all other rows has
NODES = {"": 1, "_8n": 8}
LEAST_OF_8 = 1 * GIB
# What the hardening level is shown by, and the images that have it.
HOT = {"kmalloc": ["kmalloc_64", "kmalloc_96", "kzalloc_64", "kmem_cache_64", "kmem_cache_96", "kmem_cache_ctor_64"],
       "batches": ["batch_kmalloc64_x1000_inorder_pair", "batch_kmalloc64_x100000_inorder_pair", "slab_bulk32_64_pair"],
       "random": ["mix_kmalloc_16_1039"], "pages": ["page_0", "page_4"]}
LEVELS = {"none": "bench", "basic": "virt"}


def short(path):
    return os.path.relpath(path)


def boot_names(measured, suffix):
    """Rows of the group boot, by the machine they are of."""
    names = {row: f"{row}_{suffix}" for row in measured if row.startswith("boot_")}
    if "unmanaged_mib_per_gib" in measured:
        names["unmanaged_mib_per_gib"] = f"unmanaged_{suffix}"
    return {name: measured[row] for row, name in names.items()}


def core_size():
    """Bytes of mm/ in the image, of all its objects: {row: bytes}. Raises Failure."""
    objects = [image().parent / source.relative_to(ROOT).with_suffix(".o") for source in (ROOT / "mm").glob("*.c")]
    words = [data.CROSS + "size", "--totals", *map(str, filter(Path.exists, objects))]
    totals = (data.said(words) or "").splitlines()[-1:]
    if not totals or "TOTALS" not in totals[0]:
        raise Failure(f"{words[0]} has no totals of the objects in {short(image().parent / 'mm')}")
    text, initialised, zero = map(int, totals[0].split()[:3])
    return {"code_bytes": text, "data_bytes": initialised + zero}


class Bench:
    """One run: what has been measured so far, as the parts of a results file."""

    def __init__(self, rows, progress):
        self.rows, self.progress = rows, progress
        self.results = {"rows": [], "numa": [], "basic": [], "profiles": {}}

    def _keep(self, measured, cpu):
        self.results["rows"] += [self.rows.result(row, cpu, ours) for row, ours in measured.items()]

    def cpu(self, cpu, group=""):
        measured = measure(board(cpu), cpu, group, progress=self.progress)
        boots = boot_names(measured, STANDARD)
        if not group:
            lacking = [row for row in self.rows.operations if row not in measured]
            if lacking:
                raise Failure(f"{cpu}: rows missing in the run: {', '.join(lacking)}")
        self._keep({row: measured[row] for row in self.rows.all if row in measured} | boots, cpu)

    def numa(self, group=""):
        measured = measure(board(CPUS[0], nodes=2), f"{CPUS[0]}, 2 nodes", group, progress=self.progress)
        self.results["numa"] = [{"row": row, "cpu": CPUS[0], "ours": measured[row], "linux": is_.get("numa"),
                                 "budget": is_.get("budget")}
                                for row, is_ in self.rows.operations.items() if row in measured]

    def basic(self):
        """Hot rows with both levels; what ran before is the same for both, which what blocks there are depends on."""
        for group, hot in HOT.items():
            by_level = {level: measure(board(CPUS[0]), f"{CPUS[0]}, hardening {level}, {group}", group, image(config),
                                       self.progress) for level, config in LEVELS.items()}
            self.results["basic"] += [{"row": row, "cpu": CPUS[0], "ours": by_level["basic"][row],
                                       "none": by_level["none"][row]} for row in hot]

    def boot(self, again=False):
        """The machines whose boot is measured, but for the standard one, unless @again."""
        for suffix, nodes in NODES.items():
            for size, ram in BYTES.items():
                if (nodes == 1 and size == STANDARD and not again) or (nodes == 8 and ram < LEAST_OF_8):
                    continue
                about = f"boot of {table.SIZES[size]}, {nodes} node{'s' * (nodes > 1)}"
                measured = measure(board(CPUS[0], ram, nodes), about, "boot", progress=self.progress)
                self._keep(boot_names(measured, size + suffix), CPUS[0])

    def profiles(self):
        for cpu in CPUS:
            self.results["profiles"][cpu] = profile(board(cpu), f"{cpu}, profile", self.rows.profiles(),
                                                    progress=self.progress)

    def all(self):
        circumstances = data.circumstances(image())
        for cpu in CPUS:
            self.cpu(cpu)
        self.numa()
        self.basic()
        self.boot()
        self._keep(core_size(), CPUS[0])
        self.profiles()
        self.results = circumstances | self.results
        lacking = data.missing(self.rows, self.results)
        if lacking:
            raise Failure(f"missing in the run: {', '.join(lacking)}")

    def group(self, group):
        if group == "boot":
            self.boot(again=True)
            return
        for cpu in CPUS:
            self.cpu(cpu, group)
        self.numa(group)


def show(results, rows, markdown=False):
    print("\n".join(one.markdown() if markdown else one.text() for one in table.tables(results, rows)), end="")


def run(args, rows):
    if args.accept:
        data.accept(rows)
        print(f"bench: what counts from now on is {short(data.ACCEPTED)}")
    elif args.text or args.markdown:
        show(data.read(Path(args.text or args.markdown), "`make bench` makes one"), rows, bool(args.markdown))
    else:
        bench = Bench(rows, Progress())
        if args.group:
            bench.group(args.group)
        else:
            bench.all()
            data.write(data.LATEST, bench.results)
        show(bench.results, rows)
        if not args.group:
            print(f"\nbench: all rows measured, results in {short(data.LATEST)}")


def main():
    parser = argparse.ArgumentParser(description="measure what operations cost, in instructions")
    parser.add_argument("group", nargs="?", default="", help="one group of rows, not all")
    parser.add_argument("--accept", action="store_true", help="compare with the last run from now on")
    parser.add_argument("--text", metavar="FILE", help="print the tables of these results")
    parser.add_argument("--markdown", metavar="FILE", help="print them for README.md")
    try:
        run(parser.parse_args(), data.Rows())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbench: interrupted, nothing was written", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
