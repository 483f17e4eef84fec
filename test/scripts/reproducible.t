#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scripts/check-reproducible, on a small tree whose build is a copy: wherever the build folder lies, two equal builds
are equal, two that differ are not, and the copy does not hold what was built before."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "scripts")
import ktap  # pylint: disable=wrong-import-position

FILES = ["Image", "memstage.elf", "memstage-exec.elf", "System.map", "libmemstage.a", "include/generated/autoconf.h"]

# TEXT is what each file holds. A copy that has the build folder of the first build in it has STALE too.
MAKEFILE = """\
all:
	! find . -name STALE | grep .
	mkdir -p $(BUILD)/$(CONFIG)/include/generated
	for file in {files}; do echo "{text}" >$(BUILD)/$(CONFIG)/$$file; done
"""


def check(build, text, limit=30):
    """Return: the exit status for a build in the folder @build."""
    with tempfile.TemporaryDirectory() as top:
        tree = Path(top, "tree")
        for folder in "scripts", "build/deps":
            (tree / folder).mkdir(parents=True)
        shutil.copy("scripts/check-reproducible", tree / "scripts")
        (tree / "Makefile").write_text(MAKEFILE.format(files=" ".join(FILES), text=text))
        where = tree / build
        subprocess.run(["make", "-s", f"BUILD={where}", "CONFIG=virt"], cwd=tree, check=True, timeout=limit)
        (where / "virt/.config").touch()
        (where / "STALE").touch()
        done = subprocess.run(["scripts/check-reproducible", build, "virt"], cwd=tree,
                              capture_output=True, timeout=limit, check=False)
        left = (where / "reproducible").exists()
    return done.returncode, left


def main():
    tap = ktap.Tap()
    for build in "build", "out", "a/b", "./out/", "../out":
        tap.ok(check(build, "the same") == (0, False), f"BUILD={build}: equal builds are equal")
    tap.ok(check("out", "$(CURDIR)") == (1, True), "builds that differ are told, and stay for a look")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
