#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each way in which U-Boot starts the image on the Raspberry Pi 4, from the card of `make sdcard`, but for the two that
are on that card as it is: sdcard.t has them.

1. The card also holds the packed Image and both uImages, and for each way a uboot.env with its commands, the one file
   in which the cards differ. That environment is all that U-Boot has: it takes none of its own beside it. One card has
   none, no script and no extlinux.conf, but the image where UEFI looks for it.
2. A person at the serial line that stdout-path names, the mini UART if it is not changed, types `fdt dump` and suites.
   What is printed is compared with the tree that was handed over, and for bootefi with UEFI's map.
3. bootefi runs all suites, the others the suite map.
4. This U-Boot is built without FIT, and QEMU's board has no network.
"""

import gzip
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import compare_efi
import machine
import raspi
import uboot
from bootlog import BootLog
from dialog import Dialog
from machine import IMAGE, ROOT, ktap
from raspi import MINI_UART, PL011, Pi
from tree import Tree
from uboot import Board, Loader

AT_ONCE = 2
LIMIT = 120  # seconds; the suites take 20 on two host cores that have much other work
PROMPT = "memstage> "
APPEND = "memstage.through=card"
FAT = 1 << 20  # where the card's file system begins
ENVIRONMENT = 0x4000  # bytes of this U-Boot's

LOADED, UNPACKED_FROM, PLACE = 0x10000000, 0x18000000, 0x400000
LOAD = f"load mmc 0:1 {LOADED:#x} "
BOOTI, BOOTM = f"booti {LOADED:#x} - ${{fdt_addr}}", f"bootm {LOADED:#x} - ${{fdt_addr}}"
BOARD = Board("raspi4b", [], raspi.Pi.level, 4)
CONSOLES = {MINI_UART: ("serial1", "mini UART at 0xfe215040, /soc/serial@7e215040"),
            PL011: ("serial0", "pl011 at 0xfe201000, /soc/serial@7e201000")}


class Case:
    """
    name: of the way
    loader: an uboot.Loader
    commands: what the environment has U-Boot do, None for a card on which it finds the image where UEFI would
    serial: the line that is typed at; suites: what is typed there; efi: whether there is a UEFI map
    """

    def __init__(self, name, loader, commands, serial=MINI_UART, suites="test map", efi=False):
        self.loader, self.commands, self.serial, self.suites, self.efi = loader, commands, serial, suites, efi
        self.append = APPEND if commands else ""
        self.name = f"raspi4b, U-Boot: {name}, {serial}{', all suites' * (suites == 'test')}"
        self.result = None

    def faults(self, card):
        try:
            with tempfile.TemporaryDirectory() as folder:
                parts = self.boot(Path(folder), card)
            _, entered, rest = self.result.log.partition("memstage entered")
            if not entered:
                return machine.status_faults(self.result, 0) + ["the image says nothing on this line"]
            log = BootLog(entered + rest)
            return self.map_faults(log) + self.console_faults() + self.suite_faults(parts)
        except Exception as error:  # pylint: disable=broad-except # what it was is the fault of this boot
            return [f"{type(error).__name__}: {error}"]

    def boot(self, folder, card):
        """Start U-Boot, and type when the prompt has come. Return: what was printed before, and after each line."""
        own, tree = folder / "card", folder / "dtb"
        subprocess.run(["cp", "--sparse=always", card, own], check=True)
        if self.commands:
            add_environment(own, self.environment(), folder)
        else:
            make_removable(own)
        tree.write_bytes(raspi.with_stdout(raspi.board_tree(), CONSOLES[self.serial][0]))
        command = Pi(self.serial).command("-kernel", str(raspi.UBOOT), "-dtb", str(tree), *raspi.SEMIHOSTING,
                                          "-drive", f"if=sd,format=raw,file={own}")
        with Dialog(command, LIMIT) as dialog:
            for line in "fdt", self.suites, "fdt dump", "poweroff":
                if not dialog.wait_for(PROMPT):
                    break
                dialog.type(line)
            self.result = dialog.end()
        return self.result.log.split(PROMPT)

    def environment(self):
        return f"bootdelay=-2\nbootargs={self.append}\nkernel_comp_addr_r={UNPACKED_FROM:#x}\n" \
               f"kernel_comp_size=0x2000000\nbootcmd={self.commands}\n"

    def map_faults(self, log):
        if not self.efi:
            return uboot.faults(self.loader, BOARD, self.result, log)
        faults = machine.status_faults(self.result, 0) + compare.level(BOARD, log)
        tree = uboot.handed(self.result.log)
        faults += compare_efi.all_faults(Tree(tree.blob), log, IMAGE.read_bytes())
        claims = [compare.show(item.base, item.end) for item in log.claims["reserved"] if item.who == "device tree"]
        right = [compare.show(tree.address, tree.address + len(tree.blob))]
        faults += [f"reserved for the device tree: {claims}, {right} is right"] * (claims != right)
        return faults + [f"U-Boot does not say: {self.loader.says}"] * (self.loader.says not in self.result.log)

    def console_faults(self):
        blob, line = uboot.handed(self.result.log).blob, f"console: {CONSOLES[self.serial][1]}\n"
        faults = machine.lines_faults(self.result.log, [line.rstrip()])
        faults += ["stdout-path is another"] * (f", {Tree(blob).stdout_path()}\n" not in line)
        faults += [f"bootargs are {uboot.bootargs(blob)!r}"] * (uboot.bootargs(blob) != self.append)
        return faults + [f"{len(Tree(blob).cpus())} CPUs in the tree"] * (len(Tree(blob).cpus()) != BOARD.cpus)

    def suite_faults(self, parts):
        answers = [part for part in parts if part.startswith(f"{self.suites}\n")]
        return machine.suite_faults(self.result._replace(log="".join(answers)), LIMIT)


def make_files(folder):
    """What `make sdcard` puts on the card beside its own: the image in the other forms that this U-Boot takes."""
    packed = folder / "Image.gz"
    packed.write_bytes(gzip.compress(IMAGE.read_bytes(), mtime=0))
    for source, compression, name in (IMAGE, "none", "plain.uimg"), (packed, "gzip", "gzip.uimg"):
        subprocess.run(["mkimage", "-A", "arm64", "-O", "linux", "-T", "kernel", "-C", compression, "-a", f"{PLACE:#x}",
                        "-e", f"{PLACE:#x}", "-d", source, folder / name], check=True, capture_output=True)


def make_card(folder):
    source, card = folder / "files", folder / "card"
    source.mkdir()
    make_files(source)
    environment = {**os.environ, "FIRMWARE": str(source)}
    subprocess.run([ROOT / "scripts/sdcard", "rpi4", str(IMAGE), str(card)], cwd=ROOT, env=environment, check=True,
                   timeout=LIMIT, capture_output=True)
    return card


def mtool(name, card, *words):
    subprocess.run([name, "-i", f"{card}@@{FAT}", *words], check=True, timeout=LIMIT)


def add_environment(card, lines, folder):
    text, packed = folder / "env.txt", folder / "uboot.env"
    text.write_text(lines, encoding="ascii")
    subprocess.run(["mkenvimage", "-s", str(ENVIRONMENT), "-o", packed, text], check=True)
    mtool("mcopy", card, packed, "::uboot.env")


def make_removable(card):
    mtool("mdeltree", card, "::extlinux", "::boot.scr")
    mtool("mmd", card, "::EFI", "::EFI/BOOT")
    mtool("mcopy", card, IMAGE, "::EFI/BOOT/BOOTAA64.EFI")


CASES = [
    Case("bootefi", Loader("bootefi", None, "Booting /Image"),
         f"{LOAD}Image; bootefi {LOADED:#x} ${{fdt_addr}}", suites="test", efi=True),
    Case("EFI/BOOT/BOOTAA64.EFI, nothing set up",
         Loader("efi", None, "Found EFI removable media binary efi/boot/bootaa64.efi"), None, efi=True),
    Case("booti", Loader("booti", LOADED, "Loading Environment from FAT... OK"), f"{LOAD}Image; {BOOTI}"),
    Case("booti", Loader("booti", LOADED, "Loading Environment from FAT... OK"), f"{LOAD}Image; {BOOTI}", PL011),
    Case("booti, packed", Loader("booti-gzip", LOADED, "Uncompressing Kernel Image"), f"{LOAD}Image.gz; {BOOTI}"),
    Case("uImage", Loader("uimage", PLACE, "Image Type:   AArch64 Linux Kernel Image (uncompressed)"),
         f"{LOAD}plain.uimg; {BOOTM}"),
    Case("uImage, packed", Loader("uimage-gzip", PLACE, "Image Type:   AArch64 Linux Kernel Image (gzip compressed)"),
         f"{LOAD}gzip.uimg; {BOOTM}"),
]


def main():
    tap = ktap.Tap()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        card = make_card(Path(name))
        for case, faults in zip(CASES, pool.map(lambda case: case.faults(card), CASES)):
            machine.report(tap, case.name, faults, case.result.log if case.result else "")
            if case.result:
                tap.note(f"  {case.result.seconds:.1f} s")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
