# SPDX-License-Identifier: BSD-2-Clause
"""The gate of `make bench-check`: have the rows that count grown since the results that are checked in?

Counts are exact, so a row that is more than ALLOWED above what was accepted did get slower, and is a failure. One that
is as much below is good news that ought to be accepted. For what grew a profile says which functions did.
"""

from collections import namedtuple

from results import figures

ALLOWED = 0.01
LEAST = 0.1  # instructions for each operation: a function that grew by less is not named
NAMED = 4

# Change: what became of a row; recorded is None for a row that the results do not have.
Change = namedtuple("Change", "row cpu recorded ours")


def grew(change):
    return change.recorded is not None and change.ours > change.recorded * (1 + ALLOWED)


def shrank(change):
    return change.recorded is not None and change.ours < change.recorded * (1 - ALLOWED)


def changes(rows, recorded, measured, cpu):
    """A Change for each gated row that was measured on @cpu."""
    before = figures(recorded, cpu)
    return [Change(row, cpu, before.get(row), measured[row]) for row in rows.gated() if row in measured]


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
