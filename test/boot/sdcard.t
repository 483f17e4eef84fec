#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`make sdcard`: what is on the card, and the Raspberry Pi 4 booted from it through U-Boot.

1. The card is read back here as a machine reads it: partition table, then file system. What was printed has to be the
   hashes of the files that are there, and they have to be the ones they were made from.
2. The same files give the same card, whatever the time zone and the age of the files.
3. QEMU's raspi4b boots U-Boot with the card in its slot, nothing else, and a person at the second serial line, which
   the tree's stdout-path names: by extlinux.conf from the card as it is; by boot.scr from one without extlinux.conf
   that has firmware files and boot arguments too. The tree that U-Boot passed is read from the machine's memory, and
   what the image printed is compared with it as in matrix.t.
"""

import filecmp
import hashlib
import os
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import compare
import machine
import raspi
from bootlog import BootLog
from dialog import Dialog
from machine import MIB, ROOT, ktap
from tree import Tree

LIMIT = 60
AT_ONCE = 2
BOARD_FOLDER = ROOT / "arch-arm64/boards/rpi4"
OURS = {"config.txt", "u-boot.bin", "bcm2711-rpi-4-b.dtb", "extlinux/extlinux.conf", "boot.scr", "Image"}
# Its name in capitals takes our file's place, one is in a folder, one makes the card larger than the smallest.
FIRMWARE = {"START4.ELF": b"firmware", "CONFIG.TXT": b"arm_64bit=1\n", "overlays/disable-bt.dtbo": b"overlay",
            "large.bin": bytes(64 * MIB)}
ARGUMENTS = "first=1 second=0x10$0x20 last"
PROMPT = "memstage> "
SMALLEST_FAT32 = 65525  # clusters
LISTED = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)


def make(output, **settings):
    """make sdcard with @settings as variables. Return: (status, what it printed, what it complained of)"""
    environment = {**os.environ, **settings.pop("environment", {})}
    settings = {"SDCARD": output, "BOARD": "rpi4", **{k: os.environ[k] for k in ("BUILD", "CONFIG") if k in os.environ},
                **settings}
    done = subprocess.run(["make", "sdcard", *(f"{name}={value}" for name, value in settings.items())], cwd=ROOT,
                          env=environment, capture_output=True, timeout=LIMIT, check=False, text=True)
    return done.returncode, done.stdout, done.stderr


def partition(path):
    """(first byte, bytes, faults) of the one partition; what a Raspberry Pi's boot ROM needs to find it."""
    with open(path, "rb") as card:
        record = card.read(512)
        active, kind, first, count = struct.unpack_from("<B3xB3xII", record, 446)
        card.seek(first * 512)
        boot = card.read(512)
    faults = ["no signature of an MBR"] * (record[510:] != b"\x55\xaa")
    faults += ["not one partition, or not active, or not FAT32"] * (
        (active, kind, any(record[462:510])) != (0x80, 0x0C, False))
    size = path.stat().st_size
    faults += [f"a card of {size} bytes is no power of two"] * (size & (size - 1) != 0)
    faults += ["the partition does not end with the card"] * ((first + count) * 512 != size)
    cluster, reserved, fats, sectors, fat = struct.unpack_from("<xxxxxxxxxxxxxBHB15xII", boot)
    clusters = (sectors - reserved - fats * fat) // cluster
    faults += [f"{clusters} clusters are not FAT32"] * (clusters < SMALLEST_FAT32)
    faults += [f"a file system of {sectors} sectors in a partition of {count}"] * (sectors != count)
    return first * 512, faults


def mtool(*words):
    return subprocess.run(words, capture_output=True, timeout=LIMIT, check=True).stdout


def files_on(path, start):
    """{name: bytes} of all files on the card."""
    names = mtool("mdir", "-/", "-b", "-i", f"{path}@@{start}", "::").decode().splitlines()
    names = [name[len("::/"):] for name in names if not name.endswith("/")]
    return {name: mtool("mcopy", "-i", f"{path}@@{start}", f"::{name}", "-") for name in names}


def card_faults(path, said, names):
    start, faults = partition(path)
    files = files_on(path, start)
    listed = {name: digest for digest, name in LISTED.findall(said)}
    faults += [f"files are {sorted(files)}, {sorted(names)} is right"] * (set(files) != set(names))
    faults += [f"{name}: the hash printed is not that of the file" for name in files
               if listed.get(name) != hashlib.sha256(files[name]).hexdigest()]
    faults += [f"{name}: a hash was printed, and there is no such file" for name in set(listed) - set(files)]
    right = {"Image": machine.IMAGE.read_bytes(), "u-boot.bin": raspi.UBOOT.read_bytes(),
             "bcm2711-rpi-4-b.dtb": raspi.board_tree(), "config.txt": (BOARD_FOLDER / "config.txt").read_bytes()}
    return faults + [f"{name} has other bytes than its source" for name in sorted(set(right) & set(files))
                     if files[name] != right[name]]


def test_plain(tap, folder):
    card = folder / "plain.img"
    status, said, complaint = make(card)
    faults = [f"make sdcard failed: {complaint}"] if status else card_faults(card, said, OURS)
    if "start4.elf fixup4.dat" not in said:
        faults.append("that the firmware is yet to come is not said")
    machine.report(tap, "the card has our files, and their hashes are printed", faults, said)
    return card


def test_firmware(tap, folder):
    source, card = folder / "firmware", folder / "firmware.img"
    for name, data in FIRMWARE.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    status, said, complaint = make(card, FIRMWARE=source, APPEND=ARGUMENTS.replace("$", "$$"))
    faults = ([f"make sdcard failed: {complaint}"] if status else
              card_faults(card, said, (OURS - {"config.txt"}) | set(FIRMWARE)))
    if "config.txt is " not in said or "yet to be put there: fixup4.dat" not in said:
        faults.append("what the firmware's folder replaces, and lacks, is not said")
    machine.report(tap, "FIRMWARE's files are on the card, in place of ours where the names are equal", faults, said)
    test_reproducible(tap, folder, card, source)
    return card


def test_reproducible(tap, folder, card, source):
    again = folder / "again.img"
    for name in FIRMWARE:
        os.utime(source / name, (0, 0))
    status, _, _ = make(again, FIRMWARE=source, APPEND=ARGUMENTS.replace("$", "$$"), environment={"TZ": "Asia/Tokyo"})
    tap.ok(not status and filecmp.cmp(again, card, shallow=False), "the same files give the same card")


def test_refusals(tap, folder):
    card = folder / "none.img"
    for settings, line in (({"BOARD": "abacus"}, "BOARD=abacus is unknown; known: rpi4"),
                           ({"BOARD": ""}, "BOARD= is unknown; known: rpi4"),
                           ({"FIRMWARE": folder / "nowhere"}, "there is no such folder"),
                           ({"APPEND": "it's"}, "without a quote")):
        status, said, complaint = make(card, **settings)
        faults = ["exit status is 0"] * (status == 0) + ["a card was made"] * card.exists()
        lines = [text for text in complaint.splitlines() if "Error 1" not in text]
        faults += [f"not one line with {line!r}"] * (len(lines) != 1 or line not in complaint)
        name, value = next(iter(settings.items()))
        machine.report(tap, f"{name}={str(value).replace(str(folder), '')} is refused in one line", faults,
                       said + complaint)


# --- Booted from ---


def passed_tree(dialog):
    """The tree in memory where the image says that it was passed one."""
    where = int(re.search(r"device tree at (0x[0-9a-f]+)", dialog.text)[1], 16)
    size, = struct.unpack_from(">4xI", dialog.memory(where, 8))
    return dialog.memory(where, size)


def boot_faults(card, loader, arguments, suite):
    """The faults of a session on the machine with @card in it, and the session."""
    with tempfile.NamedTemporaryFile(suffix=".dtb") as tree_file:
        tree_file.write(raspi.board_tree())
        tree_file.flush()
        command = raspi.Pi().command("-kernel", str(raspi.UBOOT), "-dtb", tree_file.name, *raspi.SEMIHOSTING,
                                     "-drive", f"if=sd,format=raw,file={card}")
        with Dialog(command, LIMIT) as dialog:
            blob = passed_tree(dialog) if dialog.wait_for(PROMPT) else None
            dialog.type(f"test {suite}")
            dialog.wait_for(PROMPT)
            dialog.type("poweroff")
            result = dialog.end()
    if not blob:
        return machine.status_faults(result, 0) + ["no prompt"], result
    firmware, _, text = result.log.partition("Starting kernel ...")
    log, tree = BootLog(text), Tree(blob)
    faults = machine.status_faults(result, 0) + compare.level(raspi.Pi(), log)
    faults += compare.all_faults(tree, log, machine.IMAGE.read_bytes(), raspi.IMAGE_ADDR)
    faults += [f"{loader} was not used"] * (loader not in firmware)
    faults += [f"the console is not {tree.stdout_path()}"] * (f", {tree.stdout_path()}\n" not in text)
    faults += [f"{len(tree.cpus())} CPUs in the tree, 4 is right"] * (len(tree.cpus()) != 4)
    if arguments:
        faults += ["the boot arguments are not those of the card"] * (arguments.encode() + b"\0" not in blob)
    part = text.split(PROMPT)[1]
    return faults + machine.suite_faults(result._replace(log=part), LIMIT), result


def main():
    tap = ktap.Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, firmware = test_plain(tap, folder), test_firmware(tap, folder)
        test_refusals(tap, folder)
        mtool("mdeltree", "-i", f"{firmware}@@{partition(firmware)[0]}", "::/extlinux")
        cases = [("extlinux.conf", plain, "Found /extlinux/extlinux.conf", "", "cpus"),
                 ("boot.scr", firmware, "Found U-Boot script /boot.scr", ARGUMENTS, "map")]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for case, (faults, result) in zip(cases, pool.map(lambda case: boot_faults(*case[1:]), cases)):
                machine.report(tap, f"raspi4b, U-Boot from the card, {case[0]}", faults, result.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
