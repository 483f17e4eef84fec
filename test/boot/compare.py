# SPDX-License-Identifier: BSD-2-Clause
"""
What a boot log says against what the tree says. Each function returns the faults it found, as lines.

All is recomputed here from the tree, with no knowledge of how the image does it:
  banks, nodes, present pages, distances, CPUs	from the tree alone
  zone ranges					from the banks and dma-ranges: DMA ends at 4 GiB at the latest
  reserved					the image, from its header; the tree itself; what the tree reserves
  metadata					inside the node's memory, clear of everything reserved and of each other
  the account					its sums, and that they are the figures above
"""

import struct

from tree import PAGE, merge

GIB4 = 1 << 32
ZONE_PARTS = {"reserved", "metadata", "free", "per-CPU", "allocated", "bad"}
TOTAL_PARTS = {"reserved", "metadata", "rounding", "free", "allocated", "bad"}
IMAGE_PARTS = ["image text", "image rodata", "image data"]


def show(base, end):
    return f"[mem {base:#018x}-{end - 1:#018x}]"


def all_faults(tree, log, image, image_addr):
    faults = [f"the log has: {line}" for line in log.panics()]
    for check in banks, nodes, distances, cpus, zone_ranges, memory_line, metadata, account, stamps:
        faults += check(tree, log)
    return faults + reserved(tree, log, image, image_addr)


def level(board, log):
    """That the image found itself where the machine puts it."""
    return [] if log.level == board.level else [f"entered at EL{log.level}, {board.level} is right"]


def banks(tree, log):
    # A tree without numa-node-id has one node, which the lines need not name.
    right = {(bank.base, bank.base + bank.size, bank.nid, bank.path) for bank in tree.memory()}
    said = {(item.base, item.end, item.nid if tree.has_node_ids() else item.nid or 0, item.who)
            for item in log.claims["memory"]}
    return (difference("memory", right, said) +
            (["a bank is listed twice"] if len(said) != len(log.claims["memory"]) else []))


def difference(what, right, said):
    def line(item):
        return f"{show(item[0], item[1])} node {item[2]} {item[3]}"
    return ([f"{what} not in the log: {line(item)}" for item in sorted(right - said)] +
            [f"{what} not in the tree: {line(item)}" for item in sorted(said - right)])


def nodes(tree, log):
    faults = []
    pages = tree.pages()
    if sorted(log.nodes) != sorted(pages):
        faults.append(f"nodes with memory are {sorted(log.nodes)}, {sorted(pages)} is right")
    for nid, (base, end, present) in log.nodes.items():
        mine = [(start, stop) for start, stop, owner in tree.page_ranges() if owner == nid]
        if not mine:
            continue
        right = (mine[0][0], mine[-1][1])
        if (base, end) != right:
            faults.append(f"node {nid} is {show(base, end)}, {show(*right)} is right")
        if present != pages[nid]:
            faults.append(f"node {nid} has {present} pages present, {pages[nid]} is right")
    return faults


def distances(tree, log):
    right = tree.distances()
    said = log.distance_table()
    if said is None:
        return ["the distance table is not square"]
    if not said and len(tree.nodes()) == 1:
        return []
    return [f"distance {a} to {b} is {said.get((a, b))}, {right.get((a, b))} is right"
            for a, b in sorted(set(right) | set(said)) if said.get((a, b)) != right.get((a, b))]


def cpus(tree, log):
    right = len(tree.cpus())
    return [] if log.cpus == right else [f"{log.cpus} CPUs on line, {right} is right"]


def zone_ranges(tree, log):
    start = min(base for base, _, _ in tree.page_ranges())
    end = max(end for _, end, _ in tree.page_ranges())
    dma = min(tree.dma_limit() or GIB4, GIB4)
    right = {"DMA": clip(start, min(end, dma)), "DMA32": clip(max(start, dma), min(end, GIB4)),
             "Normal": clip(max(start, GIB4), end)}
    faults = []
    for zone in sorted(set(right) | set(log.zone_ranges)):
        if zone != "Movable" and (zone not in log.zone_ranges or zone not in right):
            faults.append(f"zone ranges: {zone} is {'not ' if zone in right else ''}listed")
        elif log.zone_ranges[zone] != right.get(zone):
            faults.append(f"zone range {zone} is {log.zone_ranges[zone]}, {right.get(zone)} is right")
    return faults


def clip(base, end):
    return (base, end) if base < end else None


def memory_line(tree, log):
    if not log.memory:
        return ["no Memory: line"]
    faults = []
    total = length((base, end) for base, end, _ in merge(tree.memory())) // 1024
    if log.memory.total != total:
        faults.append(f"Memory: of {log.memory.total}K, {total}K is right")
    managed = sum(zone.pages - zone.parts["reserved"] - zone.parts["metadata"]
                  for one in log.accounts[:1] for zone in one.zones if zone.parts and ZONE_PARTS <= set(zone.parts))
    if log.memory.available != managed * PAGE // 1024:
        faults.append(f"Memory: {log.memory.available}K available, the account has {managed * PAGE // 1024}K")
    return faults


def partial_pages(tree):
    """The bytes at the ends of banks that are no whole page; banks of one node that touch are one."""
    merged = []
    for bank in tree.memory():
        end = bank.base + bank.size
        if merged and merged[-1][1] == bank.base and merged[-1][2] == bank.nid:
            merged[-1][1] = end
        elif bank.size:
            merged.append([bank.base, end, bank.nid])
    for base, end, _ in merged:
        first, last = -(-base // PAGE) * PAGE, end // PAGE * PAGE
        if base < min(first, end):
            yield base, min(first, end)
        if first <= last < end:
            yield last, end


def image_parts(said, image, image_addr):
    """The image's three parts among (base, end, who); @image_addr as for reserved(), None when any place is right."""
    faults = []
    size, = struct.unpack_from("<Q", image, 16)
    parts = [next(((base, end) for base, end, who in said if who == name), None) for name in IMAGE_PARTS]
    if None in parts:
        faults.append(f"reserved: not all of {', '.join(IMAGE_PARTS)} are listed")
    else:
        if image_addr is not None and parts[0][0] != image_addr:
            faults.append(f"image text starts at {parts[0][0]:#x}, {image_addr:#x} is right")
        if parts[0][1] != parts[1][0] or parts[1][1] != parts[2][0]:
            faults.append("image text, rodata and data do not follow each other")
        if not 0 <= parts[2][1] - parts[0][0] - size < PAGE:
            faults.append(f"the image takes {parts[2][1] - parts[0][0]} bytes, {size} by its header")
    return faults


def reserved(tree, log, image, image_addr):
    """@image: the Image file's bytes; @image_addr: where the loader puts it."""
    faults = []
    said = [(item.base, item.end, item.who) for item in log.claims["reserved"]]
    faults += image_parts(said, image, image_addr)
    trees = [(base, end) for base, end, who in said if who == "device tree"]
    if [end - base for base, end in trees] != [tree.totalsize()]:
        faults.append(f"reserved for the device tree: {[show(*item) for item in trees]}, {tree.totalsize()} bytes "
                      "is right")

    right = kept_by_tree(tree) + [(base, end, "partial page") for base, end in partial_pages(tree)]
    right += first_page(tree, right + [item for item in said if item[2] in IMAGE_PARTS] + trees)
    others = [item for item in said if item[2] not in IMAGE_PARTS + ["device tree"] + dynamic_paths(tree)]
    faults += [f"not reserved: {show(*item[:2])} {item[2]}" for item in sorted(set(right) - set(others))]
    faults += [f"reserved, by nobody: {show(*item[:2])} {item[2]}" for item in sorted(set(others) - set(right))]

    right = set(kept_by_tree(tree, nomap=True))
    said = {(item.base, item.end, item.who) for item in log.claims["no-map"] if item.who not in dynamic_paths(tree)}
    faults += [f"no-map in the log and in the tree: {sorted(said)}, {sorted(right)} is right"] * (said != right)
    return faults + dynamic(tree, log)


def kept_by_tree(tree, nomap=False):
    """(base, end, name) of all that the tree reserves at a place of its own, or makes no-map."""
    kept = [(item.base, item.base + item.size, item.path) for item in tree.reserved_memory() if item.nomap == nomap]
    if not nomap:
        kept += [(base, base + size, f"/memreserve/ {i}") for i, (base, size) in enumerate(tree.memreserve())]
        kept += [item + ("initrd",) for item in [tree.initrd()] if item]
    return kept


def first_page(tree, taken):
    """The page at address 0 is kept when it is memory and nobody else has any of it."""
    taken = [(item[0], item[1]) for item in taken]
    taken += [(item.base, item.base + item.size) for item in tree.reserved_memory()]
    memory = any(bank.base == 0 for bank in tree.memory())
    return [(0, PAGE, "first page")] if memory and not any(base < PAGE for base, _ in taken) else []


def dynamic_paths(tree):
    return [item.path for item in tree.reserved_dynamic()]


def dynamic(tree, log):
    """What /reserved-memory leaves the place of to us: each is somewhere in memory, as its node asks."""
    faults = []
    memory = union((bank.base, bank.base + bank.size) for bank in tree.memory())
    for item in tree.reserved_dynamic():
        places = [(claim.base, claim.end) for claim in log.claims["no-map" if item.nomap else "reserved"]
                  if claim.who == item.path]
        if [end - base for base, end in places] != [item.size]:
            faults.append(f"{item.path} has {[show(*place) for place in places]}, {item.size} bytes are right")
            continue
        base, end = places[0]
        if base % max(item.align, PAGE):
            faults.append(f"{item.path} is at {base:#x}, no multiple of {item.align:#x}")
        allowed = union((low, low + size) for low, size in item.ranges) if item.ranges else memory
        for where, what in ((allowed, "its alloc-ranges"), (memory, "memory")):
            if length(intersection(places, where)) != end - base:
                faults.append(f"{item.path}: {show(base, end)} is not within {what}")
    return faults


def metadata(tree, log):
    faults = []
    memory = merge(tree.memory())
    claims = log.claims["metadata"]
    if not claims:
        return ["no metadata is listed"]
    faults += [f"metadata {show(item.base, item.end)} for {item.who} is no range"
               for item in claims if item.base >= item.end]
    for item in claims:
        mine = union((base, end) for base, end, nid in memory if item.nid in (nid, None))
        if not any(base <= item.base and item.end <= end for base, end in mine):
            faults.append(f"metadata {show(item.base, item.end)} for {item.who} is not memory{of_node(item.nid)}")
    for i, item in enumerate(claims):
        for other in claims[i + 1:] + log.claims["reserved"] + log.claims["no-map"]:
            if item.base < other.end and other.base < item.end:
                faults.append(f"metadata {show(item.base, item.end)} for {item.who} overlaps "
                              f"{show(other.base, other.end)} of {other.who}")
    return faults


def of_node(nid):
    return "" if nid is None else f" of node {nid}"


def account(tree, log):
    if not log.accounts:
        return ["no account"]
    return [fault for one in log.accounts for fault in account_faults(tree, log, one)]


def account_faults(tree, log, one):
    faults = [] if one.verdict == "balanced" else [f"the account says: {one.verdict}"]
    bad = [zone for zone in one.zones if not zone.parts or set(zone.parts) != ZONE_PARTS]
    if bad or not one.parts or set(one.parts) != TOTAL_PARTS:
        return faults + [f"the account has other parts than {sorted(ZONE_PARTS)} and {sorted(TOTAL_PARTS)}"]

    for zone in one.zones:
        if sum(zone.parts.values()) != zone.pages:
            faults.append(f"node {zone.nid} zone {zone.zone}: the parts make {sum(zone.parts.values())} pages, "
                          f"not {zone.pages}")
    for nid, pages in tree.pages().items():
        said = sum(zone.pages for zone in one.zones if zone.nid == nid)
        if said != pages:
            faults.append(f"the zones of node {nid} make {said} pages, {pages} is right")

    discovered = sum(end - base for base, end, _ in merge(tree.memory()))
    if one.discovered != discovered:
        faults.append(f"discovered {one.discovered} bytes, {discovered} is right")
    if sum(one.parts.values()) != one.discovered:
        faults.append(f"the parts make {sum(one.parts.values())} bytes, not {one.discovered}")
    sums = {name: PAGE * sum(zone.parts[name] for zone in one.zones) for name in sorted(ZONE_PARTS)}
    sums["free"] += sums.pop("per-CPU")
    for name in "free", "allocated", "bad":
        if one.parts[name] != sums[name]:
            faults.append(f"{name}: {one.parts[name]} bytes in all, the zones make {sums[name]}")
    kept = sums["reserved"] + sums["metadata"] + discovered - PAGE * sum(tree.pages().values())
    if one.parts["reserved"] + one.parts["metadata"] + one.parts["rounding"] != kept:
        faults.append(f"reserved, metadata and rounding are not the {kept} bytes that were not handed over")
    return faults + claimed(tree, log, one.parts)


def claimed(tree, log, parts):
    """The account's reserved and metadata against the ranges listed, to the byte."""
    memory = union((base, end) for base, end, _ in merge(tree.memory()))
    lent = log.lent() & set(tree.lendable())
    kept = intersection(ranges([claim for claim in log.claims["reserved"] if claim.who not in lent] +
                               log.claims["no-map"]), memory)
    meta = intersection(ranges(log.claims["metadata"]), memory)
    right = {"reserved": length(kept), "metadata": length(meta) - length(intersection(meta, kept))}
    return [f"{name}: {parts[name]} bytes in all, the ranges listed make {right[name]}"
            for name in right if parts[name] != right[name]]


def stamps(_, log):
    if not log.stamps:
        return ["no time stamps"]
    return [] if log.stamps == sorted(log.stamps) else ["time stamps go backwards"]


# --- Sets of addresses: sorted lists of disjoint (base, end) ---


def union(ranges):
    found = []
    for base, end in sorted(ranges):
        if found and base <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((base, end))
    return found


def intersection(some, others):
    pieces = [(max(a[0], b[0]), min(a[1], b[1])) for a in some for b in others]
    return union(piece for piece in pieces if piece[0] < piece[1])


def ranges(claims):
    return union((item.base, item.end) for item in claims)


def length(ranges):
    return sum(end - base for base, end in ranges)
