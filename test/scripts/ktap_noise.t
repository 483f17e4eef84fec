#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a serial line does to a console, done to a real one (capture.log: boot, prompt and `test` on QEMU's virt).

1. Known damage is named, with its line, and told from failure.
2. Any damage at all, seeded: a capture that passed is never passed with other results, one that failed is never passed.
3. JUnit XML is well formed and keeps to its schema whatever bytes came.
"""

import os
import random
import re
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
# pylint: disable=wrong-import-position
import junit
import ktap
from ktap_lines import Splitter

SEED = int(os.environ.get("MEMSTAGE_SEED", "1"), 0)
ROUNDS = 150  # of each kind of damage on each capture

GOOD = (HERE / "capture.log").read_bytes()
BOOT, RUN = GOOD[:GOOD.index(b"memstage> test")], GOOD[GOOD.index(b"memstage> test"):]


def changed(data, *pairs):
    for old, new in pairs:
        assert data.count(old) == 1, (old, data.count(old))
        data = data.replace(old, new)
    return data


BAD = changed(RUN, (b"  ok 3 zones", b"  # zones.c:1: not true: a\r\n  not ok 3 zones"),
              (b"ok 3 pages", b"not ok 3 pages"), (b"pass:9 fail:0", b"pass:8 fail:1"),
              (b"pass:31 fail:0", b"pass:30 fail:1"))
CUT = RUN[:RUN.index(b"  ok 5 timer")]

# Name: console, verdict, what a fault or a note must say ("" for: nothing is said).
CASES = {
    "a good capture": (GOOD, "passed", ""),
    "a bad capture": (BAD, "FAILED", ""),
    "lines that lost their newline": (RUN.replace(b"\n", b""), "passed", ""),
    "lines that lost their carriage return": (RUN.replace(b"\r", b""), "passed", ""),
    "two runs of two boots": (GOOD + GOOD, "passed", "a reset after the end"),
    "a reset after the end of the run": (GOOD.removesuffix(b"memstage> ") + BOOT, "passed", "a reset after the end"),
    "a lost result": (changed(RUN, (b"  ok 3 zones\r\n", b"")), "NOT TRUSTED", "result 3 in pages is missing"),
    "a result that lost a byte": (changed(RUN, (b"  ok 3 zones", b"  k 3 zones")), "NOT TRUSTED",
                                  "could be result 3, damaged: k 3 zones"),
    "a result within another line": (changed(RUN, (b"  ok 3 zones\r\n", b"[   10.000000] log ok 3 zones\r\n")),
                                     "NOT TRUSTED", "could be 'ok 3' within it, damaged: [   10.000000] log"),
    "a damaged number": (changed(RUN, (b"  ok 3 zones", b"  ok 7 zones")), "NOT TRUSTED",
                         "or this number is damaged: 7"),
    "a line twice": (changed(RUN, (b"  ok 3 zones\r\n", b"  ok 3 zones\r\n" * 2)), "NOT TRUSTED", "a line twice"),
    "failures that lost 'not '": (BAD.replace(b"not ok", b"ok"), "NOT TRUSTED", "the totals in pages do not agree"),
    "a skip that lost its mark": (RUN.replace(b"# SKIP the tree", b"$ SKIP the tree"), "NOT TRUSTED",
                                  "the totals in map do not agree"),
    "totals that are lost": (changed(RUN, (b"  # Totals: pass:9 fail:0 skip:0\r\n", b"")), "NOT TRUSTED",
                             "the totals in pages are missing"),
    "a version line lost": (changed(RUN, (b"test\r\nKTAP version 1\r\n", b"test\r\n")), "NOT TRUSTED",
                            "no version line"),
    "a plan lost": (changed(RUN, (b"1..4\r\n", b"")), "NOT TRUSTED", "no plan before"),
    "a version line twice": (changed(RUN, (b"test\r\nKTAP version 1", b"test\r\nKTAP version 1\r\nKTAP version 1")),
                             "NOT TRUSTED", "a version line twice"),
    "an end in the middle": (CUT, "NOT TRUSTED", "too few results: 0 of 4"),
    "a prompt in the middle": (CUT + b"memstage> \r\n" + RUN, "NOT TRUSTED", "too few results: 0 of 4"),
    "a reset in the middle": (CUT + GOOD, "FAILED", "after result 4 of suite cpus reset: [    0."),
    "a reset to U-Boot in the middle": (CUT + b"\0\xffU-Boot 2023.01 (Jan 01 2023)\r\n" + GOOD, "FAILED",
                                        "the 4 results of this run, from line 2 on, cannot be trusted"),
    "a reset whose banner was lost": (BOOT + CUT + BOOT.replace(b"memstage entered", b"memst") + RUN, "FAILED",
                                      "reset: the log's time goes back from"),
    "a reset of which nothing was seen": (CUT + RUN.partition(b"\n")[2], "NOT TRUSTED", "a run begins, though"),
    "one damaged time stamp": (changed(GOOD, (re.search(rb"\[ *[\d.]+\] SMP", GOOD)[0], b"[ 9990.078600] SMP")),
                               "passed", ""),
    "a panic": (CUT + b"[    9.000000] panic: out of memory\r\n", "FAILED", "panic: out of memory"),
    "garbage between lines": (changed(RUN, (b"  ok 3 zones\r\n", b"\xff\x00\xfe~\r\n  ok 3 zones\r\n")), "passed",
                              "lines with bytes that are no text"),
    "the wrong speed": (random.Random(SEED).randbytes(20000), "NOT TRUSTED", "no version line"),
    "nothing": (b"", "NOT TRUSTED", "no version line"),
}


def judge(data):
    splitter = Splitter()
    parser = ktap.Parser()
    for number, text in splitter.push(data) + splitter.finish():
        parser.feed(text, number)
    parser.finish()
    return parser


def check_cases(tap):
    for name, (data, verdict, words) in CASES.items():
        parser = judge(data)
        said = parser.faults + parser.notes
        good = parser.verdict == verdict and (any(words in line for line in said) if words else not said)
        tap.ok(good, f"{name}: {verdict}") or tap.note("\n".join([parser.verdict, *said]))


def check_reset(tap):
    """Results before the reset are skipped as not trusted, a failure among them stays; those after it are whole."""
    results = judge(CUT.replace(b"  ok 2 ", b"  not ok 2 ") + GOOD).results
    kinds = ["skipped" if one.skipped else one.passed for one in results]
    tap.ok(kinds[:4] == ["skipped", False, "skipped", "skipped"] and len(kinds) == 4 + 33 and kinds.count(True) == 31,
           "results around a reset") or tap.note(kinds)
    tap.ok([one.name for one in results[:4]] == [one.name for one in results[4:8]], "their names are the same")
    tap.ok(len(judge(changed(RUN, (b"  ok 3 zones", b"  ok 7 zones"))).faults) == 1, "a damaged number is one fault")


def line_span(data, rng):
    """Where one line begins and ends, of KTAP rather than of the log."""
    while True:
        start = data.rfind(b"\n", 0, rng.randrange(len(data))) + 1
        end = (data.find(b"\n", start) + 1) or len(data)
        if not data.startswith(b"[", start):
            return start, end


def splice(data, start, end, middle=b""):
    return data[:start] + middle + data[end:]


def at_byte(change):
    """Damage of one byte of a line of KTAP: @change gets the byte and a generator of random numbers."""

    def damage(data, rng):
        start, end = line_span(data, rng)
        at = rng.randrange(start, end)
        return splice(data, at, at + 1, change(data[at:at + 1], rng))

    return damage


def burst(data, rng):
    at = rng.randrange(len(data))
    return splice(data, at, at + rng.randrange(2, 200))


def noise(data, rng):
    out = bytearray(data)
    for _ in range(rng.randrange(2, 60)):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def lost_bytes(data, rng):
    out = bytearray(data)
    for _ in range(rng.randrange(2, 60)):
        del out[rng.randrange(len(out))]
    return bytes(out)


def doubled(data, rng):
    start, end = line_span(data, rng)
    return splice(data, start, end, data[start:end] * 2)


def reset(data, rng):
    return data[:rng.randrange(len(data))] + BOOT[:rng.randrange(len(BOOT))]


DAMAGE = {
    "a byte lost": at_byte(lambda byte, rng: b""),
    "a bit flipped": at_byte(lambda byte, rng: bytes([byte[0] ^ 1 << rng.randrange(8)])),
    "a byte replaced": at_byte(lambda byte, rng: rng.randbytes(1)),
    "a digit replaced": at_byte(lambda byte, rng: b"%d" % rng.randrange(10)),
    "a byte added": at_byte(lambda byte, rng: byte + rng.randbytes(1)),
    "a line lost": lambda data, rng: splice(data, *line_span(data, rng)),
    "a line twice": doubled,
    "many bytes lost together": burst,
    "many bytes lost": lost_bytes,
    "many bits flipped": noise,
    "an early end": lambda data, rng: data[:rng.randrange(len(data))],
    "a reset": reset,
}


def outcome(parser):
    return [(one.passed, one.skipped) for one in parser.results]


def check_damage(tap):
    right = outcome(judge(RUN))
    tap.note(f"MEMSTAGE_SEED={SEED:#x}")
    for kind, damage in DAMAGE.items():
        rng = random.Random(f"{SEED} {kind}")
        wrong, passed = [], 0
        for _ in range(ROUNDS):
            data = damage(RUN, rng)
            parser = judge(data)
            passed += parser.passed
            if parser.passed and outcome(parser) != right:
                wrong.append(data)
            data = damage(BAD, rng)
            if judge(data).passed:
                wrong.append(data)
        tap.ok(not wrong, f"{kind}: never a false pass ({passed} of {ROUNDS} harmless)")
        for data in wrong[:1]:
            tap.note(data.decode("utf-8", "surrogateescape"))


def junit_faults(data, name):
    """What is wrong with the XML that is written for @data."""
    parser = judge(data)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.xml")
        junit.write(path, parser, name)
        root = ET.parse(path).getroot()
    faults = ["the root is no testsuites"] * (root.tag != "testsuites")
    for suite in root:
        faults += suite_faults(suite)
    for count in "tests", "failures", "errors", "skipped":
        if int(root.get(count)) != sum(int(suite.get(count)) for suite in root):
            faults.append(f"{count} of the root is no sum")
    failed, skipped = (sum(flags) for flags in zip((0, 0), *((not one.passed, one.skipped) for one in parser.results)))
    wanted = [len(parser.results) + len(parser.faults), failed, len(parser.faults), skipped]
    said = [int(root.get(count)) for count in ("tests", "failures", "errors", "skipped")]
    return faults + [f"tests, failures, errors, skipped are {said}, {wanted} is right"] * (said != wanted)


def suite_faults(suite):
    cases = suite.findall("testcase")
    faults = [f"{suite.tag} is no testsuite"] * (suite.tag != "testsuite") + ["no name"] * (not suite.get("name"))
    for count, tag in ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"):
        if int(suite.get(count)) != sum(case.find(tag) is not None for case in cases):
            faults.append(f"{count} of {suite.get('name')} is wrong")
    faults += ["tests is wrong"] * (int(suite.get("tests")) != len(cases))
    order = [child.tag for child in suite]
    faults += [f"order of {order}"] * (order != sorted(order, key=["testcase", "system-out"].index))
    for case in cases:
        tags = [child.tag for child in case]
        faults += ["a case without a name"] * (not case.get("name") or not case.get("classname"))
        faults += [f"children {tags}"] * (tags not in (["system-out"], []) and
                                          (tags[0] not in ("failure", "error", "skipped") or tags[1:] not in
                                           ([], ["system-out"])))
    return faults


def check_junit(tap):
    rng = random.Random(SEED)
    for name, (data, _, _) in CASES.items():
        faults = junit_faults(data, name)
        tap.ok(not faults, f"JUnit XML of {name}") or tap.note("\n".join(faults))
    faults = []
    for _ in range(60):
        start, end = line_span(BAD, rng)
        data = splice(BAD, start, end, b"  # ]]> <&> \x1b[0m" + rng.randbytes(40))
        faults += junit_faults(noise(data, rng), "\x07 & <")
    tap.ok(not faults, "JUnit XML of noise") or tap.note("\n".join(faults))


def main():
    tap = ktap.Tap()
    check_cases(tap)
    check_reset(tap)
    check_damage(tap)
    check_junit(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
