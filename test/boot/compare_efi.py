# SPDX-License-Identifier: BSD-2-Clause
"""
What the boot log of a machine that UEFI started says, against the tree and against itself. Each function returns the
faults it found, as lines.

  memory		every range has the name of a UEFI type; together they are the banks of the tree, no byte more
			or less, with the tree's nodes
  kept			what a type keeps is reserved or no-map, exactly, under the same name, and what the tree
			keeps; nothing else is, but image and tree, which lie where a loader's memory is
  all the rest		as on any machine (compare.py)
  firmware's own	the table that the shell prints: what it keeps is what we keep, what it calls RAM is ours
"""

import re

import compare
from compare import intersection, length, show, union
from tree import PAGE, merge

# What becomes of the RAM of each type. Loaders' memory is where image and tree lie.
FREE = {"UEFI conventional memory", "UEFI loader code", "UEFI loader data", "UEFI boot services code",
        "UEFI boot services data"}
RESERVED = {"UEFI runtime services code", "UEFI runtime services data", "UEFI ACPI reclaim memory"}
NOMAP = {"UEFI reserved", "UEFI unusable memory", "UEFI ACPI NVS"}

# The shell's names for them.
SHELL_NAMES = {"Reserved": "UEFI reserved", "LoaderCode": "UEFI loader code", "LoaderData": "UEFI loader data",
               "BS_Code": "UEFI boot services code", "BS_Data": "UEFI boot services data",
               "RT_Code": "UEFI runtime services code", "RT_Data": "UEFI runtime services data",
               "ACPI_Recl": "UEFI ACPI reclaim memory", "ACPI_NVS": "UEFI ACPI NVS",
               "Available": "UEFI conventional memory"}
SHELL_ROW = re.compile(r"(\w+)\s+([0-9A-F]{16})-([0-9A-F]{16}) ([0-9A-F]{16}) ([0-9A-F]{16})$", re.MULTILINE)
SHELL_IO = {"MMIO", "MMIO_Port"}


def all_faults(tree, log, image):
    faults = [f"the log has: {line}" for line in log.panics()]
    for check in (memory, kept, compare.nodes, compare.distances, compare.cpus, compare.zone_ranges,
                  compare.memory_line, compare.metadata, compare.account, compare.stamps):
        faults += check(tree, log)
    return faults + loaded(log, image)


def memory(tree, log):
    claims = log.claims["memory"]
    faults = [f"memory {show(item.base, item.end)} is of {item.who}, no type of UEFI's"
              for item in claims if item.who not in FREE | RESERVED | NOMAP]
    if length(compare.ranges(claims)) != sum(item.end - item.base for item in claims):
        faults.append("ranges of memory overlap")
    for base, end, nid in merge(tree.memory()):
        said = union((item.base, item.end) for item in claims if (item.nid or 0) == nid)
        if length(intersection(said, [(base, end)])) != end - base:
            faults.append(f"not all of {show(base, end)} of node {nid} is in the log")
    if length(compare.ranges(claims)) != sum(end - base for base, end, _ in merge(tree.memory())):
        faults.append("there is more memory in the log than in the tree")
    return faults


def kept(tree, log):
    faults = []
    for kind, types, of_tree in (("reserved", RESERVED, compare.kept_by_tree(tree)),
                                 ("no-map", NOMAP, compare.kept_by_tree(tree, nomap=True))):
        right = {(item.base, item.end, item.who) for item in log.claims["memory"] if item.who in types} | set(of_tree)
        said = {(item.base, item.end, item.who) for item in log.claims[kind]
                if item.who not in compare.IMAGE_PARTS + ["device tree"] + compare.dynamic_paths(tree)}
        faults += [f"not {kind}: {show(*item[:2])} {item[2]}" for item in sorted(right - said)]
        faults += [f"{kind}, by nobody: {show(*item[:2])} {item[2]}" for item in sorted(said - right)]
    return faults + compare.dynamic(tree, log)


def loaded(log, image):
    """Image and tree: whole, and where a loader has put things."""
    said = [(item.base, item.end, item.who) for item in log.claims["reserved"]]
    faults = compare.image_parts(said, image, None)
    trees = [item for item in said if item[2] == "device tree"]
    faults += [f"{len(trees)} device trees are reserved, one is right"] * (len(trees) != 1)
    places = [item for item in said if item[2] in compare.IMAGE_PARTS] + trees
    for base, end, who in places:
        home = [item.who for item in log.claims["memory"] if item.base <= base and end <= item.end]
        right = "UEFI loader data" if who == "device tree" else "UEFI loader code"
        if home != [right]:
            faults.append(f"{who} lies in {home}, {right} is right")
        if base % PAGE:
            faults.append(f"{who} does not begin on a page")
    return faults


def shell_table(text):
    """[(base, end, name)] of the shell's memmap; a type that we have no name for keeps the shell's."""
    return [(int(row[2], 16), int(row[3], 16) + 1, SHELL_NAMES.get(row[1], row[1])) for row in SHELL_ROW.finditer(text)]


def firmware(log, text):
    """Types of RAM that an image's start can change are compared as one: what is free to us."""
    table = shell_table(text)
    faults = [] if table else ["the shell printed no memory map"]
    for name in sorted(RESERVED | NOMAP):
        right = union((base, end) for base, end, who in table if who == name)
        said = union((item.base, item.end) for item in log.claims["memory"] if item.who == name)
        if said != right:
            faults.append(f"{name} is {said}, the shell says {right}")
    right = union((base, end) for base, end, who in table if who in FREE)
    said = union((item.base, item.end) for item in log.claims["memory"] if item.who in FREE)
    if said != right:
        faults.append(f"free to us is {said}, by the shell's map {right}")
    io = union((base, end) for base, end, who in table if who in SHELL_IO)
    if intersection(io, compare.ranges(log.claims["memory"])):
        faults.append("memory mapped I/O is memory in the log")
    return faults
