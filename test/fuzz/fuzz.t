#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run each fuzzer for a while, both at once.

FUZZ_SECONDS	how long (20)
FUZZ_CORPUS	a folder to keep what was worth keeping, as inputs to begin the next run with; without it each run
		begins with the same inputs
MEMSTAGE_SEED	the seed of a run to be repeated (each run prints its own)

An input that fails is kept as build/fuzz/NAME-crash-..., and how to try it again is said.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import ktap  # pylint: disable=wrong-import-position

BUILD = ROOT / os.environ.get("BUILD", "build")
FUZZ = BUILD / "fuzz"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
PATIENCE = 60  # seconds beyond that, for a busy host
FEWEST = 200  # inputs that even a busy host tries in that time

# The longest input of each, and where its first ones are beside test/fuzz/corpus/.
FUZZERS = {"discover": (8192, [BUILD / "host/dts"]), "memblock": (1024, [])}


def command(name, seed, kept):
    length, more = FUZZERS[name]
    seeds = [folder for folder in [ROOT / "test/fuzz/corpus" / name, *more] if folder.is_dir()]
    return [FUZZ / f"fuzz_{name}", f"-max_total_time={SECONDS}", f"-seed={seed}", f"-max_len={length}", "-timeout=10",
            "-len_control=0", "-detect_leaks=0", "-print_final_stats=1", f"-artifact_prefix={FUZZ}/{name}-",
            kept, *seeds]


def fuzz(name, seed, kept):
    """(what is wrong, "" if nothing; a line for the log; the output)"""
    kept.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command(name, seed, kept), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=SECONDS + PATIENCE, check=False, text=True, errors="replace")
    except subprocess.TimeoutExpired as late:
        return "did not end", "", (late.stdout or b"").decode(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
    edges = re.findall(r" cov: (\d+)", done.stdout)
    crash = re.search(r"Test unit written to (\S+)", done.stdout)
    line = f"{name}: {runs[1] if runs else 0} inputs, {edges[-1] if edges else 0} edges reached"
    if crash:
        return f"fails on {crash[1]}; to repeat: {FUZZ}/fuzz_{name} {crash[1]}", line, done.stdout
    if done.returncode:
        return f"ended with status {done.returncode}", line, done.stdout
    if not runs or int(runs[1]) < FEWEST:
        return f"tried fewer than {FEWEST} inputs", line, done.stdout
    return "", line, done.stdout


def main():
    tap = ktap.Tap(len(FUZZERS))
    seed = int(os.environ.get("MEMSTAGE_SEED", "0"), 0) & 0xFFFFFFFF or random.randrange(1, 1 << 32)
    tap.note(f"MEMSTAGE_SEED={seed:#x}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(FUZZERS)) as pool:
        kept = Path(os.environ.get("FUZZ_CORPUS", folder))
        for name, (fault, line, output) in zip(FUZZERS, pool.map(lambda name: fuzz(name, seed, kept / name), FUZZERS)):
            tap.ok(not fault, f"fuzz {name} for {SECONDS} seconds")
            tap.note(line)
            if fault:
                tap.note("\n".join([fault] + output.splitlines()[-80:]))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
