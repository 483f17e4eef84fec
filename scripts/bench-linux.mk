# SPDX-License-Identifier: BSD-2-Clause
#
# What Linux takes for the operations of the benchmark, measured anew beside ours: test/bench/linux/peer.py.
#
# Kernels are kept in build/linux/ until what they rest on changes. The packages that only this goal needs are installed
# by scripts/setup when it is asked for. No part of `make test`.

.PHONY: bench-linux
bench-linux: bench-image ## Linux's figures beside ours: builds Debian's kernels (once) and measures both
	@scripts/setup --for bench-linux && CROSS=$(CROSS) test/bench/linux/peer.py
