#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What each CPU model has, what the image makes of it, and machines whose CPUs are not alike.

On each model the image must find what the model's manual gives it, use what it found, and pass the suite of atomics on
all CPUs. The boot argument nolse keeps the exclusive accesses. No emulated machine has CPUs that differ, so the boot
argument feature_fault=CPU,FEATURE makes one claim that it lacks something: it stays off when the code needs that by
then, and only then.
"""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
import machine
from machine import MIB, Machine, ktap

LIMIT = 60
AT_ONCE = 2

V82 = {"LSE", "CRC32", "PAN", "VHE", "RAS", "HAFDBS"}
V85 = V82 | {"PAC", "PACG", "BTI", "MTE"}

# What each model must have and must not have; names without what follows a dash. The rest is the emulator's affair.
MODELS = {
    "cortex-a53": ({"CRC32"}, V85 - {"CRC32"}),
    "cortex-a72": ({"CRC32"}, V85 - {"CRC32"}),
    "cortex-a76": (V82, {"PAC", "BTI", "MTE"}),
    "neoverse-n1": (V82, {"PAC", "BTI", "MTE"}),
    "neoverse-n2": (V85, set()),
    "max": (V85 | {"RNG"}, set()),
}
PA_BITS = {"cortex-a53": 40, "cortex-a72": 44, "cortex-a76": 40, "neoverse-n1": 48, "neoverse-n2": 48, "max": 48}

FOUND = re.compile(r"CPU features:((?: [A-Z0-9-]+)+|.*none of those.*); physical addresses of (\d+) bits, "
                   r"data cache line 64 bytes, DC ZVA 64 bytes$", re.MULTILINE)
USED = re.compile(r"CPU features in use: atomics by (\w+) \((\d+) of (\d+) places replaced\)(.*)$", re.MULTILINE)
SHOWN = re.compile(r"^CPU(\d+): (on line|off), MPIDR 0x[0-9a-f]+, .+ r\d+p\d+ \[0x[0-9a-f]{8}\], entered at EL(\d), "
                   r"PA (\d+) bits:((?: [A-Z0-9-]+)+)\r?$", re.MULTILINE)


def base_names(text):
    """The names in @text without algorithm and level."""
    return {re.sub(r"^(MTE)\d$", r"\1", name.split("-")[0]) for name in text.split()}


def wrong_sets(model, text):
    has, lacks = MODELS[model]
    names = base_names(text)
    return ([f"{name} is not found" for name in sorted(has - names)] +
            [f"{name} is found, and the model has none" for name in sorted(lacks & names)])


def used_faults(log, names, lse):
    """The line of what is in use against the names of what was found; @lse: whether it is to be used."""
    used = USED.search(log)
    if not used:
        return ["no line says what is in use"]
    replaced, places = int(used[2]), int(used[3])
    want = {"PAN": "PAN", "PAC": "PAC of return addresses", "BTI": "BTI"}
    say = "".join(f", {text}" for name, text in want.items() if name in names)
    faults = [f"atomics by {used[1]}"] * (used[1] != ("LSE" if lse else "exclusives"))
    faults += [f"{replaced} of {places} places replaced"] * (replaced != (places if lse else 0) or not places)
    return faults + [f"in use: '{used[4].strip()}', '{say}' is right"] * (used[4].strip("\r") != say)


def cpuinfo_faults(log, board, found):
    """One line for each CPU, each with what the boot CPU has."""
    shown = SHOWN.findall(log)
    faults = [f"cpuinfo shows CPUs {[int(line[0]) for line in shown]}"] * (
        [int(line[0]) for line in shown] != list(range(board.cpus)))
    for number, state, level, bits, names in shown:
        said = (state, int(level), int(bits), names.split())
        right = ("on line", board.level, int(found[2]), found[1].split())
        faults += [f"CPU {number} is {said}, {right} is right"] * (said != right)
    return faults


class Case:
    def __init__(self, model, args="", level=1):
        self.board = Machine(cpus=3, ram=256 * MIB, cpu=model, level=level, threads=True)
        self.model, self.args = model, args
        self.name = f"{model}, EL{level}{', ' + args if args else ''}"
        self.log = ""

    def faults(self):
        result = self.board.boot(self.args, b"cpuinfo\nptdump\ntest atomics\n\x04", LIMIT)
        self.log = result.log
        found = FOUND.search(result.log.replace("\r", ""))
        if not found:
            return ["no line of features"]
        names = base_names(found[1])
        faults = wrong_sets(self.model, found[1]) if not self.args else []
        faults += [f"physical addresses of {found[2]} bits"] * (int(found[2]) != PA_BITS[self.model])
        faults += used_faults(result.log, names, "LSE" in names)
        faults += ["LSE is used in spite of nolse"] * ("nolse" in self.args and "LSE" in names)
        guarded = re.search(r" ro x .* GP MEM/NORMAL", result.log)
        faults += ["text is guarded, or not, against the features"] * (bool(guarded) != ("BTI" in names))
        if not self.args:
            faults += cpuinfo_faults(result.log, self.board, found)
        return faults + machine.suite_faults(result, LIMIT) + machine.status_faults(result, 0)


class Unlike(Case):
    """One CPU claims to lack a feature. @online: CPUs that come on line. @says: what must be in the log."""

    def __init__(self, model, args, online, says):
        super().__init__(model, args)
        self.online, self.says = online, says

    def faults(self):
        result = self.board.boot(self.args, b"cpuinfo\ntest atomics\ntest cpus\n\x04", LIMIT)
        self.log = result.log
        faults = [] if f"SMP: {self.online} CPUs on line" in result.log else [f"not {self.online} CPUs on line"]
        lines = [line for line in result.log.splitlines() if "stays off" in line]
        faults += [f"{len(lines)} CPUs stay off: {lines}"] * (len(lines) != 3 - self.online)
        faults += [f"/{self.says}/ is not said"] * (not re.search(self.says, result.log))
        return faults + machine.suite_faults(result, LIMIT) + machine.status_faults(result, 0)


CASES = [Case(model) for model in MODELS]
CASES += [Case("cortex-a72", level=2), Case("neoverse-n2", level=2), Case("cortex-a76", "nolse"), Case("max", "nolse")]
CASES += [
    Unlike("cortex-a76", "feature_fault=1,LSE", 2, r"CPU1: MPIDR 0x1: stays off: it lacks LSE.*nolse"),
    Unlike("cortex-a76", "feature_fault=1,LSE nolse", 3, r"atomics by exclusives \(0 of"),
    Unlike("cortex-a76", "feature_fault=0,LSE", 3, r"atomics by exclusives \(0 of"),
    Unlike("max", "feature_fault=1,PAC-IMPDEF", 3, r"CPU1: on line.*LVA PACG"),
    Unlike("max", "feature_fault=1,BTI", 3, r"CPU1: on line.*FPAC MTE"),
    Unlike("cortex-a76", "feature_fault=nonsense", 3, r"feature_fault=nonsense is not CPU,FEATURE: ignored"),
]


def main():
    tap = ktap.Tap()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for case, faults in zip(CASES, pool.map(lambda case: case.faults(), CASES)):
            machine.report(tap, case.name, faults, case.log)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
