#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The table of symbol names that backtraces print, as assembly, from the output of `nm -n`.

ksyms_count         .word: number of entries
ksyms_offset[]      u32: address of the symbol minus _text, rising
ksyms_name_off[]    u32: where in ksyms_names its name begins
ksyms_names         names, each ended by NUL

With --same-text BEFORE AFTER: exit with status 1 unless both files have the same text symbols at the same addresses,
that is, unless the table made from BEFORE is true of AFTER.
"""

import argparse
import sys


def text_symbols(path):
    """The text symbols of an `nm -n` listing as [(address, name)], and the address of _text."""
    symbols, base = [], 0
    with open(path, encoding="ascii") as listing:
        for line in listing:
            fields = line.split()
            if len(fields) != 3:
                continue
            if fields[2] == "_text":
                base = int(fields[0], 16)
            if fields[1] in "tTwW":
                symbols.append((int(fields[0], 16), fields[2]))
    return sorted(symbols), base


def assembly(symbols, base):
    names, offsets, lines = {}, [], []
    size = 0
    for _, name in symbols:
        if name not in names:
            names[name] = size
            size += len(name) + 1
    for address, name in symbols:
        if not 0 <= address - base < 1 << 32:
            sys.exit(f"ksyms.py: {name} at {address:#x} is not within 4 GiB after _text at {base:#x}")
        offsets.append(address - base)

    def table(label, values):
        lines.append(f"\t.balign 4\n\t.globl {label}\n\t.hidden {label}\n{label}:")
        lines.extend(values)

    lines.append('\t.section .ksyms, "a"')
    table("ksyms_count", [f"\t.word {len(symbols)}"])
    table("ksyms_offset", [f"\t.word {offset:#x}" for offset in offsets])
    table("ksyms_name_off", [f"\t.word {names[name]}" for _, name in symbols])
    table("ksyms_names", [f'\t.asciz "{name}"' for name in names])
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="make the table of symbol names")
    parser.add_argument("--same-text", action="store_true", help="compare two listings instead")
    parser.add_argument("listing", nargs="+", help="output of nm -n")
    args = parser.parse_args()

    if not args.same_text:
        print(assembly(*text_symbols(args.listing[0])))
        return
    before, after = (text_symbols(path)[0] for path in args.listing)
    if before != after:
        moved = sorted(set(before) ^ set(after))[0]
        sys.exit(f"ksyms.py: {moved[1]} moved between the two links: .ksyms must lie behind all text")


if __name__ == "__main__":
    main()
