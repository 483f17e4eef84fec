# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's Raspberry Pi 4 (`raspi4b`): 2 GiB of RAM, four cores that enter at EL2, the tree of Debian's kernel package.

1. Two serial lines: the first is the PL011, the second the mini UART, which the tree's stdout-path names. One of them
   is read and typed at, the other leads nowhere.
2. QEMU edits the tree that it is given: it fills in /memory and /chosen and disables what it does not emulate.
   Pi.passed() is the result.
3. Without semihosting there is no exit status but 0: that of a power-off, or of a reset under -no-reboot.
"""

import subprocess
import tempfile
from pathlib import Path

import edit
import machine
from machine import IMAGE, IN_TURNS, LIMIT, QEMU, ROOT

IMAGE_ADDR = 0x200000  # where -kernel puts it
TREES = ROOT / "build/deps/usr/lib"
UBOOT = ROOT / "build/deps/usr/lib/u-boot/rpi_4/u-boot.bin"
PL011, MINI_UART = "pl011", "mini UART"
SERIALS = {PL011: ["-serial", "stdio", "-serial", "null"], MINI_UART: ["-serial", "null", "-serial", "stdio"]}
SEMIHOSTING = ["-semihosting-config", "enable=on,target=native"]


def board_tree():
    """The flattened tree of the board, as Debian has it."""
    found = sorted(TREES.glob("linux-image-*/broadcom/bcm2711-rpi-4-b.dtb"))
    if not found:
        raise RuntimeError(f"no bcm2711-rpi-4-b.dtb below {TREES}")
    return found[-1].read_bytes()


def with_stdout(blob, alias):
    return edit.set_property(blob, "/chosen", "stdout-path", alias.encode() + b"\0")


class Pi:
    """
    serial: PL011 or MINI_UART, the line that is read
    level: the exception level at which the image is entered
    threads: whether the cores run at once or in turns, as those of a Machine
    """

    level = 2

    def __init__(self, serial=MINI_UART, threads=False):
        self.serial, self.threads = serial, threads

    def command(self, *options, machine_option=""):
        return [QEMU, "-M", "raspi4b" + machine_option, "-nodefaults", "-nographic", "-monitor", "none",
                *IN_TURNS * (not self.threads), *SERIALS[self.serial], *options]

    def boot(self, blob, append, stdin=None, limit=LIMIT, semihosting=True):
        """Start the image by -kernel, with the tree @blob."""
        return self._with_tree(blob, lambda options: machine.run(
            self.command(*options, *(SEMIHOSTING if semihosting else []), "-kernel", str(IMAGE), "-append", append),
            stdin, limit))

    def passed(self, blob, append):
        """The tree that the image gets when @blob is given."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "passed")
            self._with_tree(blob, lambda options: subprocess.run(
                self.command(*options, "-kernel", str(IMAGE), "-append", append, machine_option=f",dumpdtb={path}"),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=True))
            return path.read_bytes()

    @staticmethod
    def _with_tree(blob, start):
        with tempfile.NamedTemporaryFile(suffix=".dtb") as file:
            file.write(blob)
            file.flush()
            return start(["-dtb", file.name])
