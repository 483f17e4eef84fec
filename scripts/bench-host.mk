# SPDX-License-Identifier: BSD-2-Clause
#
# Benchmarks that count nothing of the bare machine: the core behind malloc() on this machine (test/bench/host), how
# throughput grows with CPUs (test/bench/scaling.c), and the pictures of results (test/bench/plot.py).
#
# 1. In build/bench-host/: for each hardening level the core with the benchmark's port, linked with the benchmark's
#    object file, in which malloc, free and realloc have been given the port's names; and `libraries`, that object file
#    as it is.
# 2. What only these goals need, scripts/setup installs when they are called for.

BH := $(BUILD)/bench-host
BH_LEVELS := none basic
BENCH_JSON := $(BUILD)/bench

# The library as firmware would have it: not position independent, a thread's variables at fixed offsets, memory at its
# physical address and the memmap in the low 2 GiB, so that a struct page is a shift and a 32-bit displacement away.
BH_CFLAGS = $(LANGUAGE) $(WARNINGS) -O2 -fno-pie -ftls-model=local-exec -pthread -D_GNU_SOURCE \
	-DHOST_LINEAR=0UL -DVMEMMAP_START=0x10000000UL \
	-Itest/bench/host/include -Itest/host/include -Imm/include -Ilib/include
BH_PROGRAM_FLAGS = -std=c11 $(WARNINGS) -O2 -g -fPIE -fno-plt -fno-builtin -pthread -D_GNU_SOURCE
BH_RENAME := $(foreach name,malloc realloc,--redefine-sym $(name)=bench_$(name)) --redefine-sym free=__kfree
# Options that are off in both levels.
BH_OFF := BOOTMEM:% MM_DEBUG:% MM_DEBUG_LOCKS:% PAGE_OWNER:%
BH_ABSENT := $(foreach entry,$(filter $(BH_OFF),$(OPTIONAL)),$(word 2,$(subst :, ,$(entry))))
BH_CORE_SRCS := $(filter-out $(BH_ABSENT),$(call files,$(CORE_DIRS),*.c)) test/host/tree.c test/bench/host/port.c

$(BH)/.flags: FORCE
	$(call remember,$(HOSTCC) $(BH_CFLAGS) $(BH_PROGRAM_FLAGS) $(BH_CORE_SRCS))

define bench_host_level
$(BH)/$(1)/.config $(BH)/$(1)/include/generated/autoconf.h &: test/bench/host/$(1)_defconfig $(KCONFIGS) \
	scripts/kconfig.py
	$$(call run,CONFIG,$(BH)/$(1)/.config)$$(PYTHON) scripts/kconfig.py --reset --config $(BH)/$(1)/.config \
		--header $(BH)/$(1)/include/generated/autoconf.h --defconfig $$< && \
		touch $(BH)/$(1)/.config $(BH)/$(1)/include/generated/autoconf.h

$(BH)/$(1)/%.o: %.c $(BH)/.flags $(BH)/$(1)/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< (hardening $(1)))$$(HOSTCC) $$(BH_CFLAGS) -I$(BH)/$(1)/include -MMD -MP -c $$< -o $$@

$(BH)/$(1)/libmemstage.a: $(call objects,$(BH)/$(1),$(BH_CORE_SRCS))
	$$(call run,HOSTAR,$$@)rm -f $$@ && ar rcsD $$@ $$^

$(BH)/$(1)/memstage: $(BH)/renamed.o $(BH)/$(1)/libmemstage.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -no-pie -pthread $$^ -lfdt -o $$@

-include $(patsubst %.o,%.d,$(call objects,$(BH)/$(1),$(BH_CORE_SRCS)))
endef
$(foreach level,$(BH_LEVELS),$(eval $(call bench_host_level,$(level))))

$(BH)/malloc.o: test/bench/host/malloc.c test/bench/host/host_bench.h $(BH)/.flags
	$(call run,HOSTCC,$<)$(HOSTCC) $(BH_PROGRAM_FLAGS) -c $< -o $@

$(BH)/renamed.o: $(BH)/malloc.o
	@objcopy $(BH_RENAME) $< $@

$(BH)/libraries: $(BH)/malloc.o
	$(call run,HOSTLD,$@)$(HOSTCC) -no-pie -pthread $^ -o $@

BH_PROGRAMS := $(BH)/libraries $(BH_LEVELS:%=$(BH)/%/memstage)

.PHONY: bench-host bench-scaling bench-pictures
bench-host: $(BH_PROGRAMS) ## The core as malloc(), counted and timed beside glibc's and others (B=ROW)
	@scripts/setup --for $@ && test/bench/host/run.py $(BH) $(BENCH_JSON)/host.json $(B)

bench-scaling: bench-image ## Throughput at 1, 2 and 4 CPUs, as ratios (QEMU without -icount)
	@test/bench/scaling.py $(BUILD)/bench/Image $(BENCH_JSON)/scaling.json

bench-pictures: ## Draw test/bench/results.json (RESULTS=) into test/bench/*.svg (PICTURES=)
	@scripts/setup --for $@ && \
	test/bench/plot.py $(or $(RESULTS),test/bench/results.json) $(or $(PICTURES),test/bench)

# clang-tidy for what no other build compiles.
$(BH)/tidy/port.ok: test/bench/host/port.c $(BH)/none/test/bench/host/port.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,$(BH_CFLAGS) -I$(BH)/none/include)

$(BH)/tidy/malloc.ok: test/bench/host/malloc.c $(BH)/malloc.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,$(BH_PROGRAM_FLAGS))

check-tidy: $(BH)/tidy/port.ok $(BH)/tidy/malloc.ok
