# SPDX-License-Identifier: BSD-2-Clause
"""Rows and results of the benchmark as data.

1. rows.toml and memory.toml say which rows there are, what Linux takes, and what we allow ourselves.
2. A results file is one JSON object. Its "rows" are objects of the keys row, cpu, ours, linux and budget; "numa" are
   the same on two nodes beside Linux with NUMA; "basic" are the rows that were measured with the hardening level basic
   as well (ours, and none beside it); "profiles" has, by CPU model and row, the instructions of each function for each
   operation. The rest says what was measured, with what, and when.
3. A file is written whole or not at all: beside its place, then renamed.
4. Only a run of all rows is written. One of a tree with changes is marked, and accept() does not take it.
"""

import datetime
import json
import os
import re
import subprocess
import tempfile
import tomllib

from imagerun import BUILD, CPUS, QEMU, ROOT, Failure

HERE = ROOT / "test/bench"
LATEST = BUILD / "bench/results.json"
ACCEPTED = HERE / "results.json"
CROSS = os.environ.get("CROSS", "aarch64-linux-gnu-")
ROW_KEYS = {"row", "cpu", "ours", "linux", "budget"}
LISTS = {"rows": ROW_KEYS, "numa": ROW_KEYS, "basic": {"row", "cpu", "ours", "none"}}
KEYS = {"commit", "changed", "date", "compiler", "qemu", "configuration", "machine", "cpus", "rows", "numa", "basic",
        "profiles"}
HALF = re.compile(r"_(alloc|free|pair|alloc_cpu0|free_cpu1)$")
BATCH = re.compile(r"(batch|slab_bulk|pages_bulk|xcpu)")
# What may differ between the tree that was measured and the one that its results are put into.
NO_PART = [":!test/bench/results.json", ":!*.md", ":!*.svg"]


def load_toml(name):
    with open(HERE / name, "rb") as file:
        return tomllib.load(file)


class Rows:
    """All rows, in the order of the table: name to what rows.toml or memory.toml says."""

    def __init__(self):
        self.operations = load_toml("rows.toml")
        self.memory = load_toml("memory.toml")
        self.all = self.operations | self.memory

    def gated(self):
        return [row for row, is_ in self.all.items() if is_["gate"]]

    def exact(self, row):
        return self.all[row].get("exact", False)

    def linux(self, row, cpu):
        return self.all.get(row, {}).get("linux", {}).get(cpu)

    def budget(self, row):
        return self.all.get(row, {}).get("budget")

    def profile(self, row):
        """The row as bench_begin() names it, or None for one that has no functions."""
        if row in self.memory:
            return None
        other = self.operations[row].get("profile")
        return other or (HALF.sub("", row) if BATCH.match(row) else row)

    def profiles(self):
        return {name for name in map(self.profile, self.gated()) if name}

    def result(self, row, cpu, ours):
        return {"row": row, "cpu": cpu, "ours": ours, "linux": self.linux(row, cpu), "budget": self.budget(row)}


def said(words, default=None):
    """What a command prints, or @default when it fails."""
    try:
        return subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return default


def first_line(words):
    return (said(words) or "unknown").splitlines()[0]


def circumstances(kernel):
    """What has to be known of a run besides its figures."""
    changes = said(["git", "status", "--porcelain", "--", ".", *NO_PART])
    options = kernel.with_name(".config").read_text(encoding="utf-8").splitlines()
    return {
        "commit": said(["git", "rev-parse", "HEAD"]),
        "changed": changes is None or bool(changes),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "compiler": first_line([CROSS + "gcc", "--version"]),
        "qemu": first_line([QEMU, "--version"]),
        "configuration": {"name": kernel.parent.name, "options": [one for one in options if one.startswith("CONFIG_")]},
        "machine": "virt, 4 CPUs, 4 GiB in one node unless a row says more; -icount shift=0,sleep=off",
        "cpus": CPUS,
    }


def layout(value, depth=2):
    """@value as JSON, an item of a list or of a dictionary in a line of its own, to @depth of them."""
    pairs = isinstance(value, dict)
    if depth == 0 or not value or not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    items = [f"{json.dumps(key)}: {layout(item, depth - 1)}" for key, item in value.items()] if pairs else [
        layout(item, depth - 1) for item in value]
    return "{}\n{}\n{}".format("{" if pairs else "[", ",\n".join(items), "}" if pairs else "]")


def write(path, results):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".results-", delete=False) as file:
        try:
            file.write(layout(results) + "\n")
            file.flush()
            os.chmod(file.name, 0o644)
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def wrong(results):
    """What keeps @results from being a results file, or None."""
    if not isinstance(results, dict) or KEYS - results.keys():
        return f"no {', '.join(sorted(KEYS - results.keys() if isinstance(results, dict) else KEYS))} in it"
    for name, keys in LISTS.items():
        rows = results[name]
        if not isinstance(rows, list) or any(not isinstance(row, dict) or set(row) != keys for row in rows):
            return f"its {name} are no list of objects with the keys {', '.join(sorted(keys))}"
        if any(not isinstance(row["ours"], (int, float)) for row in rows):
            return f"one of its {name} has no figure"
    if not isinstance(results["profiles"], dict):
        return "its profiles are none"
    return None


def read(path, advice):
    """The results in a file. Raises Failure, with @advice on how to come by one."""
    name = os.path.relpath(path)
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(f"{name}: {error.strerror}; {advice}") from None
    except ValueError as error:
        raise Failure(f"{name}: not JSON ({error}); {advice}") from None
    what = wrong(results)
    if what:
        raise Failure(f"{name}: not the results of a run: {what}; {advice}")
    return results


def figures(results, cpu):
    """{row: ours} of one CPU model."""
    return {row["row"]: row["ours"] for row in results["rows"] if row["cpu"] == cpu}


def missing(rows, results):
    """Rows that ought to be in @results, and are not, as "ROW on CPU"."""
    gaps = []
    for cpu in CPUS:
        have = figures(results, cpu)
        wanted = list(rows.operations) + (list(rows.memory) if cpu == CPUS[0] else [])
        gaps += [f"{row} on {cpu}" for row in wanted if row not in have]
        gaps += [f"profile of {name} on {cpu}" for name in rows.profiles() - results["profiles"].get(cpu, {}).keys()]
    return gaps


def accept(rows):
    """Make the last run the one that bench-check compares with. Raises Failure when that run is no good."""
    results, name = read(LATEST, "`make bench` makes one"), os.path.relpath(LATEST)
    gaps = missing(rows, results)
    if gaps:
        raise Failure(f"{name}: the run lacks {', '.join(gaps[:3])}{' and more' * (len(gaps) > 3)}: not accepted")
    if results["changed"]:
        raise Failure(f"{name}: the tree had changes that are not committed when it was measured: not accepted")
    if said(["git", "diff", "--quiet", results["commit"], "--", ".", *NO_PART]) is None:
        raise Failure(f"{name}: measured at {results['commit'][:12]}, and the tree is another one now: not accepted")
    write(ACCEPTED, results)
