# SPDX-License-Identifier: BSD-2-Clause
"""What a device tree says of memory, nodes and CPUs: a reader of its own, so that it can contradict the image's.

Sources: Devicetree Specification 0.4, 2.2.1, 2.3.5, 2.3.9, 3.4, 3.5, 5.2 to 5.4; the NUMA binding (numa-node-id,
distance-map).
"""

import struct
import sys
from array import array
from collections import namedtuple

import libfdt

PAGE = 4096
ADDRESS_END = 1 << 64

# Tokens of the structure block.
BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9

Bank = namedtuple("Bank", "base size nid path")
Reservation = namedtuple("Reservation", "base size nomap path")
Dynamic = namedtuple("Dynamic", "size align nomap ranges path")
Cpu = namedtuple("Cpu", "mpidr nid method path")


class Tree:
    """One flattened device tree. Raises libfdt.FdtException when it is not one."""

    def __init__(self, blob):
        self.blob = bytes(blob)
        self.fdt = libfdt.FdtRo(self.blob)
        self.properties = {}

    def totalsize(self):
        return self.fdt.totalsize()

    def memory(self):
        """Every bank of every enabled memory node, by address."""
        banks = []
        for path, node in self._children("/"):
            if self._text(node, "device_type") != "memory" or not self._enabled(node):
                continue
            nid = self._u32(node, "numa-node-id", 0)
            banks += [Bank(base, size, nid, path) for base, size in self._ranges(node, "reg", "/")]
        return sorted(banks)

    def memreserve(self):
        """The memory reservation block, in its order. Not by get_mem_rsv(): in libfdt 1.6.1 that drops an address 0."""
        found, at = [], self.fdt.off_mem_rsvmap()
        while (entry := struct.unpack_from(">QQ", self.blob, at))[1]:
            found.append(entry)
            at += 16
        return found

    def reserved_memory(self):
        """The ranges of /reserved-memory that have a place, by address."""
        found = []
        for path, node in self._children("/reserved-memory"):
            if self._enabled(node):
                nomap = self._has(node, "no-map")
                found += [Reservation(base, size, nomap, path)
                          for base, size in self._ranges(node, "reg", "/reserved-memory")]
        return sorted(found)

    def lendable(self):
        """The nodes of /reserved-memory whose memory may be lent until its owner wants it: CMA areas."""
        return [path for path, node in self._children("/reserved-memory")
                if self._enabled(node) and self._has(node, "reusable") and not self._has(node, "no-map")
                and b"shared-dma-pool" in (self._raw(node, "compatible") or b"").split(b"\0")]

    def reserved_dynamic(self):
        """The nodes of /reserved-memory that ask for a size and leave the place to us."""
        found = []
        for path, node in self._children("/reserved-memory"):
            if self._enabled(node) and not self._has(node, "reg") and self._has(node, "size"):
                ranges = self._ranges(node, "alloc-ranges", "/reserved-memory")
                found.append(Dynamic(self._number(node, "size"), self._number(node, "alignment"),
                                     self._has(node, "no-map"), ranges, path))
        return found

    def cpus(self):
        """The enabled CPUs, in the order of the tree."""
        found = []
        for path, node in self._children("/cpus"):
            if self._text(node, "device_type") == "cpu" and self._enabled(node):
                found.append(Cpu(self._number(node, "reg"), self._u32(node, "numa-node-id", 0),
                                 self._text(node, "enable-method"), path))
        return found

    def nodes(self):
        """The ids of all nodes that have memory or CPUs."""
        return sorted({bank.nid for bank in self.memory()} | {cpu.nid for cpu in self.cpus()})

    def has_node_ids(self):
        """Whether any memory or CPU has a numa-node-id."""
        parents = self._children("/"), self._children("/cpus")
        return any(self._has(node, "numa-node-id") for children in parents for _, node in children)

    def distances(self):
        """{(from, to): distance} for all pairs of nodes, with 10 and 20 where the tree is silent."""
        nodes = self.nodes()
        table = {(a, b): 10 if a == b else 20 for a in nodes for b in nodes}
        for _, node in self._children("/"):
            if self._text(node, "compatible") == "numa-distance-map-v1":
                cells = self._cells(node, "distance-matrix")
                given = {(a, b): d for a, b, d in zip(cells[0::3], cells[1::3], cells[2::3])}
                table.update({(b, a): d for (a, b), d in given.items()})
                table.update(given)
        return table

    def stdout_path(self):
        """The path of the console's node, or None."""
        node = self._offset("/chosen")
        name = self._text(node, "stdout-path") if node is not None else None
        if not name:
            return None
        name = name.split(":")[0]
        if name.startswith("/"):
            return name
        aliases = self._offset("/aliases")
        return self._text(aliases, name) if aliases is not None else None

    def pages(self):
        """{node: whole pages of memory}; banks that touch are one, as two halves of a page make a page."""
        pages = {}
        for base, end, nid in self.page_ranges():
            pages[nid] = pages.get(nid, 0) + (end - base) // PAGE
        return pages

    def page_ranges(self):
        """[(base, end, nid)] of the whole pages of memory, by address."""
        ranges = [(-(-base // PAGE) * PAGE, end // PAGE * PAGE, nid) for base, end, nid in merge(self.memory())]
        return [item for item in ranges if item[0] < item[1]]

    def initrd(self):
        """(base, end), or None."""
        chosen = self._offset("/chosen")
        if chosen is None or not self._has(chosen, "linux,initrd-start"):
            return None
        return self._number(chosen, "linux,initrd-start"), self._number(chosen, "linux,initrd-end")

    def dma_limit(self):
        """One past the last address that every bus with dma-ranges reaches; None when none is limited."""
        ends = [max((end for _, end in windows), default=ADDRESS_END) for windows in self.dma_windows()]
        limit = min(ends, default=ADDRESS_END)
        return limit if limit < ADDRESS_END else None

    def dma_windows(self):
        """For each bus whose dma-ranges has entries, the [(base, end)] its masters reach, in the CPU's addresses."""
        return [] if b"dma-ranges\0" not in self.blob else list(self._dma_windows())

    def cells(self, path):
        """(#address-cells, #size-cells) of a node."""
        node = self._offset(path)
        return self._u32(node, "#address-cells", 2), self._u32(node, "#size-cells", 1)

    def children(self, path):
        """The paths of a node's children, in the order of the tree."""
        return [child for child, _ in self._children(path)]

    # --- Below: cells and strings ---

    def _dma_windows(self):
        chain = []
        for token, found in self._buses():
            if token == BEGIN_NODE:
                chain.append(found)
                continue
            enabled = all(bus.get("status", b"okay\0") in (b"okay\0", b"ok\0") for bus in chain[1:])
            if chain[-1].get("dma-ranges") and len(chain) > 1 and enabled:
                windows = [(parent, parent + size) for _, parent, size in dma_entries(chain[-1], chain[-2])]
                for bus in range(len(chain) - 2, 0, -1):
                    windows = through(windows, chain[bus], chain[bus - 1])
                yield windows
            chain.pop()

    def _buses(self):
        """The tree as (BEGIN_NODE, {property: bytes}) and (END_NODE, None), with what dma-ranges needs to be read.
        Read from the structure block itself: asking libfdt for each property of each node takes a hundred times as
        long."""
        start, strings = self.fdt.off_dt_struct(), self.fdt.off_dt_strings()
        words = array("I", self.blob[start:start + self.fdt.size_dt_struct()])
        if sys.byteorder == "little":
            words.byteswap()
        wanted, names = {b"#address-cells", b"#size-cells", b"dma-ranges", b"status"}, {}
        at, node = 0, None
        while words[at] != END:
            token = words[at]
            at += 1
            if token == PROP:
                offset = words[at + 1]
                if offset not in names:
                    text = self.blob[strings + offset:self.blob.index(b"\0", strings + offset)]
                    names[offset] = text.decode() if text in wanted else None
                if names[offset]:
                    value = start + (at + 2) * 4
                    node[names[offset]] = self.blob[value:value + words[at]]
                at += 2 + (words[at] + 3) // 4
            elif token == BEGIN_NODE:
                node = {}
                yield BEGIN_NODE, node
                name = start + at * 4
                at += (self.blob.index(b"\0", name) - name) // 4 + 1
            elif token == END_NODE:
                yield END_NODE, None

    def _offset(self, path):
        offset = self.fdt.path_offset(path, [libfdt.NOTFOUND])
        return offset if offset >= 0 else None

    def _children(self, path):
        parent = self._offset(path)
        node = self.fdt.first_subnode(parent, [libfdt.NOTFOUND]) if parent is not None else -1
        while node >= 0:
            yield f"{path.rstrip('/')}/{self.fdt.get_name(node)}", node
            node = self.fdt.next_subnode(node, [libfdt.NOTFOUND])

    def _raw(self, node, name):
        """A property's bytes, or None. Not by getprop(): in libfdt 1.6.1 each absent one drops a reference to None."""
        if node not in self.properties:
            found = {}
            offset = self.fdt.first_property_offset(node, [libfdt.NOTFOUND])
            while offset >= 0:
                prop = self.fdt.get_property_by_offset(offset)
                found[prop.name] = bytes(prop)
                offset = self.fdt.next_property_offset(offset, [libfdt.NOTFOUND])
            self.properties[node] = found
        return self.properties[node].get(name)

    def _has(self, node, name):
        return self._raw(node, name) is not None

    def _text(self, node, name):
        raw = self._raw(node, name)
        return raw.split(b"\0")[0].decode() if raw is not None else None

    def _cells(self, node, name):
        raw = self._raw(node, name) or b""
        return [int.from_bytes(raw[i:i + 4], "big") for i in range(0, len(raw) & ~3, 4)]

    def _u32(self, node, name, default):
        cells = self._cells(node, name)
        return cells[0] if cells else default

    def _number(self, node, name):
        """A property of one or two cells as one number, 0 when it is absent."""
        return int.from_bytes(self._raw(node, name) or b"", "big")

    def _enabled(self, node):
        return self._text(node, "status") in (None, "okay", "ok")

    def _ranges(self, node, name, parent):
        """The (address, size) pairs of a property, by the cell counts of its parent. Empty ranges are left out."""
        pairs = records(self._raw(node, name) or b"", self.cells(parent))
        return [(base, size) for base, size in pairs if size]


def dma_entries(bus, parent):
    """The (address on the bus, address on its parent, size) of a bus's dma-ranges; those without a size left out."""
    def number(node, name, default):
        return int.from_bytes(node.get(name, default.to_bytes(4, "big")), "big")

    widths = [number(bus, "#address-cells", 2), number(parent, "#address-cells", 2), number(bus, "#size-cells", 1)]
    # A PCI address is the last two of its three cells.
    low = [(1 << 32 * min(width, 2)) - 1 for width in widths]
    entries = [[value & mask for value, mask in zip(record, low)] for record in records(bus["dma-ranges"], widths)]
    return [entry for entry in entries if entry[2]]


def through(windows, bus, parent):
    """[(base, end)] on @bus as addresses of @parent: what the entries of its dma-ranges let pass."""
    if not bus.get("dma-ranges"):
        return windows
    passed = []
    for child, target, size in dma_entries(bus, parent):
        for base, end in windows:
            first, last = max(base, child), min(end, child + size)
            if first < last:
                passed.append((first - child + target, last - child + target))
    return passed


def records(raw, widths):
    """The whole records in @raw as lists of numbers, of as many cells each as @widths says."""
    step, found = sum(widths) * 4, []
    for start in range(0, len(raw) - step + 1, step):
        record, at = [], start
        for width in widths:
            record.append(int.from_bytes(raw[at:at + width * 4], "big"))
            at += width * 4
        found.append(record)
    return found


def merge(banks):
    """[(base, end, nid)] of banks sorted by address, those of one node that touch or overlap made one."""
    merged = []
    for bank in banks:
        base, end = bank.base, bank.base + bank.size
        if merged and merged[-1][2] == bank.nid and base <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), bank.nid)
        else:
            merged.append((base, end, bank.nid))
    return merged
