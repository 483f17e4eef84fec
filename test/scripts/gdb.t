#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `make gdb` promises: the machine stopped at reset, names before the MMU is on and after."""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "scripts")
import ktap  # pylint: disable=wrong-import-position

FOLDER = os.path.join(os.environ.get("BUILD", "build"), os.environ.get("CONFIG", "virt"))
COMMANDS = ["printf \"reset %#lx\\n\", $pc",
            "break early_init", "continue", "printf \"early %#lx\\n\", $pc", "info symbol $pc",
            "break mm_init", "continue", "printf \"late %#lx\\n\", $pc", "info symbol $pc", "bt"]


def main():
    tap = ktap.Tap()
    options = [word for command in COMMANDS for word in ("-ex", command)]
    done = subprocess.run(["scripts/gdb/session", FOLDER, "-batch", *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=150, check=False)
    said = done.stdout

    def place(name):
        found = re.search(rf"^{name} (0x[0-9a-f]+)\n(\w+)?", said, re.MULTILINE)
        return (int(found[1], 16), found[2]) if found else (None, None)

    passed = [
        tap.ok(done.returncode == 0, "gdb ends well"),
        tap.ok(place("reset")[0] == 0x40000000, "the machine stands at its reset vector"),
        tap.ok(place("early")[0] in range(0x40200000, 0x41000000) and place("early")[1] == "early_init",
               "a function is found by name where the loader put it"),
        tap.ok((place("late")[0] or 0) >= 0xffff000000000000 and place("late")[1] == "mm_init",
               "a function is found by name where it was linked"),
        tap.ok(re.search(r"^#1 .* in \w+ \(", said, re.MULTILINE) is not None, "its caller has a name"),
    ]
    if not all(passed):
        tap.note(said + done.stderr)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
