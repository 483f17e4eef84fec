#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""memstage-exec.elf: the image with fixed addresses, for loaders of ELF files, which pass no device tree.

1. The file: an ET_EXEC whose segments are the Image's bytes, at CONFIG_EXEC_ADDR, none writable and executable.
2. QEMU's loader device reads it and starts CPU 0 at its entry, at each exception level; x0 is 0, and the tree is the
   one that QEMU leaves at the start of RAM.
3. Entered as U-Boot's bootelf and go enter: MMU and caches on, x0 the number of arguments. A few instructions of our
   own do that. (U-Boot 2023.01 itself never comes so far: it waits for its UART to be full before it jumps.)
4. U-Boot's bootelf reads it, by segments and by sections; booti starts what it has loaded, where it lies.
"""

import struct
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
import uboot
from bootlog import BootLog
from machine import BUILD, COMMON, GIB, IMAGE, QEMU, RAM_BASE, TRAMPOLINE, Machine, ktap, move
from tree import PAGE, Tree

AT_ONCE = 2
LIMIT = 60
ELF = BUILD / "memstage-exec.elf"

PT_LOAD, SHF_ALLOC, SHT_NOBITS = 1, 2, 8


def option(name):
    """A number of the image's configuration."""
    for line in (BUILD / ".config").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"CONFIG_{name}="):
            return int(line.split("=")[1], 0)
    raise RuntimeError(f"no CONFIG_{name}")


EXEC_ADDR, FDT_ADDR = option("EXEC_ADDR"), option("FDT_ADDR")

# --- The file (ELF-64 Object File Format) ---


def records(elf, fmt, offset, size, count):
    return [struct.unpack_from(fmt, elf, offset + i * size) for i in range(count)]


def elf_faults(elf, image):
    kind, _, _, entry, phoff, shoff = struct.unpack_from("<HHIQQQ", elf, 16)
    phsize, phnum, shsize, shnum = struct.unpack_from("<HHHH", elf, 54)
    faults = [] if kind == 2 else [f"its type is {kind}, 2 (ET_EXEC) is right"]
    if entry != EXEC_ADDR:
        faults.append(f"entry is {entry:#x}, {EXEC_ADDR:#x} is right")
    loads = [item for item in records(elf, "<IIQQQQQQ", phoff, phsize, phnum) if item[0] == PT_LOAD]
    covered = bytearray(len(image))
    for _, flags, offset, vaddr, paddr, in_file, in_memory, _ in loads:
        place = paddr - EXEC_ADDR
        if vaddr != paddr or flags & 3 == 3 or in_memory < in_file:
            faults.append(f"segment at {vaddr:#x} and {paddr:#x}, flags {flags}, {in_file:#x} of {in_memory:#x} bytes")
        if elf[offset:offset + in_file] != image[place:place + in_file]:
            faults.append(f"the segment at {paddr:#x} is not the Image's bytes")
        covered[place:place + in_file] = elf[offset:offset + in_file]
    end = max((paddr + in_memory for _, _, _, _, paddr, _, in_memory, _ in loads), default=0)
    size, = struct.unpack_from("<Q", image, 16)
    if end - EXEC_ADDR != size:
        faults.append(f"segments end at {end:#x}, {EXEC_ADDR + size:#x} is right")
    if covered.rstrip(b"\0") != image.rstrip(b"\0"):
        faults.append("the segments are not the whole Image")
    for _, _, flags, addr, _, size, *_ in records(elf, "<IIQQQQIIQQ", shoff, shsize, shnum):
        if flags & SHF_ALLOC and not EXEC_ADDR <= addr <= addr + size <= end:
            faults.append(f"a section is at {addr:#x}, outside the segments")
    return faults


# --- Ways in ---


def by_qemu(_, __):
    return ["-device", f"loader,file={ELF},cpu-num=0"]


def mmu_on(level):
    """
    At TRAMPOLINE: MMU and caches on at EL1 or EL2, all mapped where it lies, x0 = 1, to the image. A page further: the
    table, of level 1 for 39 address bits: the first GiB is devices, the second, RAM, normal write-back memory.
    Arm ARM, D8.3 (descriptors), D24.2 (MAIR, TCR, SCTLR).
    """
    other = (level - 1) << 18  # EL2's registers are EL1's with op1 4
    user = (level - 1) << 6  # AP[1]: 1 at EL2; at EL1 it would be EL0's
    table = [1 << 54 | 1 << 10 | 1 << 2 | user | 1, RAM_BASE | 1 << 10 | 3 << 8 | user | 1]
    walks = 25 | 1 << 8 | 1 << 10 | 3 << 12  # T0SZ and how tables are read
    tcr = walks | (1 << 23 | 2 << 32 if level == 1 else 1 << 31 | 1 << 23 | 2 << 16)
    words = move(5, 0x00FF) + [0xD518A205 | other]  # msr mair, x5
    words += move(5, tcr) + [0xD5182045 | other]  # msr tcr, x5
    words += move(5, TRAMPOLINE + PAGE) + [0xD5182005 | other]  # msr ttbr0, x5
    words += [0xD508871F | other, 0xD5033F9F, 0xD5033FDF]  # tlbi; dsb sy; isb
    words += [0xD5381005 | other] + move(6, 1 << 12 | 1 << 2 | 1)  # mrs x5, sctlr; x6 = I, C, M
    words += [0xAA0600A5, 0xD5181005 | other, 0xD5033FDF]  # orr x5, x5, x6; msr sctlr, x5; isb
    words += move(0, 1) + move(4, EXEC_ADDR) + [0xD61F0080]  # br x4
    return struct.pack(f"<{len(words)}I", *words).ljust(PAGE, b"\0") + struct.pack("<QQ", *table).ljust(PAGE, b"\0")


def by_mmu_on(folder, case):
    code = folder / "code"
    code.write_bytes(mmu_on(case.board.level))
    return ["-device", f"loader,file={ELF}", "-device", f"loader,addr={TRAMPOLINE:#x},cpu-num=0",
            "-device", f"loader,file={code},addr={TRAMPOLINE:#x},force-raw=on"]


def by_bootelf(how):
    def start(folder, _):
        return uboot.by_flash(folder, ELF, autostart="no", bootargs="memstage.run=boot",
                              bootcmd=f"bootelf {how} {uboot.LOAD_ADDR:#x}; booti {EXEC_ADDR:#x} - ${{fdtcontroladdr}}")
    return start


class Case:
    """start: called with (folder for files, Case), gives QEMU's options; taken: whether FDT_ADDR names the tree."""

    def __init__(self, name, board, start, taken=True):
        self.name, self.board, self.start, self.taken = name, board, start, taken
        self.result = None

    def faults(self):
        try:
            tree = Tree(self.board.tree())
            with tempfile.TemporaryDirectory() as folder:
                options = self.board.options() + self.start(Path(folder), self)
                # The end of the input ends the prompt; to U-Boot any key would end its own journey.
                self.result = machine.run([QEMU, *COMMON, *options], b"\x04" if self.taken else b"", LIMIT)
            log = BootLog(self.result.log)
            faults = machine.status_faults(self.result, 0) + compare.level(self.board, log)
            for check in (compare.banks, compare.nodes, compare.cpus, compare.memory_line, compare.metadata,
                          compare.account):
                faults += check(tree, log)
            said = [(item.base, item.end, item.who) for item in log.claims["reserved"]]
            faults += compare.image_parts(said, IMAGE.read_bytes(), EXEC_ADDR)
            line = f"device tree: the boot loader passed none: the one at {FDT_ADDR:#x} (CONFIG_FDT_ADDR) is taken"
            if ("left MMU or data cache on" in self.result.log) != (self.start == by_mmu_on):
                faults.append("what is said of the MMU at entry is wrong")
            if (line in self.result.log) != self.taken:
                faults.append(f"{'not' if self.taken else 'wrongly'} said: {line}")
        except Exception as error:  # pylint: disable=broad-except # what it was is the fault of this machine
            return [f"{type(error).__name__}: {error}"]
        return faults


def cases():
    for level in 1, 2, 3:
        cpus = 1 if level == 3 else 2  # at EL3 nobody is there to start others
        yield Case(f"QEMU's loader, EL{level}, {cpus} CPUs", Machine(cpus=cpus, ram=GIB, level=level), by_qemu)
    for level in 1, 2:
        yield Case(f"MMU and caches on, x0 is 1, EL{level}", Machine(cpus=2, ram=GIB, level=level), by_mmu_on)
    for how in "-p", "-s":
        yield Case(f"U-Boot: bootelf {how}, then booti", Machine(cpus=2, ram=GIB), by_bootelf(how), taken=False)


def main():
    tap = ktap.Tap()
    machine.report(tap, "the file", elf_faults(ELF.read_bytes(), IMAGE.read_bytes()))
    machine.report_cases(tap, list(cases()), AT_ONCE)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
