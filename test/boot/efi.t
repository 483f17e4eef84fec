#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""UEFI: the Image as an EFI application, started by EDK2 and by U-Boot's bootefi.

1. Ways in: EDK2 with the image as QEMU's -kernel (it becomes an EFI application with load options), from the EDK2
   shell (startup.nsh on a FAT), as EFI/BOOT/BOOTAA64.EFI of a FAT; U-Boot with its environment in flash.
2. Each boot's log is compared with the tree and with itself (compare_efi.py), one with the map that the shell prints.
3. No tree but ACPI: one line on the firmware's console, and an error status to the shell, which goes on.
4. The file itself: what a PE loader reads, against the arm64 Image header.
"""

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare_efi
import machine
import uboot
from bootlog import BootLog
from machine import COMMON, GIB, IMAGE, MIB, QEMU, Machine, ktap
from tree import PAGE, Tree

AT_ONCE = 4  # firmware waits more than it works
LIMIT = 200
EDK2 = "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"

ESCAPES = re.compile(r"\x1b(\[[0-9;=?]*[A-Za-z]|[78])")


class Case:
    """
    name: of the test
    board: the Machine
    start: called with (folder for files, Case): the QEMU options of firmware, image and command line
    append: boot arguments in the tree that the machine has; for EDK2 by -kernel, its load options too
    checks: each called with (tree, log, text), returns faults
    option: of the machine
    """

    def __init__(self, name, board, start, checks=(), append="", option=",acpi=off"):
        self.name, self.board, self.start, self.checks = name, board, start, checks
        self.append, self.option = append, option
        self.result = None

    def faults(self):
        try:
            tree = Tree(self.board.tree(self.append))
            with tempfile.TemporaryDirectory() as folder:
                options = self.board.options(self.option) + self.start(Path(folder), self)
                self.result = machine.run([QEMU, *COMMON, "-boot", "menu=on,splash-time=0", *options], b"", LIMIT)
            text = ESCAPES.sub("", self.result.log)
            self.result = self.result._replace(log=text)
            faults = machine.status_faults(self.result, 0)
            log = BootLog(text)
            for check in self.checks:
                faults += check(tree, log, text)
        except Exception as error:  # pylint: disable=broad-except # what it was is the fault of this machine
            return [f"{type(error).__name__}: {error}"]
        return faults


# --- Ways in ---


def by_kernel(_, case):
    return ["-bios", EDK2, "-kernel", str(IMAGE), "-append", case.append]


def fat(folder, files):
    """A drive with a FAT of these {path: bytes}."""
    disk = folder / "fat"
    disk.write_bytes(bytes(8 * MIB))
    subprocess.run(["mformat", "-i", disk, "-h", "16", "-s", "32", "-T", str(8 * MIB // 512), "::"], check=True)
    for path, data in files.items():
        made = folder / "file"
        made.write_bytes(data)
        parents = [str(parent) for parent in reversed(Path(path).parents)][1:]
        for parent in parents:
            subprocess.run(["mmd", "-i", disk, f"::/{parent}"], check=True)
        subprocess.run(["mcopy", "-i", disk, made, f"::/{path}"], check=True)
    return ["-drive", f"if=none,id=fat,format=raw,file={disk}", "-device", "virtio-blk-device,drive=fat"]


def by_shell(*commands):
    """EDK2's shell runs these; a text that is not ASCII makes the script UTF-16."""
    def start(folder, _):
        script = "".join(f"{command}\r\n" for command in commands)
        data = script.encode() if script.isascii() else b"\xff\xfe" + script.encode("utf-16-le")
        return ["-bios", EDK2, *fat(folder, {"startup.nsh": data, "memstage.efi": IMAGE.read_bytes()})]
    return start


def by_default(folder, case):
    """As a removable disk's default application; the tree with its boot arguments is given to QEMU."""
    tree = folder / "dtb"
    tree.write_bytes(case.board.tree(case.append))
    return ["-bios", EDK2, "-dtb", str(tree), *fat(folder, {"EFI/BOOT/BOOTAA64.EFI": IMAGE.read_bytes()})]


def by_shell_with_tree(*commands):
    def start(folder, case):
        tree = folder / "dtb"
        tree.write_bytes(case.board.tree(case.append))
        return ["-dtb", str(tree), *by_shell(*commands)(folder, case)]
    return start


def by_uboot(folder, case):
    """U-Boot puts its bootargs both into the tree and into the load options."""
    size = IMAGE.stat().st_size
    return uboot.by_flash(folder, IMAGE, bootargs=case.append,
                          bootcmd=f"bootefi {uboot.LOAD_ADDR:#x}:{size:#x} ${{fdtcontroladdr}}")


# --- Checks ---


def map_is_right(tree, log, _):
    return compare_efi.all_faults(tree, log, IMAGE.read_bytes())


def as_passed(_, log, text):
    """The map, by the tree that arrived, which firmware and our way in have changed; all of that is reserved."""
    handed = uboot.handed(text[text.find("memstage entered"):])
    tree = Tree(handed.blob)
    said = [(item.base, item.end) for item in log.claims["reserved"] if item.who == "device tree"]
    right = [(handed.address, handed.address + tree.totalsize())]
    return map_is_right(tree, log, text) + [f"the tree is {said} in the map, {right} is right"] * (said != right)


def entered_at(level):
    def check(_, log, __):
        return [] if log.level == level else [f"entered at EL{log.level}, {level} is right"]
    return check


def suites_pass(_, __, text):
    """Of the console from the image on: firmware's lines may look like anything."""
    start = text.find("memstage entered")
    return machine.suite_faults(machine.Run(0, text[max(start, 0):], 0), LIMIT)


def as_shell_says(_, log, text):
    return compare_efi.firmware(log, text)


def says(*patterns):
    def check(_, __, text):
        return [f"{len(found)} lines match /{pattern}/, one is right" for pattern in patterns
                if len(found := re.findall(pattern, text, re.MULTILINE)) != 1]
    return check


def silent(*patterns):
    def check(_, __, text):
        return [f"the log has: {line[0]}" for pattern in patterns if (line := re.search(pattern, text))]
    return check


def whole(level, *more):
    """The checks of a boot that goes well."""
    describes = says(r"memory: \d+ descriptors of UEFI's map say what is RAM", "left MMU or data cache on")
    return [entered_at(level), map_is_right, describes, silent(r"overlaps|outside RAM|are not in UEFI's map"), *more]


NO_TREE = (r"^memstage: not started: firmware gives no device tree in its configuration table, only ACPI perhaps "
           r"\(status 0x8000000000000003\)$")
NOT_TEXT = r"^memstage: the load options are not printable ASCII: ignored$"


def cases():
    one, four = Machine(cpus=1, ram=1 * GIB), Machine(cpus=4, ram=4 * GIB)
    one_el2, four_el2 = Machine(cpus=1, ram=1 * GIB, level=2), Machine(cpus=4, ram=4 * GIB, level=2)
    nodes = Machine(cpus=4, ram=2 * GIB, nodes=[GIB + 256 * MIB, 768 * MIB], level=2)
    small = Machine(cpus=1, ram=256 * MIB)
    boot, dump, test = "memstage.run=boot", "memstage.run=fdt,dump", "memstage.run=test"
    yield Case("EDK2 shell: the map as the shell says, the suites, 4 CPUs at EL1", four,
               by_shell("memmap", f"fs0:\\memstage.efi {test}"), whole(1, as_shell_says, suites_pass))
    yield Case("EDK2 shell, ACPI only: a line and an error status", one,
               by_shell("fs0:\\memstage.efi " + boot, "echo status %lasterror%", "reset -s"),
               [entered_at(None), says(NO_TREE, r"^status 0x\d*3$")], option=",acpi=on")
    yield Case("EDK2 shell: load options that are no ASCII are said and ignored, the tree's arguments count", small,
               by_shell_with_tree("fs0:\\memstage.efi memstage.run=n\u00f6 mem=64M"),
               whole(1, says(NOT_TEXT), silent("mem= leaves out")), append=boot)
    yield Case("EDK2 shell: load options go before the tree's arguments, which count too", one,
               by_shell_with_tree("fs0:\\memstage.efi " + boot),
               [entered_at(1), says(r"memory: mem= keeps \[mem .*\] for the image",
                                    r"account: discovered 537\d{6} bytes .*: balanced")],
               append="memstage.run=nothing mem=512M")
    yield Case("EDK2: EFI/BOOT/BOOTAA64.EFI, 4 CPUs at EL2", four_el2, by_default, whole(2, as_passed), append=dump)
    yield Case("EDK2: -kernel, 1 CPU at EL1", one, by_kernel, whole(1, as_passed), append=dump)
    yield Case("EDK2: -kernel, 1 CPU at EL2", one_el2, by_kernel, whole(2, as_passed), append=dump)
    yield Case("EDK2: -kernel, two nodes, 4 CPUs at EL2", nodes, by_kernel, whole(2, as_passed), append=dump)
    yield Case("U-Boot: bootefi, the suites, 4 CPUs at EL1", one_with(4), by_uboot, whole(1, suites_pass), append=test,
               option="")
    yield Case("U-Boot: bootefi, 1 CPU at EL2", one_el2, by_uboot, whole(2, as_passed), append=dump, option="")


def one_with(cpus):
    return Machine(cpus=cpus, ram=1 * GIB)


# --- The file ---


def pe_faults(image):
    """What a PE loader reads, against the arm64 Image header and the file. PE format, "Optional Header" and on."""
    magic, at = image[:2], struct.unpack_from("<I", image, 0x3C)[0]
    if magic != b"MZ" or image[at:at + 4] != b"PE\0\0" or image[0x38:0x3C] != b"ARM\x64":
        return ["one of the marks MZ, PE, ARM is missing"]
    target, sections, optional_size, flags = struct.unpack_from("<HH12xHH", image, at + 4)
    kind, entry, code, align, file_align = struct.unpack_from("<H14xII8xII", image, at + 24)
    in_memory, headers, _, subsystem = struct.unpack_from("<IIIH", image, at + 24 + 56)
    facts = {"machine": (target, 0xAA64), "kind": (kind, 0x20B), "subsystem": (subsystem, 10),
             "section alignment": (align, PAGE), "file alignment": (file_align, PAGE), "headers": (headers, PAGE),
             "size in memory": (in_memory, struct.unpack_from("<Q", image, 16)[0]),
             "relocations stripped": (flags & 1, 0)}
    faults = [f"{what} is {said:#x}, {right:#x} is right" for what, (said, right) in facts.items() if said != right]
    end, file_end = headers, headers
    for i in range(sections):
        name, size, rva, raw_size, raw, _, flags = struct.unpack_from("<8sIIII12sI", image,
                                                                      at + 24 + optional_size + 40 * i)
        if rva != end or raw != file_end or raw != rva or raw_size > size or raw_size % PAGE:
            faults.append(f"section {name}: {rva:#x} + {size:#x}, in the file {raw:#x} + {raw_size:#x}")
        if flags & 0xA0000000 == 0xA0000000:
            faults.append(f"section {name} is writable and executable")
        if rva <= entry < rva + size and (not flags & 0x20000000 or rva != code):
            faults.append(f"the entry point is in {name}, which is not code")
        end, file_end = rva + size, raw + raw_size
    if end != in_memory or file_end != len(image):
        faults.append(f"sections end at {end:#x} and, in the file, {file_end:#x}; {in_memory:#x} and {len(image):#x} "
                      "are right")
    return faults


def main():
    tap = ktap.Tap()
    machine.report(tap, "the Image is a PE file", pe_faults(IMAGE.read_bytes()))
    every = [case for case in cases() if not sys.argv[1:] or any(word in case.name for word in sys.argv[1:])]
    machine.report_cases(tap, every, AT_ONCE)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
