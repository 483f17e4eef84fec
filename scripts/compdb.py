#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""compile_commands.json from lines of the form "source compiler flags..."."""

import json
import os
import sys


def main():
    entries = []
    with open(sys.argv[1], encoding="utf-8") as lines:
        for line in lines:
            source, *command = line.split()
            entries.append({"directory": os.getcwd(), "file": source, "arguments": command + ["-c", source]})
    json.dump(sorted(entries, key=lambda entry: entry["file"]), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
