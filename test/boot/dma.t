#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bus masters of a tree: what the prompt's `dma` says of their reach, and the suite that allocates for each of them.

1. The Raspberry Pi 4's own tree: masters of the soc and of the SD card's bus see the first GiB from 0xc0000000 on.
2. virt with buses in a row, of which the inner one sees a part of the outer one, and masters with a restricted pool, a
   pool that is not mapped, and a CMA area.
"""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
import raspi
from edit import cells32, cells64
from machine import GIB, MIB, RAM_BASE, Machine, ktap
from raspi import Pi

LIMIT = 100
BOARD = Machine(cpus=4, ram=2 * GIB)
WINDOW = re.compile(r"    bus 0x([0-9a-f]+)-0x([0-9a-f]+)  mem 0x([0-9a-f]+)-0x([0-9a-f]+)$")
RESTRICTED, DARK, LENT = RAM_BASE + 512 * MIB, RAM_BASE + 600 * MIB, RAM_BASE + 640 * MIB
TYPED = ["dma", "test dma", "dma", "vmallocinfo", "account", "poweroff"]
CELLS = {"#address-cells": cells32(2), "#size-cells": cells32(2)}


def bus(*ranges):
    """The properties of a bus with dma-ranges of (child, parent, size)."""
    return {**CELLS, "dma-ranges": b"".join(cells64(*entry) for entry in ranges)}


def pool(base, size, phandle, compatible, **more):
    return {"reg": cells64(base, size), "compatible": compatible + b"\0", "phandle": cells32(phandle), **more}


# Parent, name, properties.
NODES = [
    ("/", "reserved-memory", {**CELLS, "ranges": b""}),
    ("/reserved-memory", "locked", pool(RESTRICTED, 32 * MIB, 0x9001, b"restricted-dma-pool")),
    ("/reserved-memory", "dark", pool(DARK, 16 * MIB, 0x9002, b"shared-dma-pool", **{"no-map": b""})),
    ("/reserved-memory", "lent", pool(LENT, 32 * MIB, 0x9003, b"shared-dma-pool", reusable=b"")),
    ("/", "outer", bus((0xc0000000, RAM_BASE, GIB), (0, RAM_BASE + GIB, 512 * MIB))),
    ("/outer", "eth", {"#dma-cells": cells32(1), "dma-noncoherent": b""}),
    ("/outer", "inner", {**bus((0x1000000, 0xc8000000, 128 * MIB)), "dma-noncoherent": b""}),
    ("/outer/inner", "dsp", {"#dma-cells": cells32(1)}),
    ("/", "gpu", {"memory-region": cells32(0x9001), "dma-noncoherent": b""}),
    ("/", "codec", {"memory-region": cells32(0x9002)}),
    ("/", "isp", {"memory-region": cells32(0x9003), "dma-noncoherent": b""}),
]
ALL = (0, (1 << 64) - 1, 0, (1 << 64) - 1)
OUTER = [(0xc0000000, 0xffffffff, RAM_BASE, RAM_BASE + GIB - 1),
         (0, 512 * MIB - 1, RAM_BASE + GIB, RAM_BASE + GIB + 512 * MIB - 1)]

# Node: coherent, windows.
VIRT = {
    "/outer (bus)": (True, OUTER),
    "/outer/eth": (False, OUTER),
    "/outer/inner (bus)": (False, [(0x1000000, 0x8ffffff, RAM_BASE + 128 * MIB, RAM_BASE + 256 * MIB - 1)]),
    "/outer/inner/dsp": (False, [(0x1000000, 0x8ffffff, RAM_BASE + 128 * MIB, RAM_BASE + 256 * MIB - 1)]),
    "/gpu": (False, [ALL]),
    "/codec": (True, [ALL]),
    "/isp": (False, [ALL]),
}
PI_WINDOW = [(0xc0000000, 0xffffffff, 0, GIB - 1)]
PI = {"/soc (bus)": (False, PI_WINDOW), "/emmc2bus (bus)": (False, PI_WINDOW), "/soc/dma@7e007000": (False, PI_WINDOW)}


def virt_tree():
    blob = BOARD.tree()
    for parent, name, properties in NODES:
        blob = edit.add_node(blob, parent, name, properties)
    return blob


def answers(log):
    """[(what was typed, lines printed after it)]"""
    parts = (part.partition("\n") for part in log.split("memstage> ")[1:])
    return [(line.strip(), output.splitlines()) for line, _, output in parts]


def masters(lines):
    """{node: (coherent, windows)}, and the lines that are neither."""
    found, others, node = {}, [], None
    for line in lines:
        if match := re.fullmatch(r"(/\S* ?(?:\(bus\))?): (coherent|not coherent)", line):
            node = match[1]
            found[node] = (match[2] == "coherent", [])
        elif match := WINDOW.match(line):
            found[node][1].append(tuple(int(number, 16) for number in match.groups()))
        elif line.strip():
            others.append(line)
    return found, others


def masters_faults(said, expected):
    found, _ = masters(said)
    return [f"{node} is {found.get(node)}, {right} is right" for node, right in expected.items()
            if found.get(node) != right]


def suite_faults(lines):
    judged = ktap.judge(ktap.Console(lines, 0))
    return (judged.faults + [f"not ok: {one.name}" for one in judged.results if not one.passed] +
            ["no results"] * (not judged.results))


def left_faults(said):
    """After the suite: nothing is any master's, nothing is mapped for one, and the account balances."""
    dma, vmalloc, account = said[2][1], said[3][1], said[4][1]
    faults = [f"dma shows: {line}" for line in masters(dma)[1] if not line.startswith("    region ")]
    faults += [f"vmallocinfo shows: {line}" for line in vmalloc if "dma-coherent" in line]
    return faults + ["the account does not balance"] * (not any(line.endswith(": balanced") for line in account))


def conflict_faults(log, base):
    """What the suite provokes for /codec, whose pool begins at @base: both parties named, and the driver told."""
    page = f"[mem 0x{base + 0x1000:016x}-0x{base + 0x1007:016x}]"
    both = f"[mem 0x{base:016x}-0x{base + 0x1fff:016x}]"
    master = "as not cacheable by master /codec"
    texts = [f"memremap: {page} as write-back, OURS: mapped already, {both} {master}, OURS: refused",
             f"ioremap: {page} as device nGnRE, OURS: mapped already, {both} {master}, OURS: refused",
             f"master /codec: {both} as not cacheable, OURS: mapped already, {page} as write-back by memremap, "
             "OURS: refused",
             "dma: /codec: dma_alloc_coherent of 8192 bytes: some of its memory is mapped with another memory type; "
             "it reaches bus 0x0-"]
    ours = r"asked for by try_hidden\S*\+0x[0-9a-f]+"
    return [f"there is no line: {text}" for text in texts if not re.search(re.escape(text).replace("OURS", ours), log)]


def check(tap, name, result, expected):
    said = answers(result.log)
    machine.report(tap, f"{name}: boots, and ends with status 0", machine.status_faults(result, 0), result.log)
    if [line for line, _ in said] != TYPED:
        machine.report(tap, f"{name}: the prompt answers", [f"{[line for line, _ in said]}"], result.log)
        return
    machine.report(tap, f"{name}: what masters reach", masters_faults(said[0][1], expected), result.log)
    machine.report(tap, f"{name}: the suite", suite_faults(said[1][1]), result.log)
    machine.report(tap, f"{name}: nothing is left", left_faults(said), result.log)
    tap.note(f"  {result.seconds:.1f} s")


def main():
    tap = ktap.Tap()
    typed = "".join(line + "\n" for line in TYPED).encode()
    check(tap, "Raspberry Pi 4", Pi().boot(raspi.board_tree(), "", typed, LIMIT), PI)
    result = BOARD.boot_tree(virt_tree(), limit=LIMIT, stdin=typed)
    check(tap, "virt with buses and pools", result, VIRT)
    machine.report(tap, "types in conflict are told", conflict_faults(result.log, DARK), result.log)
    regions = [f"    region /reserved-memory/{name}, {kind}-dma-pool"
               for name, kind in (("locked", "restricted"), ("dark", "shared"), ("lent", "shared"))]
    machine.report(tap, "the regions that masters name", [f"there is no line: {line}" for line in regions
                                                         if line not in result.log.splitlines()], result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
