#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each way in which U-Boot starts the image on virt, by the very files and scripts of `make run-uboot-...`.

1. What is printed is compared with the tree that U-Boot handed over, as `fdt dump` gives it at the prompt.
2. Every loader starts a machine at EL1 and one at EL2, and suites run on one of the two: all of them by one loader at
   each level; by the others those that see how the image was entered and where it lies, and what the CPUs, their
   interrupts and the tables are like then.
3. What is piped in is not eaten by the loader; the boot arguments arrive; the tree is what U-Boot makes of it.
4. `fdt list` is source: compiled again it is the same tree.
"""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
import uboot
from bootlog import BootLog
from machine import ktap
from tree import Tree
from uboot import Board

AT_ONCE = 2
APPEND = "console=ttyAMA0 memstage.through=uboot second=$stdout;last"
ALL, ENTRY = ["test"], ["test map", "test cpus", "test percpu"]

QEMU_ARGS = f"QEMU_ARGS={uboot.IN_TURNS}"
EL1 = Board("EL1", ["SMP=4", "MEM=1G", QEMU_ARGS], 1, 4)
EL2 = Board("EL2", ["SMP=4", "MEM=4G", "MACHINE=virtualization=on", QEMU_ARGS], 2, 4)
ONE_CPU = Board("EL1, 1 CPU", ["SMP=1", "MEM=512M"], 1, 1)
# U-Boot itself at EL3, PSCI nowhere: with more CPUs all of them would run it at once.
SECURE = Board("U-Boot at EL3", ["SMP=1", "MEM=1G", "MACHINE=secure=on,virtualization=on"], 2, 1)
NODES = Board("2 nodes", ["SMP=4", "MEM=1G", f"{QEMU_ARGS} -object memory-backend-ram,id=m0,size=512M "
                          "-object memory-backend-ram,id=m1,size=512M -numa node,memdev=m0,cpus=0-1 "
                          "-numa node,memdev=m1,cpus=2-3"], 1, 4)

BY_NAME = {loader.name: loader for loader in uboot.LOADERS}
# (loader, board, what is typed besides fdt)
CASES = [(loader, (EL1, EL2)[(i + suites) % 2], (ALL if i < 2 else ENTRY) if suites else [])
         for suites in (True, False) for i, loader in enumerate(uboot.LOADERS)] + [
    (BY_NAME["booti"], ONE_CPU, []),
    (BY_NAME["booti"], SECURE, []),
    (BY_NAME["booti-in-place"], NODES, []),
]


class Case:
    def __init__(self, loader, board, typed):
        self.loader, self.board, self.typed, self.result = loader, board, typed, None
        self.name = f"{loader.name}, {board.name}{', all suites' * (typed == ALL)}{', suites' * (typed == ENTRY)}"

    def faults(self, folder):
        try:
            lines = ["fdt", *self.typed, "fdt dump", "fdt list", "poweroff"]
            self.result = uboot.boot(self.loader, self.board, folder, "".join(f"{line}\n" for line in lines), APPEND)
            faults = uboot.faults(self.loader, self.board, self.result, BootLog(self.result.log))
            blob = uboot.handed(self.result.log).blob
            return faults + self.suites() + said_by_uboot(self.loader, blob) + same_source(self.result.log, blob)
        except Exception as error:  # pylint: disable=broad-except # what it was is the fault of this boot
            return [f"{type(error).__name__}: {error}"]

    def suites(self):
        """Each `test` typed is a run of KTAP of its own."""
        answers = self.result.log.split("memstage> ")[1:]
        faults = []
        for line in self.typed:
            lines = next((answer.splitlines()[1:] for answer in answers if answer.startswith(f"{line}\n")), [])
            judged = ktap.judge(ktap.Console(lines, self.result.status), uboot.LIMIT)
            faults += [f"{line}: {fault}" for fault in judged.faults + ["no results"] * (not judged.results)]
            faults += [f"{line}: not ok: {one.name}" for one in judged.results if not one.passed]
        return faults


def said_by_uboot(loader, blob):
    """The tree has U-Boot's marks: its boot arguments, and the ramdisk that fw_cfg alone passes, twice over."""
    faults, tree = [], Tree(blob)
    if uboot.bootargs(blob) != APPEND:
        faults.append(f"bootargs are {uboot.bootargs(blob)!r}, {APPEND!r} is right")
    initrd = [(base, end - base) for base, end in [tree.initrd()] if base] if tree.initrd() else []
    if bool(initrd) != (loader.name == "fwcfg") or initrd != tree.memreserve():
        faults.append(f"initrd {initrd}, /memreserve/ {tree.memreserve()}")
    return faults


def same_source(log, blob):
    """What `fdt list` printed, compiled: as @blob, but for the strings block, the padding and the header."""
    source = log[log.index("/dts-v1/;"):].partition("memstage> ")[0]
    made = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb"], input=source.encode(), capture_output=True,
                          timeout=uboot.LIMIT, check=False)
    if made.returncode:
        return [f"fdt list is no source: {made.stderr.decode()}"]
    plain = [subprocess.run(["dtc", "-q", "-q", "-q", "-f", "-I", "dtb", "-O", "dts"], input=tree, capture_output=True,
                            timeout=uboot.LIMIT, check=False).stdout for tree in (made.stdout, blob)]
    return ["fdt list is not the tree that fdt dump gives"] * (plain[0] != plain[1] or not plain[0])


def main():
    tap = ktap.Tap()
    cases = [Case(*case) for case in CASES]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        uboot.files(folder, APPEND)
        for case, faults in zip(cases, pool.map(lambda case: case.faults(folder), cases)):
            machine.report(tap, case.name, faults, case.result.log if case.result else "")
            if case.result:
                tap.note(f"  {case.result.seconds:.1f} s")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
