# SPDX-License-Identifier: BSD-2-Clause
"""The gate of `make bench-check`: have the rows that count grown since the results that are checked in?

A row that is more than allowed() above what was accepted did get slower, and is a failure. One that is as much below is
good news that ought to be accepted. For what grew a profile says which functions did.

Counts are exact, and an operation that always takes the same path differs from run to run by nothing. Of the rows that
are marked so (rows.toml), LEAST is allowed for the start of a loop and of CPUs, which is divided by all operations: at
most 0.01. One instruction more is then seen, even when only one of the 13 sizes of kmalloc_cycle meets it. In the
others slabs and blocks come and go, and which of them depends on how the image fills memory: ALLOWED of the figure.
"""

from collections import namedtuple

ALLOWED = 0.01
LEAST = 0.05  # instructions for each operation: neither an exact row nor a function has grown by less
NAMED = 4

# Change: what became of a row; recorded is None for a row that the results do not have. exact as in rows.toml.
Change = namedtuple("Change", "row cpu recorded ours exact")


def allowed(change):
    """By how much a row may differ from what was recorded."""
    return LEAST if change.exact else change.recorded * ALLOWED


def grew(change):
    return change.recorded is not None and change.ours > change.recorded + allowed(change)


def shrank(change):
    return change.recorded is not None and change.ours < change.recorded - allowed(change)


def changes(rows, before, measured, cpu):
    """A Change for each row of @measured, what was measured on @cpu; @before: {row: figure} that was accepted."""
    return [Change(row, cpu, before.get(row), ours, rows.exact(row)) for row, ours in measured.items()]


def say(change):
    """A row's line in the report."""
    name = f"{change.cpu} {change.row}"
    if change.recorded is None:
        return f"{name}: {change.ours:g}, not in the accepted results: run make bench, make bench-accept"
    if not grew(change):
        return f"{name}: {change.ours:g}" + f", was {change.recorded:g}" * (change.ours != change.recorded)
    more = f"{change.ours / change.recorded * 100 - 100:.1f} %" if change.recorded else "from nothing"
    return f"{name}: grew by {more}, from {change.recorded:g} to {change.ours:g}"


def blame(before, now):
    """Which functions grew from the profile @before to @now: a line for each, the most grown first."""
    grown = sorted(((now[name] - before.get(name, 0), name) for name in now), reverse=True)
    return [f"{name}() grew by {more:.2f} instructions per operation, from {before.get(name, 0):g} to {now[name]:g}"
            for more, name in grown if more > LEAST][:NAMED]
