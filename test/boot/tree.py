# SPDX-License-Identifier: BSD-2-Clause
"""What a device tree says of memory, nodes and CPUs: a reader of its own, so that it can contradict the image's.

Sources: Devicetree Specification 0.4, 2.2.1, 2.3.5, 3.4, 3.5, 5.3; the NUMA binding (numa-node-id, distance-map).
"""

from collections import namedtuple

import libfdt

PAGE = 4096

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
        """The memory reservation block, in its order."""
        return [tuple(self.fdt.get_mem_rsv(i)[:2]) for i in range(self.fdt.num_mem_rsv())]

    def reserved_memory(self):
        """The ranges of /reserved-memory that have a place, by address."""
        found = []
        for path, node in self._children("/reserved-memory"):
            if self._enabled(node):
                nomap = self._has(node, "no-map")
                found += [Reservation(base, size, nomap, path)
                          for base, size in self._ranges(node, "reg", "/reserved-memory")]
        return sorted(found)

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
        """One past the last address that every bus of the root with dma-ranges reaches; None when none has any."""
        ends = []
        root_cells = self._u32(0, "#address-cells", 2)
        for _, node in self._children("/"):
            raw = self._raw(node, "dma-ranges")
            if raw:
                widths = [self._u32(node, "#address-cells", 2), root_cells, self._u32(node, "#size-cells", 1)]
                ends.append(max(parent + size for _, parent, size in records(raw, widths)))
        return min(ends) if ends else None

    # --- Below: cells and strings ---

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
        parent = self._offset(parent)
        address_cells = self._u32(parent, "#address-cells", 2)
        size_cells = self._u32(parent, "#size-cells", 1)
        pairs = records(self._raw(node, name) or b"", [address_cells, size_cells])
        return [(base, size) for base, size in pairs if size]


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
