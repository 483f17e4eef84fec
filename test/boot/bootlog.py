# SPDX-License-Identifier: BSD-2-Clause
"""The boot log as data: what the image says of memory, nodes, zones, CPUs and where each page went."""

import re
from collections import namedtuple

Range = namedtuple("Range", "base end nid who")  # end: one past the last byte
ZoneAccount = namedtuple("ZoneAccount", "nid zone pages parts")
# zones: [ZoneAccount], parts in pages; discovered and parts of the whole in bytes
Account = namedtuple("Account", "zones discovered parts verdict")
Memory = namedtuple("Memory", "available total")

STAMP = re.compile(r"^\[ *(\d+)\.(\d{6})\] ")
MEM = r"\[mem 0x([0-9a-f]+)-0x([0-9a-f]+)\]"
CLAIM = re.compile(rf"^ *(memory|reserved|no-map|metadata)\s+{MEM}(?: node (\d+))? (?:from|for) (.+)$")
ZONE_RANGE = re.compile(rf"^  (\w+)\s+(?:{MEM}|empty)$")
NODE = re.compile(rf"^node (\d+): {MEM}, (\d+) pages present$")
DISTANCES = re.compile(r"^ +(\d+):((?: +\d+)+)$")
ENTERED = re.compile(r"^memstage entered at EL(\d), ")
SMP = re.compile(r"^SMP: (\d+) CPUs? on line$")
AVAILABLE = re.compile(r"^Memory: (\d+)K/(\d+)K available")
ZONE_ACCOUNT = re.compile(r"^account: node (\d+) zone (\w+): (\d+) pages = (.+)$")
TOTAL = re.compile(r"^account: discovered (\d+) bytes = (.+): (\w.*)$")
PART = re.compile(r"^(\d+) ([\w -]+)$")


class BootLog:
    """
    claims: {kind: [Range]} for the kinds memory, reserved, no-map, metadata, in the order printed
    zone_ranges: {zone: (base, end) or None when empty}
    nodes: {nid: (base, end, pages)}
    distances: {(from, to): distance}
    accounts: [Account], in the order printed: suites print it again
    level: the exception level at entry, memory: Memory in KiB, cpus: on line; None when not said
    stamps: the time of each line that has one, in microseconds
    """

    def __init__(self, text):
        self.text = text
        self.stamps = []
        self.claims = {"memory": [], "reserved": [], "no-map": [], "metadata": []}
        self.zone_ranges, self.nodes, self.distances, self.accounts = {}, {}, {}, []
        self.level = self.memory = self.cpus = None
        self._zones = []
        table = None
        for line in text.splitlines():
            stamp = STAMP.match(line)
            if stamp:
                self.stamps.append(int(stamp[1]) * 1000000 + int(stamp[2]))
                line = line[stamp.end():]
            if line == "Zone ranges:":
                table = self._zone_range
            elif line == "node distances:":
                table = self._distance
            elif not (table and table(line)):
                table = None
                self._line(line)

    def panics(self):
        return [line for line in self.text.splitlines() if "panic:" in line]

    def lent(self):
        """Who owns what is reserved in the list of claims, and was handed over as a CMA area."""
        return set(re.findall(r"account: +\d+ bytes handed over, CMA: (.*)$", self.text, re.M))

    def _zone_range(self, line):
        match = ZONE_RANGE.match(line)
        if match:
            self.zone_ranges[match[1]] = (int(match[2], 16), int(match[3], 16) + 1) if match[2] else None
        return match

    def _distance(self, line):
        match = DISTANCES.match(line)
        if match:
            # Columns are the nodes that exist, in order, as the rows are.
            self.distances[int(match[1])] = [int(value) for value in match[2].split()]
        return match

    def distance_table(self):
        """{(from, to): distance}; None when a row has not as many columns as there are rows."""
        order = sorted(self.distances)
        if any(len(row) != len(order) for row in self.distances.values()):
            return None
        return {(a, b): self.distances[a][i] for a in order for i, b in enumerate(order)}

    def _line(self, line):
        match = CLAIM.match(line)
        if match:
            nid = int(match[4]) if match[4] else None
            self.claims[match[1]].append(Range(int(match[2], 16), int(match[3], 16) + 1, nid, match[5]))
        elif match := NODE.match(line):
            self.nodes[int(match[1])] = (int(match[2], 16), int(match[3], 16) + 1, int(match[4]))
        elif match := ENTERED.match(line):
            self.level = int(match[1])
        elif match := SMP.match(line):
            self.cpus = int(match[1])
        elif match := AVAILABLE.match(line):
            self.memory = Memory(int(match[1]), int(match[2]))
        elif match := ZONE_ACCOUNT.match(line):
            self._zones.append(ZoneAccount(int(match[1]), match[2], int(match[3]), parts(match[4])))
        elif match := TOTAL.match(line):
            self.accounts.append(Account(self._zones, int(match[1]), parts(match[2]), match[3]))
            self._zones = []


def parts(text):
    """{"reserved": 300, ...} of "300 reserved + 13000 metadata + ..."; None when it reads otherwise."""
    found = {}
    for part in text.split(" + "):
        match = PART.match(part)
        if not match or match[2] in found:
            return None
        found[match[2]] = int(match[1])
    return found
