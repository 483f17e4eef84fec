#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Trees that are right but unlike QEMU's: other cell counts, many and odd banks, reservations of every kind, sparse
node ids. Each is booted on a machine of 1 GiB, and what the image prints is compared with it as in matrix.t. Then the
same at each exception level, where the suite of CPUs, interrupts and timers runs too."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
from bootlog import BootLog
from machine import GIB, IMAGE_ADDR, MIB, RAM_BASE, Machine, ktap
from tree import Tree

AT_ONCE = 2
LIMIT = 30
RAM = GIB
SPARE = RAM_BASE + 0x10000000  # from here on nothing is placed by machine.boot_tree()

# What the image needs of QEMU's virt, 4 CPUs.
SOURCE = """/dts-v1/;
{memreserve}
/ {{
	#address-cells = <{ac}>;
	#size-cells = <{sc}>;
	interrupt-parent = <&gic>;
	compatible = "linux,dummy-virt";
	chosen {{ bootargs = "memstage.run=boot"; stdout-path = "/pl011@9000000"; {chosen} }};
	psci {{ compatible = "arm,psci-1.0", "arm,psci-0.2"; method = "hvc"; }};
	clk: clock {{ compatible = "fixed-clock"; #clock-cells = <0>; clock-frequency = <24000000>; }};
	pl011@9000000 {{
		compatible = "arm,pl011", "arm,primecell";
		reg = <{uart}>;
		interrupts = <0 1 4>;
		clocks = <&clk>, <&clk>;
		clock-names = "uartclk", "apb_pclk";
	}};
	gic: intc@8000000 {{
		compatible = "arm,cortex-a15-gic";
		#interrupt-cells = <3>;
		interrupt-controller;
		reg = <{gicd} {gicc}>;
	}};
	timer {{
		compatible = "arm,armv8-timer";
		interrupts = <1 13 0xf04>, <1 14 0xf04>, <1 11 0xf04>, <1 10 0xf04>;
		always-on;
	}};
	cpus {{ #address-cells = <1>; #size-cells = <0>; {cpus} }};
	{body}
}};
"""


def cells(count, number):
    return " ".join(f"{number >> 32 * i & 0xFFFFFFFF:#x}" for i in reversed(range(count)))


def compiled(ac=2, sc=2, banks=((RAM_BASE, RAM),), memreserve=(), chosen="", body="", cpu_nodes=()):
    """
    A tree for machine.boot_tree().

    ac, sc: #address-cells and #size-cells of the root
    banks: (base, size), all in one node; () for none but those that @body has
    chosen, body: more properties of /chosen, more nodes of the root
    cpu_nodes: the numa-node-id of each CPU
    """
    def pair(base, size):
        return f"{cells(ac, base)} {cells(sc, size)}"

    cpus = ""
    for i in range(4):
        node = f"numa-node-id = <{cpu_nodes[i]}>;" if cpu_nodes else ""
        cpus += (f'cpu@{i} {{ device_type = "cpu"; compatible = "arm,cortex-a72"; reg = <{i}>; '
                 f'enable-method = "psci"; {node} }};\n')
    if banks:
        reg = " ".join(pair(base, size) for base, size in banks)
        body += f'memory@{banks[0][0]:x} {{ device_type = "memory"; reg = <{reg}>; }};\n'
    source = SOURCE.format(
        ac=ac, sc=sc, chosen=chosen, cpus=cpus, body=body,
        memreserve="\n".join(f"/memreserve/ {base:#x} {size:#x};" for base, size in memreserve),
        uart=pair(0x9000000, 0x1000), gicd=pair(0x8000000, 0x10000), gicc=pair(0x8010000, 0x10000))
    done = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), capture_output=True,
                          timeout=LIMIT, check=False)
    if done.returncode:
        raise RuntimeError(f"dtc: {done.stderr.decode()}")
    return done.stdout


def memory(base, size, more):
    return f'memory@{base:x} {{ device_type = "memory"; reg = <{cells(2, base)} {cells(2, size)}>; {more} }};\n'


def shapes():
    """Banks."""
    for ac, sc in ((1, 1), (2, 1), (1, 2), (2, 2)):
        yield f"cells {ac} and {sc}", compiled(ac=ac, sc=sc)
    low = (RAM_BASE, 128 * MIB)
    yield "two banks that touch", compiled(banks=[low, (RAM_BASE + 128 * MIB, 64 * MIB)])
    yield "two banks, the higher first", compiled(banks=[(SPARE, 64 * MIB), low])
    yield "300 banks", compiled(banks=[low] + [(SPARE + i * 2 * MIB, MIB) for i in range(300)])
    yield "300 banks of a page", compiled(banks=[low] + [(SPARE + i * 0x3000, 0x1000) for i in range(300)])
    yield "banks that end inside pages", compiled(banks=[
        (RAM_BASE + 0x123, 128 * MIB), (SPARE + 0x800, 0x7000), (SPARE + 0x10010, 0xFF0), (SPARE + 0x20001, 0xFFE)])
    yield "banks that touch inside a page", compiled(banks=[low, (SPARE, 0x10800), (SPARE + 0x10800, 0x10800)])
    yield "a bank that is not enabled", compiled(banks=[low], body=memory(SPARE, 64 * MIB, 'status = "disabled";'))
    yield "a border inside a pageblock", compiled(banks=[(RAM_BASE, 128 * MIB - 0x5000), (SPARE + 0x3000, 64 * MIB)])


def reservations():
    own = [(SPARE + 0x10000, 0x4000), (SPARE + 0x100123, 0x456)]
    yield "/memreserve/", compiled(memreserve=own)
    yield "/memreserve/ of the tree itself", compiled(memreserve=[(machine.TREE_ADDR, 0x1000)])
    for count in 1, 2:
        yield f"an initrd told in {count} cells", compiled(
            chosen=f"linux,initrd-start = <{cells(count, SPARE)}>; "
                   f"linux,initrd-end = <{cells(count, SPARE + 0x12345)}>;")
    yield "/reserved-memory with places", compiled(body=reserved_memory(
        fixed(SPARE, 0x100000), fixed(SPARE + 4 * MIB, 4 * MIB, "no-map;"), fixed(SPARE + 0x900000, 0x2000, "no-map;"),
        fixed(SPARE + 0xA00100, 0x1F00), fixed(SPARE + 0xB00000, 0x1000, 'status = "disabled";')))
    reg = " ".join(cells(2, number) for number in (SPARE, 0x3000, SPARE + MIB, 0x5000))
    yield "/reserved-memory, two places of one node", compiled(
        body=reserved_memory(f"both@{SPARE:x} {{ reg = <{reg}>; }};"))
    yield "/reserved-memory without places", compiled(body=reserved_memory(
        sized("pool", 0x100000), sized("aligned", 0x200000, f"alignment = <{cells(2, 16 * MIB)}>;"),
        sized("ranged", 0x40000, f"alloc-ranges = <{cells(2, SPARE)} {cells(2, MIB)}>;"),
        sized("hidden", 0x400000, "no-map;")))
    yield "no-map at both ends of RAM", compiled(body=reserved_memory(
        fixed(RAM_BASE, 0x1000, "no-map;"), fixed(RAM_BASE + RAM - 0x3000, 0x3000, "no-map;")))
    yield "no-map over the image and the tree", compiled(body=reserved_memory(
        fixed(machine.IMAGE_ADDR, 4 * MIB, "no-map;"), fixed(machine.TREE_ADDR, 0x1000, "no-map;")))
    yield "no-map of one page in 2 MiB, 64 times", compiled(body=reserved_memory(
        *(fixed(SPARE + i * 2 * MIB + 0x7000, 0x1000, "no-map;") for i in range(64))))


def reserved_memory(*nodes):
    return "reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; " + "\n".join(nodes) + " };\n"


def fixed(base, size, more=""):
    return f"fixed@{base:x} {{ reg = <{cells(2, base)} {cells(2, size)}>; {more} }};"


def sized(name, size, more=""):
    return f"{name} {{ size = <{cells(2, size)}>; {more} }};"


def nodes():
    def banks(ids, size, start=RAM_BASE):
        return "".join(memory(start + i * size, size, f"numa-node-id = <{nid}>;") for i, nid in enumerate(ids))

    def distances(*entries):
        matrix = " ".join(f"{a} {b} {d}" for a, b, d in entries)
        return f'distance-map {{ compatible = "numa-distance-map-v1"; distance-matrix = <{matrix}>; }};'

    yield "nodes that take turns", compiled(banks=(), cpu_nodes=[0, 1, 0, 1], body=banks([0, 1] * 8, 64 * MIB))
    yield "nodes 3 and 7, distances one way", compiled(
        banks=(), cpu_nodes=[3, 3, 7, 7],
        body=banks([3, 7], 512 * MIB) + distances((3, 3, 10), (3, 7, 31), (7, 7, 10)))
    yield "a node with CPUs only", compiled(
        banks=(), cpu_nodes=[0, 1, 2, 2],
        body=banks([0, 1], 512 * MIB) + distances((0, 1, 15), (0, 2, 40), (1, 2, 12), (2, 0, 41)))
    yield "a node with memory only", compiled(banks=(), cpu_nodes=[0] * 4, body=banks([0, 1], 512 * MIB))
    yield "a node of one page", compiled(
        banks=(), cpu_nodes=[0] * 4,
        body=banks([0], RAM - 0x1000) + banks([1], 0x1000, RAM_BASE + RAM - 0x1000))
    yield "node 63", compiled(banks=(), cpu_nodes=[63] * 4, body=banks([63], RAM))


def buses():
    yield "masters that reach half of RAM", compiled(body=f"""soc {{
        compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;
        dma-ranges = <0 {cells(2, 0)} {RAM_BASE + RAM // 2:#x}>; }};""")


def entries():
    """At each exception level, with QEMU's own tree. At EL3 that has no PSCI, so there is one CPU."""
    for cpu in "cortex-a53", "cortex-a72", "cortex-a76", "max":
        for level, cpus in ((1, 4), (2, 4), (3, 1)):
            board = Machine(cpus=cpus, ram=RAM, cpu=cpu, level=level)
            yield f"entered at EL{level}, {cpu}", board.tree("memstage.run=test,cpus"), board


def faults_of(case):
    _, blob, board = case
    result = board.boot_tree(blob, limit=LIMIT)
    log = BootLog(result.log)
    faults = machine.status_faults(result, 0) + compare.level(board, log)
    faults += compare.all_faults(Tree(blob), log, machine.IMAGE.read_bytes(), IMAGE_ADDR)
    if b"memstage.run=test" in blob:
        faults += machine.suite_faults(result, LIMIT)
        faults += ["the timer's interrupt was not tested"] * ("# SKIP" in result.log)
    return faults, result


def main():
    tap = ktap.Tap()
    board = Machine(cpus=4, ram=RAM)
    cases = [(name, blob, board) for maker in (shapes, reservations, nodes, buses) for name, blob in maker()]
    cases += entries()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, (faults, result) in zip(cases, pool.map(faults_of, cases)):
            machine.report(tap, case[0], faults, result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
