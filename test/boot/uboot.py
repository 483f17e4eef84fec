# SPDX-License-Identifier: BSD-2-Clause
"""Boots through U-Boot, and the tree that a boot loader really handed over.

1. A loader is a name of scripts/run-uboot; here stands only where it leaves the image and what U-Boot says of it.
2. files() makes what the loaders need, as `make uboot-files` does, with boot arguments of one's choice; by_flash() has
   U-Boot run any other command.
3. handed() reads what `fdt dump` printed at the prompt: the tree as it arrived, whatever the loader did to it. It is
   for any machine and any loader, as is tree_place(): where U-Boot says that it put the tree.
"""

import base64
import os
import re
import subprocess
import sys
import zlib
from collections import namedtuple
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
from tree import Tree

LIMIT = 120  # seconds; all suites take about six, the rest is for a busy host
MAKE_LIMIT = 120
UBOOT = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
LOAD_ADDR = 0x50000000  # where by_flash() puts its file
FLASH = 64 << 20
ENVIRONMENT = 0x40000

# image_addr: where the image runs. says: what U-Boot prints only when it starts the image in this way.
Loader = namedtuple("Loader", "name image_addr says")

LOADERS = [
    Loader("booti", 0x50000000, "Loading Environment from Flash... OK"),
    Loader("booti-in-place", 0x50000000, "Using Device Tree in place"),
    Loader("booti-gzip", 0x50000000, "Uncompressing Kernel Image"),
    Loader("fit", 0x40400000, "Using 'virt-gzip' configuration"),
    Loader("fit-compatible", 0x40400000, "Using 'virt' configuration"),
    Loader("uimage", 0x40400000, "Image Type:   AArch64 Linux Kernel Image (uncompressed)"),
    Loader("uimage-gzip", 0x40400000, "Image Type:   AArch64 Linux Kernel Image (gzip compressed)"),
    Loader("bootscr", 0x40400000, "Found U-Boot script /boot.scr"),
    Loader("extlinux", 0x40400000, "Found /extlinux/extlinux.conf"),
    Loader("tftp", 0x40400000, "Filename 'boot.scr.uimg'"),
    Loader("pxe", 0x40400000, "pxelinux.cfg/default"),
    Loader("fwcfg", 0x40400000, "loading kernel to address 0000000040400000"),
]

# Value of QEMU_ARGS, or its beginning: CPUs take turns (machine.py).
IN_TURNS = " ".join(machine.IN_TURNS)

# options: variables of scripts/run's environment. level: the exception level at which U-Boot leaves the image.
Board = namedtuple("Board", "name options level cpus")

# blob: the tree, padded with zeroes to its totalsize. address, crc: as `fdt` says, crc of the bytes used.
Handed = namedtuple("Handed", "blob address crc")

SUMMARY = re.compile(r"^fdt: at 0x([0-9a-f]+), version \d+, (\d+) bytes used of (\d+), \d+ reservations, "
                     r"CRC-32 of the used bytes 0x([0-9a-f]{8})$", re.MULTILINE)
DUMP = re.compile(r"^-----BEGIN DEVICE TREE-----\n(.*?)^-----END DEVICE TREE-----$", re.MULTILINE | re.DOTALL)
MOVED = re.compile(r"Loading Device Tree to ([0-9a-f]+), end")
IN_PLACE = re.compile(r"Using Device Tree in place at ([0-9a-f]+), end")


def files(folder, append):
    """Make the files of all loaders in @folder, with the boot arguments @append."""
    command = ["make", "-C", str(machine.ROOT), "--no-print-directory", "uboot-files", f"UBOOT={folder}",
               f"APPEND={append.replace('$', '$$')}"]
    done = subprocess.run(["timeout", str(MAKE_LIMIT), *command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"make uboot-files: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def boot(loader, board, folder, typed, append="", limit=LIMIT):
    """Boot by @loader with the files in @folder, @typed at the prompt. Return: a machine.Run."""
    command = ["env", f"RUN_TIMEOUT={limit}", f"APPEND={append}", *board.options,
               str(machine.ROOT / "scripts/run-uboot"), loader.name, str(machine.BUILD), str(folder)]
    return machine.run(command, typed.encode(), limit + 10)


def by_flash(folder, file, **variables):
    """QEMU's options for U-Boot with @file at LOAD_ADDR and @variables, bootcmd above all, as its environment."""
    text, flash = folder / "env.txt", folder / "flash"
    lines = {"bootdelay": 0, **variables}
    text.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="ascii")
    subprocess.run(["mkenvimage", "-s", str(ENVIRONMENT), "-o", flash, text], check=True)
    os.truncate(flash, FLASH)
    return ["-bios", UBOOT, "-drive", f"if=pflash,format=raw,unit=1,file={flash}",
            "-device", f"loader,file={file},addr={LOAD_ADDR:#x},force-raw=on"]


def handed(log):
    """The tree that `fdt dump` printed, a Handed. Raises ValueError for what is not all there, or damaged."""
    dump = DUMP.search(log)
    said = list(SUMMARY.finditer(log, 0, dump.start())) if dump else []
    if not said:
        raise ValueError("no dump of a device tree")
    address, used, total, crc = (int(said[-1][i], base) for i, base in ((1, 16), (2, 10), (3, 10), (4, 16)))
    blob = base64.b64decode(dump[1].replace("\n", ""), validate=True)
    if len(blob) != used or zlib.crc32(blob) != crc:
        raise ValueError(f"the dump has {len(blob)} bytes with CRC {zlib.crc32(blob):#x}, {used} with {crc:#x} are "
                         "right")
    return Handed(blob + bytes(total - used), address, crc)


def tree_place(log):
    """Where U-Boot says that it put the tree for the image, None when it does not say."""
    found = list(MOVED.finditer(log)) + list(IN_PLACE.finditer(log))
    return int(found[-1][1], 16) if found else None


def tree_faults(result, log):
    """That the tree lies where the loader put it, and is reserved there; that nothing has written to it since."""
    tree = handed(result.log)
    place, claims = tree_place(result.log), [item.base for item in log.claims["reserved"] if item.who == "device tree"]
    faults = []
    if claims != [tree.address] or place != tree.address:
        faults.append(f"U-Boot put the tree at {place or 0:#x}, fdt says {tree.address:#x}, reserved is "
                      f"{[hex(base) for base in claims]}")
    sums = {int(match[4], 16) for match in SUMMARY.finditer(result.log)}
    return faults + ["the tree's checksum changes"] * (sums != {tree.crc})


def faults(loader, board, result, log):
    """All that is checked of a boot whose session had `fdt dump`: against the tree that was handed over."""
    tree = Tree(handed(result.log).blob)
    found = machine.status_faults(result, 0) + compare.level(board, log) + tree_faults(result, log)
    found += compare.all_faults(tree, log, machine.IMAGE.read_bytes(), loader.image_addr)
    if log.cpus != board.cpus:
        found.append(f"{log.cpus} CPUs on line, {board.cpus} is right")
    return found + [f"U-Boot does not say: {loader.says}"] * (loader.says not in result.log)


def bootargs(blob):
    """/chosen/bootargs of a tree."""
    done = subprocess.run(["fdtget", "-d", "", "-", "/chosen", "bootargs"], input=blob, capture_output=True,
                          timeout=LIMIT, check=False)
    return done.stdout.decode().rstrip("\n")
