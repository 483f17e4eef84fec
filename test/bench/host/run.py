#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The core behind malloc() beside other libraries: run.py PROGRAMS RESULTS [ROW]

1. Instructions for each operation, by callgrind: what is called from counted() and nothing else, so the process around
   it does not show, nor who waits for whom. These are figures.
2. Time, as ratios: in each round every library in turn does all rows, on one thread and on two, and is compared with
   what the core took in the same round; the median of the rounds stands in the table. Time on a shared machine is no
   figure, so none is kept, and nothing is ever refused because of a ratio.
3. RESULTS (JSON) is written when all is measured, whole or not at all, and not when only one ROW is asked for.
"""

import concurrent.futures
import datetime
import os
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
# pylint: disable=wrong-import-position
import results as data
from imagerun import Failure
from table import Table, number, verdict

OURS = "memstage"
CHECKED = "memstage, basic"
# What is loaded first, and what the name of the file must hold that malloc is found in.
LIBRARIES = {
    "glibc": (None, "libc.so"),
    "jemalloc": ("libjemalloc.so.2", "libjemalloc"),
    "mimalloc": ("libmimalloc.so.2.0", "libmimalloc"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc"),
}
COUNT_SECONDS = 300
TIME_SECONDS = 60
ROUNDS = 9
COLLECTED = re.compile(r"Collected : (\d+)")


def run(command, library, seconds):
    env = dict(os.environ)
    env.pop("LD_PRELOAD", None)
    if LIBRARIES.get(library, (None,))[0]:
        env["LD_PRELOAD"] = LIBRARIES[library][0]
    try:
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{library}: {' '.join(command)}: no end after {seconds} seconds") from None
    except OSError as error:
        raise Failure(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise Failure(f"{library}: {' '.join(command)} ended with status {done.returncode}: {said}")
    return done


def rows_of(output, library):
    """The lines of the program as {row: numbers}, once it is sure whose malloc that was."""
    first, *rest = output.splitlines()
    wanted = LIBRARIES.get(library, (None, "/memstage"))[1]
    if wanted not in first:
        raise Failure(f"{library}: {first}, so it is not what would be measured: is its package installed?")
    return {line.split()[0]: [int(word) for word in line.split()[1:]] for line in rest}


class Bench:
    """The programs, and how each library is reached."""

    def __init__(self, folder):
        self.folder = folder
        self.libraries = [OURS, CHECKED, *LIBRARIES]

    def program(self, library):
        name = {OURS: "none/memstage", CHECKED: "basic/memstage"}.get(library, "libraries")
        return os.path.join(self.folder, name)

    def count(self, library, row):
        done = run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=counted",
                    "--callgrind-out-file=/dev/null", self.program(library), "count", row], library, COUNT_SECONDS)
        collected = COLLECTED.search(done.stderr)
        counted = rows_of(done.stdout, library)
        if not collected or row not in counted:
            raise Failure(f"{library}: {row}: callgrind counted nothing")
        return round(int(collected[1]) / counted[row][0], 3)

    def time(self, library, threads):
        done = run([self.program(library), "time", str(threads)], library, TIME_SECONDS)
        return {row: ns / ops for row, (ns, ops) in rows_of(done.stdout, library).items()}

    def count_all(self, rows):
        """{(row, library): instructions}, as many at once as there are processors; a line for each row."""
        figures = {}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = {(row, library): pool.submit(self.count, library, row) for row in rows for library in self.libraries}
            try:
                for (row, library), job in jobs.items():
                    figures[row, library] = job.result()
                    if library == self.libraries[-1]:
                        progress(f"counted {row}")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return figures

    def ratios(self, threads, only):
        """{(row, library): median of (its time / the core's)}"""
        seen = {}
        for number_of in range(1, ROUNDS + 1):
            times = {library: self.time(library, threads) for library in self.libraries}
            for library, measured in times.items():
                for row, ns in measured.items():
                    if row in only:
                        seen.setdefault((row, library), []).append(ns / times[OURS][row])
            progress(f"timed {threads_of(threads)}, round {number_of} of {ROUNDS}")
        return {key: round(statistics.median(values), 3) for key, values in seen.items()}


def progress(text):
    print(f"bench-host: {text}", file=sys.stderr, flush=True)


def threads_of(number_of):
    return f"{number_of} thread{'s' * (number_of > 1)}"


def counts_table(rows, libraries, figures):
    table = Table("Instructions for each operation (callgrind, x86-64, the loop included)", "", *libraries, "budget",
                  "", "recorded with it")
    for name, row in rows.items():
        budget = row.get("budget")
        recorded = ", ".join(f"{library} {figure}" for library, figure in row["recorded"].items())
        table.add(row["what"], *(number(figures[name, library]) for library in libraries), number(budget),
                  verdict(budget, figures[name, OURS]), recorded or None)
    return table


def ratios_table(rows, libraries, threads, seen):
    table = Table(f"RATIOS of time to memstage's, {threads_of(threads)}: 2.00 takes twice as long; the median of "
                  f"{ROUNDS} rounds on this machine, now", "", *libraries)
    for name, row in rows.items():
        if (name, OURS) in seen:
            table.add(row["what"], *(f"{seen[name, library]:.2f}" for library in libraries))
    return table


def results(figures, ratios):
    rows = [{"row": row, "library": library, "figure": figure, "unit": "instructions"}
            for (row, library), figure in figures.items()]
    for threads, seen in ratios.items():
        rows += [{"row": f"{row}_time_t{threads}", "library": library, "figure": ratio, "unit": "ratio of time"}
                 for (row, library), ratio in seen.items()]
    return {"commit": data.said(["git", "rev-parse", "HEAD"]),
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "compiler": data.first_line([os.environ.get("HOSTCC", "gcc"), "--version"]),
            "valgrind": data.first_line(["valgrind", "--version"]), "rows": rows}


def chosen(only):
    with open(HERE / "rows.toml", "rb") as file:
        rows = tomllib.load(file)
    if only and only not in rows:
        raise Failure(f"{only} is no row; these are: {' '.join(rows)}")
    return {name: row for name, row in rows.items() if only in (None, name)}


def main(folder, path, only=None):
    bench = Bench(folder)
    rows = chosen(only)
    figures = bench.count_all(rows)
    ratios = {threads: bench.ratios(threads, rows) for threads in (1, 2)}
    tables = [counts_table(rows, bench.libraries, figures)]
    tables += [ratios_table(rows, bench.libraries, threads, seen) for threads, seen in ratios.items()]
    print("\n".join(table.text() for table in tables if table))
    if not only:
        data.write(Path(path), results(figures, ratios))
        progress(f"results are in {path}")


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit("usage: run.py PROGRAMS RESULTS [ROW]")
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        sys.exit(f"bench-host: {failure}; nothing was written")
    except KeyboardInterrupt:
        print("\nbench-host: interrupted; nothing was written", file=sys.stderr)
        sys.exit(130)
