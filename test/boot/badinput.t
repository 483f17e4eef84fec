#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input beside the tree's own faults (badtree.t): where image, tree and initrd lie, which console there is.

Each case prints one line that names the fault, on the best console there is: before the MMU is on, when it would be too
late after. Then it ends with a failing status, or goes on to the end of a boot (status 0, memory in balance).
"""

import re
import struct
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import edit
import machine
import raspi
from edit import cells64
from machine import BUILD, GIB, IMAGE_ADDR, MIB, RAM_BASE, TREE_ADDR, Machine, ktap

AT_ONCE = 2
LIMIT = 20
RAM = GIB
RAM_END = RAM_BASE + RAM
UART = "/pl011@9000000"
IMAGE = machine.IMAGE.read_bytes()
IMAGE_SIZE, = struct.unpack_from("<Q", IMAGE, 16)
IMAGE_END = IMAGE_ADDR + IMAGE_SIZE


class Case:
    """
    line: the whole of a line, its time stamp aside, that must be there once, as a pattern
    ends: the boot ends there with status 1; else it goes on to its end
    never: a pattern that no line has
    how: more arguments of boot_tree()
    """

    def __init__(self, name, line, blob, ends=True, never=None, **how):
        self.name, self.line, self.blob, self.ends, self.never, self.how = name, line, blob, ends, never, how
        self.result = None

    def faults(self, board):
        self.result = board.boot_tree(self.blob, limit=LIMIT, **self.how)
        lines = [re.sub(r"^\[ *\d+\.\d+\] ", "", line) for line in self.result.log.splitlines()]
        count = sum(bool(re.fullmatch(self.line, line)) for line in lines)
        faults = machine.status_faults(self.result, 1 if self.ends else 0)
        if count != 1:
            faults.append(f"{count} lines are /{self.line}/")
        if self.never:
            faults += [f"there is: {line}" for line in lines if re.search(self.never, line)]
        if not self.ends and not re.search(r": balanced$", self.result.log, re.M):
            faults.append("memory is not balanced")
        return faults


def mem(base, end):
    return rf"\[mem 0x{base:x}-0x{end - 1:x}\]"


def mem64(base, end):
    return rf"\[mem 0x{base:016x}-0x{end - 1:016x}\]"


def symbol(name):
    """Offset of @name in the image."""
    symbols = {words[2]: int(words[0], 16) for words in map(str.split, (BUILD / "System.map").open(encoding="ascii"))}
    return symbols[name] - symbols["_text"]


def patched(name, word):
    at = symbol(name)
    return IMAGE[:at] + struct.pack("<I", word) + IMAGE[at + 4:]


def image_place(good):
    for offset in 4, 0x7FC, 0x800, 0xFFC:
        at = IMAGE_ADDR + offset
        yield Case(f"image {offset:#x} bytes behind a page", rf"panic: image at 0x{at:x}: not a multiple of 4096 "
                   "bytes; a loader puts it at a multiple of 2 MiB", good, at=at)
    at = IMAGE_ADDR + 4096
    yield Case("image at a page that is no multiple of 2 MiB", rf"memstage entered at EL1, image at 0x{at:x}, "
               rf"device tree at 0x{TREE_ADDR:x}", good, ends=False, at=at)
    for name, at, hole in (("last page", RAM_END - IMAGE_SIZE + 4096, RAM_END),
                           ("stack and tables", RAM_END - symbol("__bss_start"), RAM_END - symbol("__bss_start")
                            + symbol("__noinit_start"))):
        yield Case(f"RAM ends before the image does: {name}", rf"panic: image {mem(at, at + IMAGE_SIZE)}: no RAM at "
                   rf"0x{hole:x}, where it is to write", good, at=at)
    yield Case("image at the very end of RAM", r"memstage entered at EL1, .*", good, ends=False,
               at=RAM_END - IMAGE_SIZE)
    text = mem64(IMAGE_ADDR, IMAGE_ADDR + symbol("_etext"))
    yield Case("image outside the tree's memory",
               rf"reserved: image text {text} lies outside RAM: kept, it takes 0x0 bytes of it",
               edit.with_banks(good, (RAM_BASE + RAM // 2, RAM // 2)), ends=False)
    yield Case("a CPU without pages of 4 KiB", r"panic: this CPU has no pages of 4 KiB, which memstage needs: "
               "ID_AA64MMFR0_EL1 is 0xf0000000", good,
               image=patched("early_read_mmfr0", 0xD2BE0001))  # mov x1, #0xf0000000
    yield Case("an exception before the MMU is on", rf"panic: an exception before the MMU is on: esr 0x2000000, pc "
               rf"0x{IMAGE_ADDR + symbol('early_init'):x}, far 0x\w+ \(physical addresses\)", good,
               image=patched("early_init", 0))  # udf #0


def tree_place(good):
    def overlap(at):
        return (rf"panic: device tree at 0x{at:x}: overlaps the image, {mem(IMAGE_ADDR, IMAGE_END)}, "
                "which would write over it")

    def resized(size):
        return edit.with_header(good, 1, size)

    places = {"text": IMAGE_ADDR + 0x1000, "bss": IMAGE_ADDR + symbol("__bss_start") + 8,
              "stack and tables": IMAGE_ADDR + symbol("__noinit_start"), "last 8 bytes": IMAGE_END - 8}
    for name, at in places.items():
        loads = [] if name == "text" else [(at, good)]
        yield Case(f"tree in the image's {name}", overlap(at), None, x0=at, loads=loads)
    below = IMAGE_ADDR - 0x10000
    yield Case("tree that reaches the image by 8 bytes", overlap(below), None, x0=below,
               loads=[(below, resized(0x10008)[:0x10000])])
    yield Case("tree that ends where the image begins", rf"memstage entered .* device tree at 0x{below:x}", None,
               x0=below, ends=False, loads=[(below, resized(0x10000))])
    yield Case("tree that begins where the image ends", rf"memstage entered .* device tree at 0x{IMAGE_END:x}", None,
               x0=IMAGE_END, ends=False, loads=[(IMAGE_END, good)])
    yield Case("tree below the image that claims 4 GiB", rf"panic: device tree at 0x{below:x}: larger than 2 MiB", None,
               x0=below, loads=[(below, resized(0xFFFFFFF0))])
    yield Case("tree of more than 2 MiB", rf"panic: device tree at 0x{TREE_ADDR:x}: larger than 2 MiB",
               resized(2 * MIB + 8))
    end = RAM_END - 0x4000
    yield Case("tree past the end of RAM", rf"panic: device tree at 0x{end:x}: 65536 bytes, but nothing answers at "
               rf"0x{RAM_END:x}", None, x0=end, loads=[(end, resized(0x10000)[:0x4000])])
    blob = edit.with_banks(good, (RAM_BASE, TREE_ADDR - RAM_BASE))
    yield Case("tree outside the tree's memory", rf"reserved: device tree {mem64(TREE_ADDR, TREE_ADDR + len(blob))} "
               "lies outside RAM: kept, it takes 0x0 bytes of it", blob, ends=False)


def initrd_place(good):
    def initrd(start, end):
        blob = edit.set_property(good, "/chosen", "linux,initrd-start", cells64(start))
        return edit.set_property(blob, "/chosen", "linux,initrd-end", cells64(end))

    ranges = {"image text": (IMAGE_ADDR + 0x1000, IMAGE_ADDR + 0x2000),
              "image data": (IMAGE_END - 0x1000, IMAGE_END + MIB), "device tree": (TREE_ADDR, TREE_ADDR + 0x1000)}
    for name, (start, end) in ranges.items():
        yield Case(f"initrd that overlaps the {name}", rf"reserved: initrd {mem64(start, end)} overlaps {name} "
                   r"\[mem .*\]: both kept", initrd(start, end), ends=False)
    yield Case("initrd outside RAM", rf"reserved: initrd {mem64(RAM_END, RAM_END + MIB)} lies outside RAM: kept, "
               "it takes 0x0 bytes of it", initrd(RAM_END, RAM_END + MIB), ends=False)


def consoles(good):
    def stdout(value, blob=good):
        return edit.set_property(blob, "/chosen", "stdout-path", value)

    def second(blob, **properties):
        node = {"compatible": b"arm,pl011\0", "reg": cells64(0x9000000, 0x1000), **properties}
        return edit.add_node(blob, "/", "other@9000000", node)

    def without(blob):
        return edit.remove_node(blob, UART)

    instead = r": using the UART above instead"
    early = r", and the tree has no other UART that can be used: using the early console"
    no_stdout = r"there is no /chosen/stdout-path"
    missing = r'/chosen/stdout-path is "%s": there is no such node'
    off = edit.set_property(good, UART, "status", b"disabled\0")
    is_off = rf"{UART}: {UART} is not enabled by its status"
    no_path = edit.edited(good, lambda fdt: fdt.delprop(fdt.path_offset("/chosen"), "stdout-path"))
    yield Case("no stdout-path", rf"console: {no_stdout}{instead}", no_path, ends=False)
    yield Case("no stdout-path, no UART", rf"console: {no_stdout}{early}", without(no_path), ends=False)
    yield Case("stdout-path of a missing node", rf"console: {missing % '/nowhere'}{instead}", stdout(b"/nowhere\0"),
               ends=False)
    yield Case("stdout-path of a missing alias", rf"console: {missing % 'serial7:115200n8'}{instead}",
               stdout(b"serial7:115200n8\0"), ends=False)
    yield Case("a UART that no driver knows", rf"console: no driver for {UART}{early}",
               edit.set_property(good, UART, "compatible", b"acme,uart\0"), ends=False)
    yield Case("a UART that is disabled", rf"console: {is_off}{early}", off, ends=False)
    yield Case("a UART that is disabled, and another", rf"console: {is_off}{instead}", second(off), ends=False)
    yield Case("two UARTs that are disabled", rf"console: {is_off}{early}", second(off, status=b"disabled\0"),
               ends=False)
    bus = edit.add_node(good, "/", "bus", {"#address-cells": edit.cells32(2), "#size-cells": edit.cells32(2)})
    bus = edit.add_node(bus, "/bus", "uart", {"compatible": b"arm,pl011\0", "reg": cells64(0x9000000, 0x1000)})
    yield Case("a UART behind a bus that the CPU does not reach",
               rf"console: /bus has no ranges: the CPU does not reach what is on it{instead}",
               stdout(b"/bus/uart\0", bus), ends=False)
    bus = edit.set_property(edit.set_property(bus, "/bus", "ranges", b""), "/bus", "status", b"fail\0")
    yield Case("a UART behind a bus that is off", rf"console: /bus/uart: /bus is not enabled by its status{instead}",
               stdout(b"/bus/uart\0", bus), ends=False)
    far = edit.set_property(good, UART, "reg", cells64(1 << 46, 0x1000))
    yield Case("a UART beyond the physical addresses",
               rf"console: registers of {UART} at 0x400000000000 are beyond the CPU's 44-bit physical addresses{early}",
               far, ends=False)
    nothing = edit.set_property(good, UART, "reg", cells64(0x2000000000, 0x1000))
    yield Case("a UART where nothing answers", rf"console: nothing answers at 0x2000000000, the registers of {UART}"
               rf"{early}", nothing, ends=False)
    aliased = edit.add_node(second(off), "/", "aliases", {}) if b"aliases\0" not in good else second(off)
    aliased = edit.set_property(edit.add_node(aliased, "/", "late@9000000", {
        "compatible": b"arm,pl011\0", "reg": cells64(0x9000000, 0x1000)}), "/aliases", "serial3", b"/other@9000000\0")
    yield Case("another UART, by its alias", r"console: pl011 at 0x9000000, /other@9000000", aliased, ends=False)


def arguments(good):
    yield Case("boot arguments without an end",
               r"bootargs: /chosen/bootargs has 17 bytes and no NUL at its end: ignored",
               edit.set_property(good, "/chosen", "bootargs", b"memstage.run=boot"), ends=False, stdin=b"\x04")
    yield Case("boot arguments with a NUL within",
               "bootargs: /chosen/bootargs has a NUL at byte 17 of 23: the rest is ignored",
               edit.set_property(good, "/chosen", "bootargs", b"memstage.run=boot\0mem\0\0"), ends=False)
    yield Case("boot arguments with NULs behind", r"memstage entered .*", edit.set_property(
        good, "/chosen", "bootargs", b"memstage.run=boot\0\0\0\0"), ends=False, never="bootargs:")


def other_board(tap):
    """The same image on a Raspberry Pi 4 without a tree: RAM where virt has its UART, and a PL011 elsewhere."""
    tests = {"no tree": (IMAGE, r"panic: device tree at 0x100: the boot loader passed none; at 0x40000000 "
                         r"\(CONFIG_FDT_ADDR\): no device tree at its address \(wrong magic\)"),
             "before the MMU is on": (patched("early_init", 0), "panic: an exception before the MMU is on: .*")}
    for name, (image, line) in tests.items():
        with tempfile.NamedTemporaryFile() as file:
            file.write(image)
            file.flush()
            # On the mini UART, which is on there.
            result = machine.run(raspi.Pi().command("-kernel", file.name, *raspi.SEMIHOSTING), limit=LIMIT)
        faults = machine.status_faults(result, 1)
        if not re.search(rf"^(\[ *[\d.]+\] )?{line}$", result.log, re.M):
            faults.append(f"no line is /{line}/")
        machine.report(tap, f"Raspberry Pi 4: {name}", faults, result.log)


def main():
    tap = ktap.Tap()
    board = Machine(cpus=1, ram=RAM)
    good = edit.edited(board.tree("memstage.run=boot"), lambda fdt: None)
    makers = image_place, tree_place, initrd_place, consoles, arguments
    cases = [case for maker in makers for case in maker(good)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, faults in zip(cases, pool.map(lambda case: case.faults(board), cases)):
            machine.report(tap, case.name, faults, case.result.log)
    other_board(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
