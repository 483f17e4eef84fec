# SPDX-License-Identifier: BSD-2-Clause
#
# The benchmark in the image: test/bench/bench.py measures, test/bench/results.json is what was accepted.
#
# What is measured is an image of its own, CONFIG=bench, in which a free checks nothing; beside it some rows of virt's.

##@ Benchmarks

.PHONY: bench bench-check bench-accept
bench: bench-image virt-image ## Instructions of each operation beside Linux's (B=GROUP for one group of rows)
	@test/bench/bench.py $(if $(B),'$(B)')

bench-check: bench-image virt-image ## Has a row grown since the accepted results? Part of `make test`
	@test/bench/check.t

bench-accept: ## Compare with the last `make bench` from now on (test/bench/results.json)
	@test/bench/bench.py --accept
