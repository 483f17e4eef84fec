#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""No gated row has grown by more than it may since the results that were accepted (test/bench/gate.py).

	check.t [--results FILE] [--group GROUP] [--cpu CPU]

What was accepted was measured by the same image on the same machine, doing the same operations, so equal code gives
equal figures. Each gated row on each CPU model is a result. When rows grew, a second run profiles them. Without --group
and --cpu the rows on two nodes and those of the hardening level basic are looked at as well.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import gate
import results as data
from bench import HOT, LEVELS, STANDARD, boot_names
from imagerun import CPUS, Failure, board, image, ktap, measure
from symbols import profile

AT_ONCE = 2
ADVICE = "run make bench, then make bench-accept"


def options():
    parser = argparse.ArgumentParser(description="compare with the accepted results")
    parser.add_argument("--results", type=Path, default=data.ACCEPTED, help="compare with these instead")
    parser.add_argument("--group", default="", help="one group of rows, not all")
    parser.add_argument("--cpu", choices=CPUS, help="one CPU model, not both")
    return parser.parse_args()


def measured_on(cpu, group):
    rows = measure(board(cpu), cpu, group)
    return rows | boot_names(rows, STANDARD)


def gated(rows, measured):
    return {row: measured[row] for row in rows.gated() if row in measured}


def on_two_nodes():
    """Operations alone: the results have no others of two nodes."""
    rows = data.Rows()
    measured = gated(rows, measure(board(CPUS[0], nodes=2), f"{CPUS[0]}, 2 nodes"))
    return {row: measured[row] for row in rows.operations if row in measured}


def at_basic():
    """The rows that show the level, each group in a run of its own, as the results have them."""
    measured = {}
    for group, hot in HOT.items():
        rows = measure(board(CPUS[0]), f"{CPUS[0]}, hardening basic, {group}", group, image(LEVELS["basic"]))
        measured |= {row: rows[row] for row in hot}
    return measured


# Part of the results: how it is measured, and what it is called.
OTHERS = {"numa": (on_two_nodes, f"{CPUS[0]}, 2 nodes,"), "basic": (at_basic, f"{CPUS[0]}, hardening basic,")}


def blame(rows, recorded, cpu, grown):
    """{row: lines that name the functions which grew}."""
    wanted = {change.row: rows.profile(change.row) for change in grown}
    now = profile(board(cpu), f"{cpu}, profile", {name for name in wanted.values() if name})
    before = recorded["profiles"].get(cpu, {})
    lines = {}
    for row, name in wanted.items():
        if name is None or name not in before:
            lines[row] = ["no profile of it was recorded"]
        else:
            lines[row] = gate.blame(before[name], now[name]) or ["no function grew in its profile, of fewer operations"]
    return lines


def report(tap, rows, recorded, measured, cpu):
    changes = gate.changes(rows, data.figures(recorded, cpu), gated(rows, measured), cpu)
    grown = [change for change in changes if gate.grew(change)]
    say(tap, changes, blame(rows, recorded, cpu, grown) if grown else {})


def report_other(tap, rows, recorded, part, measured):
    before = {row["row"]: row["ours"] for row in recorded[part]}
    say(tap, gate.changes(rows, before, measured, OTHERS[part][1]), {})


def say(tap, changes, blamed):
    for change in changes:
        tap.ok(change.recorded is not None and not gate.grew(change), gate.say(change))
        for line in blamed.get(change.row, []):
            tap.note(f"  {line}")
    for change in filter(gate.shrank, changes):
        tap.note(f"{change.cpu} {change.row} shrank from {change.recorded:g} to {change.ours:g}: {ADVICE}")


def missing(rows, measured, group):
    return [] if group else [row for row in rows.gated() if row not in measured]


def circumstances(tap, recorded):
    """What else than our code may have changed the figures."""
    now = data.circumstances(image())
    for key in "compiler", "qemu":
        if now[key] != recorded[key]:
            tap.note(f"{key} is {now[key]}, was {recorded[key]} when the results were accepted")


def main():
    args, tap, rows = options(), ktap.Tap(), data.Rows()
    cpus = [args.cpu] if args.cpu else CPUS
    others = {} if args.cpu or args.group else OTHERS
    try:
        recorded = data.read(args.results, ADVICE)
        circumstances(tap, recorded)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            beside = {part: pool.submit(measure_it) for part, (measure_it, _) in others.items()}
            runs = list(pool.map(lambda cpu: measured_on(cpu, args.group), cpus))
        for cpu, measured in zip(cpus, runs):
            lacking = missing(rows, measured, args.group)
            tap.ok(not lacking, f"{cpu}: every gated row was measured" + f", not {', '.join(lacking)}" * bool(lacking))
            report(tap, rows, recorded, measured, cpu)
        for part, measured in beside.items():
            report_other(tap, rows, recorded, part, measured.result())
    except Failure as failure:
        tap.ok(False, f"bench: {failure}")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
