# SPDX-License-Identifier: BSD-2-Clause
"""Changes to a flattened device tree, each a function from a tree to a tree (bytes)."""

import struct

import libfdt

HEADER = ">10I"
ROOM = 1 << 18  # bytes for what an edit adds


def cells64(*values):
    """Numbers of two cells each."""
    return struct.pack(f">{len(values)}Q", *values)


def cells32(*values):
    return struct.pack(f">{len(values)}I", *values)


def edited(blob, change):
    """@change is called with a libfdt.Fdt that has room to grow."""
    fdt = libfdt.Fdt(blob)
    fdt.resize(fdt.totalsize() + ROOM)
    change(fdt)
    fdt.pack()
    return bytes(fdt.as_bytearray())


def set_property(blob, path, name, value):
    return edited(blob, lambda fdt: fdt.setprop(fdt.path_offset(path), name, value))


def add_node(blob, parent, name, properties):
    """@properties: {name: bytes}"""
    def change(fdt):
        node = fdt.add_subnode(fdt.path_offset(parent), name)
        for key, value in properties.items():
            fdt.setprop(node, key, value)
    return edited(blob, change)


def add_memory(blob, base, reg):
    """The memory node memory@BASE, with @reg as it is."""
    return add_node(blob, "/", f"memory@{base:x}", {"device_type": b"memory\0", "reg": reg})


def remove_node(blob, path):
    return edited(blob, lambda fdt: fdt.del_node(fdt.path_offset(path)))


def with_banks(blob, *banks):
    """Each (base, size) a memory node of its own, instead of those that the tree has."""
    while True:
        fdt = libfdt.FdtRo(blob)
        node, path = fdt.first_subnode(0, [libfdt.NOTFOUND]), None
        while node >= 0 and not path:
            name = fdt.get_name(node)
            path = "/" + name if name.startswith("memory@") else None
            node = fdt.next_subnode(node, [libfdt.NOTFOUND])
        if not path:
            break
        blob = remove_node(blob, path)
    for base, size in banks:
        blob = add_memory(blob, base, cells64(base, size))
    return blob


def with_reserved_memory(blob, ranges, *flags):
    """/reserved-memory with a node test@BASE for each (base, size), each with the empty properties @flags."""
    def change(fdt):
        parent = fdt.add_subnode(0, "reserved-memory")
        fdt.setprop(parent, "#address-cells", cells32(2))
        fdt.setprop(parent, "#size-cells", cells32(2))
        fdt.setprop(parent, "ranges", b"")
        for base, size in ranges:
            node = fdt.add_subnode(parent, f"test@{base:x}")
            fdt.setprop(node, "reg", cells64(base, size))
            for flag in flags:
                fdt.setprop(node, flag, b"")
    return edited(blob, change)


def with_memreserve(blob, ranges):
    """The memory reservation block replaced: libfdt's Python has no function for that."""
    (magic, _, off_struct, off_strings, _, version, last, cpu, size_strings,
     size_struct) = struct.unpack_from(HEADER, blob)
    block = b"".join(cells64(base, size) for base, size in ranges) + cells64(0, 0)
    tokens, strings = blob[off_struct:off_struct + size_struct], blob[off_strings:off_strings + size_strings]
    at = struct.calcsize(HEADER)
    header = struct.pack(HEADER, magic, at + len(block) + len(tokens) + len(strings), at + len(block),
                         at + len(block) + len(tokens), at, version, last, cpu, size_strings, size_struct)
    return header + block + tokens + strings


def with_header(blob, field, value):
    """One field of the header changed; fields by their place: 0 magic, 1 totalsize, 2 off_dt_struct, ..."""
    return blob[:field * 4] + cells32(value) + blob[field * 4 + 4:]
