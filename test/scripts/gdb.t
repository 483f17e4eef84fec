#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `make gdb` promises: the machine stopped at reset, names before the MMU is on and after, wherever the image is
moved to; and, attached to a machine that runs, the names of where its CPUs are.
"""

import bisect
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = ["scripts", "test/boot"]
# pylint: disable=wrong-import-position
import ktap
import machine
from dialog import Dialog

FOLDER = os.path.join(os.environ.get("BUILD", "build"), os.environ.get("CONFIG", "virt"))
COMMANDS = ["printf \"reset %#lx\\n\", $pc",
            "break early_init", "continue", "printf \"early %#lx\\n\", $pc", "info symbol $pc",
            "break mm_init", "continue", "printf \"late %#lx\\n\", $pc", "info symbol $pc", "bt"]
RUNNING = ["thread apply all printf \"cpu %#lx\\n\", $pc", "thread apply all info symbol $pc"]
LIMIT = 60
PLACE = re.compile(r"^memstage: image at 0x([0-9a-f]+), moved by (?:0x)?([0-9a-f]+)$", re.MULTILINE)
MOVED = re.compile(r"KASLR: image moved by 0x([0-9a-f]+),")


def session(commands, **environment):
    options = [word for command in commands for word in ("-ex", command)]
    return subprocess.run(["scripts/gdb/session", FOLDER, "-batch", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=150, check=False, env={**os.environ, **environment})


def symbols():
    """[(address, name)] of the text as linked."""
    lines = [line.split() for line in Path(FOLDER, "System.map").read_text().splitlines()]
    return sorted((int(address, 16), name) for address, kind, name in lines if kind in "tTwW")


def place_of(said):
    """By how much gdb was told that the image is moved; None without a line, or with two."""
    places = PLACE.findall(said)
    return int(places[0][1], 16) if len(places) == 1 else None


def test_reset(tap, append, moved):
    """@moved: whether the image must be elsewhere than where it is linked."""
    done = session(COMMANDS, APPEND=append)
    said = done.stdout
    console = Path(FOLDER, "gdb-console.log").read_text(errors="replace")
    logged = MOVED.search(console)
    table = symbols()
    link = {name: address for address, name in table}["mm_init"]

    def place(name):
        found = re.search(rf"^{name} (0x[0-9a-f]+)\n(\w+)?", said, re.MULTILINE)
        return (int(found[1], 16), found[2]) if found else (None, None)

    passed = [
        tap.ok(done.returncode == 0, f"'{append}': gdb ends well"),
        tap.ok(place("reset")[0] == 0x40000000, "the machine stands at its reset vector"),
        tap.ok(place("early")[0] in range(0x40200000, 0x41000000) and place("early")[1] == "early_init",
               "a function is found by name where the loader put it"),
        tap.ok(place("late")[1] == "mm_init" and place_of(said) is not None and
               place("late")[0] - link - place_of(said) in range(64),
               "a function is found by name where the image was moved to"),
        tap.ok(bool(place_of(said)) == moved and (int(logged[1], 16) if logged else 0) == place_of(said),
               "the offset is the one in the log"),
        tap.ok(re.search(r"^#1 .* in start_memstage \(", said, re.MULTILINE) is not None, "its caller has a name"),
    ]
    if not all(passed):
        tap.note(said + done.stderr + console)


def test_running(tap):
    """Attached to a machine that waits at its prompt, started without this script."""
    with tempfile.TemporaryDirectory() as folder:
        gdb = Path(folder, "gdb")
        board = machine.Machine(cpus=2, ram=machine.GIB)
        command = [machine.QEMU, *machine.COMMON, *board.options(), "-kernel", str(machine.IMAGE), "-chardev",
                   f"socket,id=gdb,path={gdb},server=on,wait=off", "-gdb", "chardev:gdb"]
        with Dialog(command, LIMIT) as dialog:
            prompt = dialog.wait_for("memstage> ")
            done = session(RUNNING, ATTACH=str(gdb))
            dialog.type("poweroff")
            result = dialog.end()
    logged, offset, table = MOVED.search(result.log), place_of(done.stdout), symbols()
    addresses = [int(address, 16) for address in re.findall(r"^cpu 0x([0-9a-f]+)$", done.stdout, re.MULTILINE)]
    names = re.findall(r"^(\w+)(?: \+ \d+)? in section \.text", done.stdout, re.MULTILINE)
    right = [table[bisect.bisect_right(table, (address - (offset or 0), "~")) - 1][1] for address in addresses]
    passed = [
        tap.ok(prompt and done.returncode == 0 and result.status == 0, "attached, and gone on after"),
        tap.ok(logged is not None and int(logged[1], 16) == offset, "the offset is found in the running machine"),
        tap.ok(len(names) == 2 and names == right, "each CPU is in a function that System.map has there"),
    ]
    if not all(passed):
        tap.note(f"{names}, {right} is right\n" + done.stdout + done.stderr + result.log)


def main():
    tap = ktap.Tap()
    test_reset(tap, "", True)
    test_reset(tap, "nokaslr", False)
    test_running(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
