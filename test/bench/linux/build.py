# SPDX-License-Identifier: BSD-2-Clause
"""Linux kernels to compare with: Debian's source, a lean configuration, and our benchmark built in.

1. scripts/setup has put the source's tar file into build/linux/usr/src/. It is unpacked once, to build/linux/source/.
2. Our files are copied into it, and calls of boot_mark() are written around the statements of MARKS. What is written
   into is kept as it was in build/linux/pristine/, so that marks can change. A file that would not change is not
   written: kbuild then has nothing to do for it.
3. A kernel is allnoconfig and the options of its fragments. An option that Linux does not take as a fragment has it is
   an error: another version may have renamed it, and the kernel would not be the one we mean.
4. Each kernel has an output folder of its own, so kbuild builds only what has changed. The Image is copied to
   build/linux/NAME.Image, with a key of all that it rests on beside it: the same key, no build.
5. Everything that fails is a Failure: one line that names the log.
"""

import hashlib
import os
import shutil
import signal
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LINUX = ROOT / os.environ.get("BUILD", "build") / "linux"
PACKAGE = "linux-source-6.12"
DOWNLOADED = ROOT / "build/linux"  # where scripts/setup puts things
TARBALL = DOWNLOADED / f"usr/src/{PACKAGE}.tar.xz"
STAMP = DOWNLOADED / ".unpacked-linux_source_6_12___usr_src__"  # scripts/setup: which package that was
SOURCE = LINUX / "source"
CROSS = os.environ.get("CROSS", "aarch64-linux-gnu-")

KERNELS = {
    "lean": ["lean.config"],
    "deferred": ["lean.config", "deferred.config"],
    "numa": ["lean.config", "numa.config"],
}

OURS = {
    "boot_mark.h": "include/linux/boot_mark.h",
    "mmbench.h": "mm/mmbench.h",
    "mmbench.c": "mm/mmbench.c",
    "mmbench_loops.c": "mm/mmbench_loops.c",
    "mmbench_cpus.c": "mm/mmbench_cpus.c",
}
OBJECTS = "mm/Makefile", "obj-y += mmbench.o mmbench_loops.o mmbench_cpus.o"

# Whose beginning and end are marked: file, and the name of the function in the statement that calls it.
MARKS = [
    ("arch/arm64/kernel/setup.c", "arm64_memblock_init"),
    ("arch/arm64/kernel/setup.c", "paging_init"),
    ("arch/arm64/kernel/setup.c", "bootmem_init"),
    ("arch/arm64/mm/init.c", "memblock_free_all"),
    ("init/main.c", "setup_per_cpu_areas"),
    ("init/main.c", "mm_core_init"),
    ("init/main.c", "kmem_cache_init_late"),
    ("init/main.c", "setup_per_cpu_pageset"),
    ("init/main.c", "page_alloc_init_late"),
    ("mm/mm_init.c", "kmem_cache_init"),
    ("mm/mm_init.c", "vmalloc_init"),
]
EARLY = "init/main.c", "mm_core_init"  # memblock is measured before this call

UNPACK_LIMIT = 900  # seconds
CONFIGURE_LIMIT = 600
BUILD_LIMIT = 7200


class Failure(Exception):
    """What went wrong, in one line."""


def shown(path):
    return os.path.relpath(path)


def run(what, command, log, limit):
    """Run @command, its output to the file @log, for at most @limit seconds."""
    # Nothing of the make that runs us is for kbuild.
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment["LC_ALL"] = "C"
    with open(log, "ab") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, env=environment,
                                                     stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            status = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    if status:
        raise Failure(f"{what} failed with status {status}: see {shown(log)}")
    if status is None:
        raise Failure(f"{what} took more than {limit} s and was ended: see {shown(log)}")


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def output(kernel):
    return LINUX / kernel


def unpack(say):
    done = SOURCE / ".unpacked"
    if done.exists() and done.read_text() == package():
        return
    say(f"unpacking {PACKAGE}")
    for folder in (SOURCE, LINUX / "pristine", *map(output, KERNELS)):
        shutil.rmtree(folder, ignore_errors=True)
    SOURCE.mkdir(parents=True)
    log = LINUX / "unpack.log"
    log.unlink(missing_ok=True)
    run(f"unpacking {TARBALL.name}", ["tar", "-x", "--strip-components=1", "-C", str(SOURCE), "-f", str(TARBALL)],
        log, UNPACK_LIMIT)
    done.write_text(package())


def marked(path, text):
    """The source @text of the file @path, with the marks that belong there."""
    lines = text.split("\n")
    for function in [function for where, function in MARKS if where == path]:
        places = [i for i, line in enumerate(lines) if line == f"\t{function}();"]
        if len(places) != 1:
            raise Failure(f"{PACKAGE}, {path}: {len(places)} statements \"{function}();\" to mark, 1 is right")
        before, after = [f'\tboot_mark("{function}");'], [f'\tboot_mark("{function}_end");']
        if (path, function) == EARLY:
            before.insert(0, "\tmmbench_early();")
        lines[places[0]:places[0] + 1] = before + [lines[places[0]]] + after
    first = next(i for i, line in enumerate(lines) if line.startswith("#include"))
    return "\n".join(lines[:first] + ["#include <linux/boot_mark.h>"] + lines[first:])


def pristine(path):
    """The text of a file of Linux's as it was before we wrote into it."""
    kept = LINUX / "pristine" / path
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / path, kept)
    return kept.read_text()


def prepare():
    """Our files and marks into the source."""
    for ours, theirs in OURS.items():
        write(SOURCE / theirs, (HERE / ours).read_text())
    for path in sorted({path for path, _ in MARKS}):
        write(SOURCE / path, marked(path, pristine(path)))
    makefile, objects = OBJECTS
    write(SOURCE / makefile, f"{pristine(makefile)}\n{objects}\n")


def fragments(kernel):
    return "".join((HERE / name).read_text() for name in KERNELS[kernel])


def wanted(kernel):
    """Options of a kernel's fragments and their values, None for one that is not set. An option's last line counts."""
    options = {}
    for line in fragments(kernel).splitlines():
        if line.startswith("CONFIG_"):
            name, options[name] = line.split("=", 1)[0], line.split("=", 1)[1]
        elif line.startswith("# CONFIG_"):
            options[line.split()[1]] = None
    return options


def refused(options, config):
    """Names of the @options whose value is another one in the text of .config."""
    taken = dict(line.split("=", 1) for line in config.splitlines() if line.startswith("CONFIG_"))
    return [name for name, value in options.items() if taken.get(name) != value]


def configure(kernel, make, log):
    options = wanted(kernel)
    fragment = LINUX / f"{kernel}.fragment"
    fragment.write_text("".join(f"# {name} is not set\n" if value is None else f"{name}={value}\n"
                                for name, value in options.items()))
    run(f"configuring the {kernel} kernel", [*make, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig"], log,
        CONFIGURE_LIMIT)
    names = refused(options, (output(kernel) / ".config").read_text())
    if names:
        raise Failure(f"the {kernel} kernel's configuration does not take {', '.join(names)} as the fragment has it")


def package():
    """The file name of Debian's package, which has its version."""
    return STAMP.read_text().strip()


def compiler():
    try:
        done = subprocess.run([f"{CROSS}gcc", "--version"], capture_output=True, check=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Failure(f"no compiler: {error}") from error
    return done.stdout.splitlines()[0]


def key(kernel):
    parts = [package(), compiler(), fragments(kernel), repr((MARKS, EARLY, OBJECTS))]
    parts += [(HERE / name).read_text() for name in OURS]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest() + "\n"


def image(kernel):
    return LINUX / f"{kernel}.Image"


def build(kernel, say):
    """Build a kernel unless it is there as it should be. Return: its Image."""
    stamp, log = LINUX / f"{kernel}.key", LINUX / f"{kernel}.log"
    if not TARBALL.exists() or not STAMP.exists():
        raise Failure(f"there is no {shown(TARBALL)}: scripts/setup --for bench-linux")
    made_of = key(kernel)
    if image(kernel).exists() and stamp.exists() and stamp.read_text() == made_of:
        return image(kernel)
    LINUX.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    unpack(say)
    prepare()
    say(f"building the {kernel} kernel: {shown(log)}")
    make = ["make", "-C", str(SOURCE), "ARCH=arm64", f"CROSS_COMPILE={CROSS}", f"O={output(kernel)}"]
    configure(kernel, make, log)
    run(f"building the {kernel} kernel", [*make, f"-j{os.cpu_count()}", "Image"], log, BUILD_LIMIT)
    shutil.copyfile(output(kernel) / "arch/arm64/boot/Image", image(kernel))
    stamp.write_text(made_of)
    return image(kernel)
