# SPDX-License-Identifier: BSD-2-Clause
"""QEMU `virt` machines: their options, the tree QEMU describes them by, and boots under a time limit.

1. Machine.boot() starts the image by -kernel, as a boot loader would: QEMU writes the tree and passes it in x0.
2. Machine.boot_tree() starts it with any tree at all, or none. QEMU's -dtb would not do: virt replaces the /memory
   nodes of a given tree. So loader devices place image and tree, and a few instructions of our own set x0 and jump.
3. Each boot has a time limit; what it printed until then is in the result.
4. CPUs take turns in one thread of the host's, if nothing else is said. A CPU that waits for another one then gives the
   turn to it. Where each is a thread, and there are more than the host has cores, the one that is waited for often is
   not running, and the wait is what all cores work at: the suites take five times as long. So CPUs that run at once
   are for what is about that.
"""

import os
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import ktap  # pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("BUILD", "build") / os.environ.get("CONFIG", "virt")
IMAGE = BUILD / "Image"
QEMU = os.environ.get("QEMU", "qemu-system-aarch64")

MIB = 1 << 20
GIB = 1 << 30
RAM_BASE = 0x40000000
LIMIT = 60  # seconds; a boot takes about one, the rest is for a busy host

LEVELS = {1: "", 2: ",virtualization=on", 3: ",secure=on,virtualization=on"}

# Where boot_tree() puts things: QEMU keeps the first MiB of RAM for its own tree.
TRAMPOLINE = RAM_BASE + 1 * MIB
IMAGE_ADDR = RAM_BASE + 2 * MIB  # where -kernel puts it too
TREE_ADDR = RAM_BASE + 0x2000000

COMMON = ["-nodefaults", "-nographic", "-monitor", "none", "-serial", "stdio",
          "-semihosting-config", "enable=on,target=native"]

# A turn ends with the YIELD instruction, which is in all loops that wait, with WFI, or after 100 ms.
IN_TURNS = ["-accel", "tcg,thread=single"]

# status: QEMU's exit status, None when the time limit ended it. seconds: of wall time.
Run = namedtuple("Run", "status log seconds")


class Machine:
    """
    cpus, cpu: how many, and which core
    ram: bytes
    nodes: the bytes of each node's memory, [] for a machine that knows no nodes
    distance: called with (from, to) for the distance of two nodes, None for a tree without a map
    level: the exception level at which boot_tree() enters the image, and boot() too unless it is 3
    gic: the interrupt controller's version, 2 or 3; version 2 serves 8 CPUs
    secure: whether a secure state is beside levels 1 and 2 too; boot() only, where QEMU is its firmware
    threads: whether the CPUs run at once, each in a thread of the host's, or in turns
    """

    def __init__(self, cpus=4, ram=4 * GIB, nodes=(), cpu="cortex-a72", level=1, distance=None, gic=2, secure=False,
                 threads=False):
        self.cpus, self.ram, self.nodes, self.cpu = cpus, ram, list(nodes), cpu
        self.level, self.distance, self.gic, self.secure, self.threads = level, distance, gic, secure, threads

    def options(self, machine_option=""):
        board = f"virt,gic-version={self.gic}" + LEVELS[self.level] + ",secure=on" * self.secure + machine_option
        options = []
        if self.nodes:
            for nid, size in enumerate(self.nodes):
                options += self._ram_object(f"m{nid}", size)
                cpus = [f",cpus={i}" for i in range(self.cpus) if i % len(self.nodes) == nid]
                options += ["-numa", f"node,nodeid={nid},memdev=m{nid}{''.join(cpus)}"]
            if self.distance:
                options += self._distances()
        else:
            board += ",memory-backend=m0"
            options += self._ram_object("m0", self.ram)
        return ["-M", board, "-cpu", self.cpu, "-m", f"{self.ram // MIB}M",
                "-smp", f"{self.cpus},sockets={self.cpus}"] + IN_TURNS * (not self.threads) + options

    def tree(self, append=""):
        """The flattened tree that QEMU passes to an image started with the command line @append."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "dtb")
            command = [QEMU, *COMMON, *self.options(f",dumpdtb={path}"), "-kernel", str(IMAGE), "-append", append]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False)
            if done.returncode or not path.exists():
                raise RuntimeError(f"no tree from QEMU: {done.stderr.decode()}")
            return path.read_bytes()

    def boot(self, append, stdin=None, limit=LIMIT, image=IMAGE):
        return run([QEMU, *COMMON, *self.options(), "-kernel", str(image), "-append", append], stdin, limit)

    def boot_tree(self, blob, x0=None, limit=LIMIT, stdin=None, image=IMAGE, drop=False, boot_cpu=0, base=RAM_BASE,
                  at=None, loads=(), others=None):
        """
        Start the image with @blob as its tree, or with nothing (None); @x0 where to claim that the tree is.

        drop: on a machine of level 3, go down to EL2 first and do nothing else that firmware at EL3 has to do
        boot_cpu: which CPU enters the image; the others are off, and at level 3, where QEMU starts all, they sleep,
            or run the instructions @others
        base: where the RAM that @blob describes begins; image and tree lie as far above it as above RAM_BASE by default
        image: its file, or its bytes; at: where it is put, None for there
        loads: (address, bytes) of what else is
        """
        image_addr, tree_addr = (base + addr - RAM_BASE for addr in (IMAGE_ADDR, TREE_ADDR))
        with tempfile.TemporaryDirectory() as folder:
            start = trampoline(tree_addr if x0 is None else x0, DROP_TO_EL2 if drop else JUMP, at or image_addr)
            code = image if isinstance(image, bytes) else image.read_bytes()
            loads = [(TRAMPOLINE, start), (at or image_addr, code), *loads]
            if blob:
                loads.append((tree_addr, blob))
            options = ["-device", f"loader,addr={TRAMPOLINE:#x},cpu-num={boot_cpu}", *placed(folder, loads)]
            if self.level == 3:
                options += in_flash(folder, words(others or SLEEP))
            return run([QEMU, *COMMON, *self.options(), *options], stdin, limit)

    @staticmethod
    def _ram_object(name, size):
        return ["-object", f"memory-backend-ram,id={name},size={size},reserve=off,prealloc=off"]

    def _distances(self):
        options = []
        for a in range(len(self.nodes)):
            for b in range(len(self.nodes)):
                if a != b:
                    options += ["-numa", f"dist,src={a},dst={b},val={self.distance(a, b)}"]
        return options


# How the trampoline goes to x4: a branch, or from EL3 to non-secure EL2 with everything masked.
JUMP = [0xD61F0080]  # br x4
SLEEP = [0xD503207F, 0x17FFFFFF]  # wfi; b .-4
DROP_TO_EL2 = [
    0xD2809625, 0xD51E1105,  # mov x5, #0x4b1; msr scr_el3, x5: NS, RES1, SMD, RW
    0xD2807925, 0xD51E4005,  # mov x5, #0x3c9; msr spsr_el3, x5: EL2h, D, A, I, F
    0xD51E4024, 0xD69F03E0,  # msr elr_el3, x4; eret
]


def trampoline(x0, leave, image_addr):
    """Wipe QEMU's own tree, that nothing may find it by chance; set x0, clear x1 to x3, go to the image as @leave."""
    code = move(1, RAM_BASE) + [0xF900003F]  # str xzr, [x1]
    code += move(4, image_addr) + move(0, x0)
    code += [0xD2800001, 0xD2800002, 0xD2800003]  # mov x1, #0; mov x2, #0; mov x3, #0
    return words(code + leave)


def words(instructions):
    """Their bytes."""
    return struct.pack(f"<{len(instructions)}I", *instructions)


def placed(folder, loads):
    """The options that place each (address, bytes) of @loads in RAM, by files in @folder."""
    options = []
    for address, data in loads:
        path = Path(folder, f"{address:x}")
        path.write_bytes(data)
        options += ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]
    return options


def in_flash(folder, code):
    """
    The options that place @code where a CPU that is not told otherwise starts at EL3. Only the secure state sees that
    flash memory, and a loader device writes as the other one: what it placed there would be lost without a word.
    """
    path = Path(folder, "flash")
    path.write_bytes(code)
    return ["-bios", str(path)]


def move(register, value):
    """movz and three movk: a 64-bit constant into x@register."""
    parts = [(value >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    return [(0xF2800000 if i else 0xD2800000) | i << 21 | part << 5 | register for i, part in enumerate(parts)]


def run(command, stdin=None, limit=LIMIT):
    """Run @command with the bytes @stdin as its input to its end or @limit seconds. Return: a Run."""
    start = time.monotonic()
    # timeout(1) stands behind our own limit: it ends QEMU even when this script is killed.
    console = ktap.run(["timeout", "--kill-after=1", str(limit + 5), *command], limit, stdin or b"")
    return Run(console.status, console.text + "\n", time.monotonic() - start)


def status_faults(result, expected):
    """What is wrong with how a run ended; @expected is a status, or None for any that is not zero."""
    if result.status is None:
        return [f"hangs: ended after {result.seconds:.0f} s"]
    if expected is None:
        return [] if result.status else ["exit status is 0, a failing one is right"]
    return [] if result.status == expected else [f"exit status is {result.status}, {expected} is right"]


def lines_faults(log, patterns):
    """What is wrong when each of @patterns is to match in exactly one line of @log."""
    counts = [(pattern, sum(bool(re.search(pattern, line)) for line in log.splitlines())) for pattern in patterns]
    return [f"{count} lines match /{pattern}/" for pattern, count in counts if count != 1]


def suite_faults(result, limit):
    """What is wrong with a run that was to run suites: that it ran none, too."""
    judged = ktap.judge(ktap.Console(result.log.splitlines(), result.status), limit)
    return (judged.faults + [f"not ok: {one.name}" for one in judged.results if not one.passed] +
            ["no results of a suite"] * (not judged.results))


def report(tap, name, faults, log=""):
    """One test point: passed when there are no @faults; else they are shown, and the end of the @log."""
    tap.ok(not faults, name)
    for fault in faults[:20]:
        tap.note(f"  {fault}")
    if len(faults) > 20:
        tap.note(f"  and {len(faults) - 20} more")
    for line in log.splitlines()[-25:] if faults else []:
        tap.note(f"  | {line}")


def report_cases(tap, cases, at_once):
    """A test point, with its time, for each case: it has a name, faults(), which boots it, and then a result."""
    with ThreadPoolExecutor(at_once) as pool:
        for case, faults in zip(cases, pool.map(lambda one: one.faults(), cases)):
            report(tap, case.name, faults, case.result.log if case.result else "")
            if case.result:
                tap.note(f"  {case.result.seconds:.1f} s")
