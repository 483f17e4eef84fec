# SPDX-License-Identifier: BSD-2-Clause
"""The tables of a results file: as text for a terminal, or as Markdown for README.md.

A ratio is ours by Linux's: below 1 is less work than Linux does. The verdict on a budget is that of the CPU model that
is farther from it.
"""

from imagerun import CPUS

SIZES = {"128m": "128 MiB", "1g": "1 GiB", "4g": "4 GiB", "16g": "16 GiB", "64g": "64 GiB", "255g": "255 GiB"}
STAGES = {"mm": "entry", "discovery": "discovery", "linear": "linear map", "nodes": "nodes", "sparse": "sparse",
          "dma_limit": "DMA reach", "zones": "bootmem_init", "percpu": "per-CPU areas", "cpus": "other CPUs",
          "memtest": "memory test", "handover": "hand-over", "slub": "SLUB"}
NONE = "–"
ROUNDING = 1.001  # Linux's figures are rounded


class Table:
    """A heading and lines of cells; numbers are aligned to the right."""

    def __init__(self, title, *heading):
        self.title, self._heading, self._lines = title, heading, []

    def __bool__(self):
        return bool(self._lines)

    def add(self, *cells):
        self._lines.append([NONE if cell is None else str(cell) for cell in cells])

    def text(self):
        lines = [list(self._heading)] + self._lines
        widths = [max(len(line[i]) for line in lines) for i in range(len(self._heading))]
        shown = ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]
        return "\n".join([self.title, *shown]) + "\n"

    def markdown(self):
        rule = ["---"] + ["--:"] * (len(self._heading) - 1)
        shown = [f"| {' | '.join(line)} |" for line in [self._heading, rule, *self._lines]]
        return "\n".join([f"{self.title}:", "", *shown]) + "\n"


def number(value):
    """Three digits that matter, or all before the point."""
    if value is None:
        return None
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def millions(value):
    return None if value is None else f"{value / 1e6:,.2f}" if value < 1e7 else f"{value / 1e6:,.1f}"


def hundredths(value):
    """What differs in hundredths; of thousands all before the point."""
    return None if value is None else f"{value:.2f}" if value < 1000 else number(value)


def ratio(ours, linux):
    if ours is None or not linux:
        return None
    return f"{ours / linux:.2f}" if ours / linux >= 0.1 else f"{ours / linux:.2g}"


def verdict(budget, *ours):
    """How the worst of @ours stands to the budget."""
    have = [one for one in ours if one is not None]
    if budget is None or not have:
        return None
    over = max(have) - budget
    return "met" if over <= 0 else f"missed by {number(over)}"


class Figures:
    """What a results file says of a row."""

    def __init__(self, results, rows):
        self.results, self.rows = results, rows
        self._ours = {(row["row"], row["cpu"]): row["ours"] for row in results["rows"]}
        self._numa = {row["row"]: row for row in results["numa"]}

    def ours(self, row, cpu=CPUS[0]):
        return self._ours.get((row, cpu))

    def numa(self, row):
        return self._numa.get(row, {}).get("ours"), self._numa.get(row, {}).get("linux")


def operations(figures):
    rows = figures.rows
    table = Table("Instructions for each operation", "operation", CPUS[0], "Linux", "ours / Linux", CPUS[1], "Linux",
                  "2 nodes", "Linux, NUMA", "budget", "")
    for row, is_ in rows.operations.items():
        ours = [figures.ours(row, cpu) for cpu in CPUS]
        linux = [rows.linux(row, cpu) for cpu in CPUS]
        if ours == [None, None]:
            continue
        table.add(is_["what"], number(ours[0]), number(linux[0]), ratio(ours[0], linux[0]), number(ours[1]),
                  number(linux[1]), number(figures.numa(row)[0]), number(figures.numa(row)[1] or is_.get("numa")),
                  number(is_.get("budget")), verdict(is_.get("budget"), *ours))
    return table


def boot(figures):
    rows = figures.rows
    table = Table(f"Memory management brought up, {CPUS[0]}, millions of instructions", "RAM", "1 node", "8 nodes",
                  "Linux", "Linux, deferred until usable", "ours / Linux", "budget", "")
    for size, name in SIZES.items():
        row = f"boot_mm_{size}"
        ours, linux, is_ = figures.ours(row), rows.linux(row, CPUS[0]), rows.memory[row]
        if ours is not None:
            table.add(name, millions(ours), millions(figures.ours(f"{row}_8n")), millions(linux),
                      millions(is_.get("deferred")), ratio(ours, linux), millions(is_.get("budget")),
                      f"missed by {millions(ours - is_['budget'])}" if ours > is_.get("budget", ours) else
                      "met" if "budget" in is_ else None)
    return table


def stages(figures, suffix=""):
    """What each stage takes; the figures of the image are where it ends."""
    sizes = [size for size in SIZES if figures.ours(f"boot_to_mm_{size}{suffix}") is not None]
    title = f"Each stage, {'8 nodes' if suffix else '1 node'}, millions of instructions"
    table = Table(title, "stage", *(SIZES[size] for size in sizes))
    before = [0] * len(sizes)
    for stage, name in STAGES.items():
        ends = [figures.ours(f"boot_to_{stage}_{size}{suffix}") or 0 for size in sizes]
        if sizes:
            table.add(name, *(f"{(end - start) / 1e6:.3f}" for start, end in zip(before, ends)))
        before = ends
    return table


def memory(figures):
    rows = figures.rows
    table = Table("Memory", "", "ours", "Linux", "ours / Linux")
    for row, is_ in rows.memory.items():
        ours, linux = figures.ours(row), rows.linux(row, CPUS[0])
        if ours is not None and not row.startswith("boot_"):
            table.add(is_["what"], hundredths(ours), hundredths(linux), ratio(ours, linux))
    return table


def hardening(figures):
    table = Table(f"What the hardening level basic costs, {CPUS[0]}", "operation", "none", "basic", "more")
    for basic in figures.results["basic"]:
        table.add(figures.rows.all[basic["row"]]["what"], number(basic["none"]), number(basic["ours"]),
                  number(basic["ours"] - basic["none"]))
    return table


def losses(figures):
    """Where we lose: to Linux, or to our own budget. A row that loses on one CPU model is not shown for the next."""
    table = Table("Where we lose", "operation", "CPU", "ours", "Linux", "more than Linux", "budget", "")
    shown = set()
    for result in figures.results["rows"]:
        row, ours, linux, budget = (result[key] for key in ("row", "ours", "linux", "budget"))
        behind = linux is not None and ours > linux * ROUNDING
        if row in shown or (not behind and (budget is None or ours <= budget)):
            continue
        shown.add(row)
        table.add(figures.rows.all[row]["what"], result["cpu"], number(ours), number(linux),
                  f"{ours / linux * 100 - 100:.1f} %" if behind else None, number(budget), verdict(budget, ours))
    return table


def tables(results, rows):
    """All tables that have something in them."""
    figures = Figures(results, rows)
    return [table for table in (operations(figures), hardening(figures), boot(figures), stages(figures),
                                stages(figures, "_8n"), memory(figures), losses(figures)) if table]
