#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of a results file: plot.py RESULTS FOLDER

1. FOLDER/operations.svg has a pair of bars for each gated row that Linux has, ours above Linux's, on a log axis, with a
   mark where the budget is. Of a batch only the pair is shown, and of CPUs at once four. FOLDER/boot.svg has the boot's
   cost against RAM, both axes log.
2. gnuplot draws. Text stays text in a generic font, and no byte depends on the time or the place, so that the same
   results give the same files.
3. Both files are drawn before either is put in its place.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import results as data
from imagerun import CPUS, Failure
from table import SIZES, number

GNUPLOT = os.environ.get("GNUPLOT", "gnuplot")
CPU = CPUS[0]
LIMIT = 60  # seconds
# A half is not shown where the whole is, nor one CPU at once, which is the row without CPUs again.
HALF = re.compile("_(alloc|free|alloc_cpu0|free_cpu1)$")
ALONE = "_t1"
BESIDE = 1.5  # a budget that is larger than a figure by less would stand in its number
HEAD, ROW, FOOT = 72, 30, 34  # heights in the picture of bars
OURS, LINUX, DEFERRED, BUDGET, TEXT, GRID = "#1b6ca8", "#b4b4b4", "#7a7a7a", "#d1495b", "#222222", "#e2e2e2"

COMMON = """
set terminal svg size {width},{height} dynamic noenhanced background "#ffffff" font "sans-serif,13"
set encoding utf8
set border 0
set tics nomirror scale 0 textcolor rgb "{text}"
set title textcolor rgb "{text}"
set key textcolor rgb "{text}" samplen 2
"""

OPERATIONS = """
set label "Instructions for each operation, {cpu} (log axis; less is better)" at screen 0.5,{title} center \\
    tc rgb "{text}"
set logscale x
set xrange [0.999 * {least}:{most}]
set yrange [{bottom}:-0.4]
set xtics ({ticks})
set grid xtics lc rgb "{grid}" lw 1
set key at screen 0.5,{key} center center horizontal maxrows 1
set lmargin at screen 0.5
set rmargin at screen 0.97
set tmargin at screen {top}
set bmargin at screen {base}
set style fill solid noborder
plot $rows using 2:1:({least}):2:($1+0.02):($1+0.38) with boxxyerror lc rgb "{ours}" title "memstage", \\
     $rows using 3:1:({least}):3:($1-0.36):($1) with boxxyerror lc rgb "{linux}" title "Linux 6.12", \\
     $budgets using 2:($1-0.04):(0):(0.46) with vectors nohead lw 3 lc rgb "{budget}" title "our budget", \\
     $rows using 7:($1+0.2):4 with labels left offset 0.4,0 font ",10" tc rgb "{text}" notitle, \\
     $rows using 3:($1-0.18):5 with labels left offset 0.4,0 font ",10" tc rgb "{text}" notitle, \\
     $rows using ({least}):1:ytic(6) with dots lc rgb "{grid}" notitle
"""

BOOT = """
set title "Memory management brought up, {cpu} (log axes; less is better)"
set logscale xy
set xrange [0.1:320]
set yrange [{least}:{most}]
set xlabel "RAM" textcolor rgb "{text}"
set ylabel "millions of guest instructions" textcolor rgb "{text}"
set xtics ({sizes})
set ytics ({ticks})
set grid xtics ytics lc rgb "{grid}" lw 1
set key left top Left reverse
set lmargin 12
set rmargin 6
plot $linux using 1:2 with linespoints lw 2 pt 5 ps 0.8 lc rgb "{linux}" title "Linux 6.12, all at once", \\
     $deferred using 1:2 with linespoints lw 2 dt 2 pt 5 ps 0.8 lc rgb "{deferred}" \\
     title "Linux 6.12, deferred: until usable", \\
     $nodes using 1:2 with linespoints lw 2 dt 2 pt 7 ps 0.7 lc rgb "{ours}" title "memstage, 8 nodes", \\
     $ours using 1:2 with linespoints lw 3 pt 7 ps 0.9 lc rgb "{ours}" title "memstage, 1 node", \\
     $budgets using 1:2 with points pt 2 ps 1 lw 3 lc rgb "{budget}" title "our budget", \\
     $linux using 1:2:3 with labels offset 0,0.9 font ",10" tc rgb "{text}" notitle, \\
     $ours using 1:2:3 with labels offset 0,0.9 font ",10" tc rgb "{text}" notitle
"""


def gib(size):
    """A size of table.SIZES as a number: "16g" is 16."""
    return int(size[:-1]) / (1024 if size.endswith("m") else 1)


def block(name, lines):
    """Data that the script carries along. A text is in quotes; it holds none."""
    rows = "\n".join(" ".join(f'"{cell}"' if isinstance(cell, str) else f"{cell:.12g}" for cell in line)
                     for line in lines)
    return f"${name} << EOD\n{rows}\nEOD\n"


def decades(least, most):
    """Ticks at the powers of ten from @least to @most, written out: a locale has no say in them."""
    powers = [10 ** power for power in range(-3, 12) if least <= 10 ** power <= most]
    return ", ".join(f'"{power:,}" {power}' for power in powers)


def script(template, width, height, blocks, **more):
    colors = {"ours": OURS, "linux": LINUX, "deferred": DEFERRED, "budget": BUDGET, "text": TEXT, "grid": GRID}
    text = (COMMON + template).format(cpu=CPU, width=width, height=height, **colors, **more)
    return "".join(block(name, lines) for name, lines in blocks.items()) + text


def wanted(row, rows):
    known = rows.operations.get(row["row"], {})
    half = HALF.search(row["row"]) and HALF.sub("_pair", row["row"]) in rows.operations
    return row["cpu"] == CPU and row["linux"] and known.get("gate") and not half and not row["row"].endswith(ALONE)


def beside(ours, budget):
    """Where the number of a bar stands: at its end, or behind the mark that is there."""
    return budget if budget and ours <= budget < ours * BESIDE else ours


def operations(results, rows):
    shown = [row for row in results["rows"] if wanted(row, rows)]
    if not shown:
        raise Failure(f"no gated row on {CPU} that Linux has as well: nothing to draw")
    lines = [(-place, row["ours"], row["linux"], number(row["ours"]), number(row["linux"]),
              rows.operations[row["row"]]["what"], beside(row["ours"], row["budget"]))
             for place, row in enumerate(shown, 1)]
    budgets = [(-place, row["budget"]) for place, row in enumerate(shown, 1) if row["budget"]]
    figures = [row[column] for row in shown for column in ("ours", "linux", "budget") if row[column]]
    least, most = 10 if min(figures) > 11 else 1, 2 * max(figures)
    height = HEAD + ROW * len(shown) + FOOT
    return script(OPERATIONS, 1040, height, {"rows": lines, "budgets": budgets}, least=least, most=most,
                  ticks=decades(least, most), bottom=-len(shown) - 0.6, title=1 - HEAD / 3 / height,
                  key=1 - HEAD * 2 / 3 / height, top=1 - HEAD / height, base=FOOT / height)


def boot(results, rows):
    seen = {row["row"]: row for row in results["rows"] if row["cpu"] == CPU}

    def points(of, nodes=""):
        found = [(size, seen.get(f"boot_mm_{size}{nodes}")) for size in SIZES]
        costs = [(gib(size), of(row)) for size, row in found if row]
        return [(ram, cost / 1e6, number(cost / 1e6)) for ram, cost in costs if cost]

    blocks = {
        "ours": points(lambda row: row["ours"]),
        "nodes": points(lambda row: row["ours"], "_8n"),
        "linux": points(lambda row: row["linux"]),
        "deferred": points(lambda row: rows.memory.get(row["row"], {}).get("deferred")),
        "budgets": points(lambda row: row["budget"]),
    }
    lacking = [name for name, line in blocks.items() if not line]
    if lacking:
        raise Failure(f"no boot_mm row for {', '.join(lacking)}: nothing to draw")
    costs = [point[1] for line in blocks.values() for point in line]
    least, most = min(costs) / 2, max(costs) * 4
    sizes = ", ".join(f'"{name}" {gib(size):.12g}' for size, name in SIZES.items())
    return script(BOOT, 900, 520, blocks, sizes=sizes, ticks=decades(least, most), least=least, most=most)


def draw(text, about):
    try:
        done = subprocess.run([GNUPLOT, "-"], input=text, capture_output=True, text=True, timeout=LIMIT, check=False,
                              env=os.environ | {"LC_ALL": "C.UTF-8"})
    except FileNotFoundError:
        raise Failure(f"there is no {GNUPLOT}; `scripts/setup --for bench-pictures` installs it") from None
    except subprocess.TimeoutExpired:
        raise Failure(f"{about}: gnuplot did not end within {LIMIT} seconds") from None
    if done.returncode or done.stderr.strip():
        raise Failure(f"{about}: gnuplot: {' '.join(done.stderr.split()) or f'status {done.returncode}'}")
    return done.stdout


def put(folder, pictures):
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pictures-") as beside:
        for name, picture in pictures.items():
            Path(beside, name).write_text(picture, encoding="utf-8")
        for name in pictures:
            Path(beside, name).replace(folder / name)


def main(path, folder):
    rows, results = data.Rows(), data.read(Path(path), "`make bench` makes one")
    drawn = {f"{make.__name__}.svg": draw(make(results, rows), make.__name__) for make in (operations, boot)}
    try:
        put(Path(folder), drawn)
    except OSError as error:
        raise Failure(f"{folder}: {error.strerror}") from None
    print(f"bench-pictures: {', '.join(f'{folder}/{name}' for name in drawn)}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py RESULTS FOLDER")
    try:
        main(*sys.argv[1:])
    except Failure as failure:
        sys.exit(f"bench-pictures: {failure}; no picture was changed")
    except KeyboardInterrupt:
        print("\nbench-pictures: interrupted; no picture was changed", file=sys.stderr)
        sys.exit(130)
