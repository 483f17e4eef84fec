#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make .config and autoconf.h from the Kconfig files.

A missing .config is made from the defconfig. So is one that still is what a defconfig made of it, so that changed
defaults arrive; any other .config is somebody's choice and is only completed. With --reset the defconfig always wins.
"""

import argparse
import os
import sys

import kconfiglib


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main():
    parser = argparse.ArgumentParser(description="make .config and autoconf.h")
    parser.add_argument("--config", required=True, help="the .config to make or complete")
    parser.add_argument("--header", required=True, help="the C header to write")
    parser.add_argument("--defconfig", required=True, help="where a new .config comes from")
    parser.add_argument("--reset", action="store_true", help="forget the present .config")
    args = parser.parse_args()

    kconf = kconfiglib.Kconfig("scripts/Kconfig", warn_to_stderr=False)
    kconf.warn_assign_undef = True
    pristine = args.config + ".pristine"
    present = read(args.config)
    own_choice = present is not None and present != read(pristine) and not args.reset

    kconf.load_config(args.config if own_choice else args.defconfig)
    if kconf.warnings and not own_choice:
        sys.exit("\n".join(kconf.warnings))

    os.makedirs(os.path.dirname(args.header), exist_ok=True)
    kconf.write_config(args.config, save_old=False)
    if not own_choice:
        kconf.write_config(pristine, save_old=False)
    kconf.write_autoconf(args.header, "/* Generated from .config by scripts/kconfig.py. */\n")


if __name__ == "__main__":
    main()
