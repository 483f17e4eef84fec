# SPDX-License-Identifier: BSD-2-Clause
#
# The fuzzers: test/fuzz/fuzz_NAME.c with the core, the host port and clang's libFuzzer, in build/fuzz/.
#
# 1. libcore.a is the core alone, libport.a all else: core_state.lds gathers what libcore.a can write (reset.c).
# 2. Inputs to begin with: test/fuzz/corpus/NAME/, and for discovery the sample trees of dts/. What `make fuzz` finds
#    worth keeping goes to build/fuzz/corpus/NAME/, an input that fails to build/fuzz/NAME-crash-... (test/fuzz/fuzz.t).

##@ Fuzzing

FUZZCC ?= clang
FUZZ := $(BUILD)/fuzz
FUZZ_SECONDS ?= 300

FUZZ_SRCS := $(call files,test/fuzz,fuzz_*.c)
FUZZ_PORT_SRCS := $(HOST_PORT_SRCS) test/fuzz/reset.c
FUZZ_CORE_SRCS := $(filter-out $(HOST_PORT_SRCS),$(HOST_LIB_SRCS))
FUZZERS := $(patsubst test/fuzz/%.c,$(FUZZ)/%,$(FUZZ_SRCS))

# clang knows all of gcc's flags but these.
FUZZ_CFLAGS = $(filter-out $(GCC_ONLY),$(HOST_CFLAGS)) -O1 -fno-omit-frame-pointer $(FUZZ_SANITIZE)
FUZZ_SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LDFLAGS := -pthread -fsanitize=fuzzer,address,undefined -Wl,--wrap=arch_exit -Wl,--wrap=arch_dump_stack \
	-Wl,-T,test/fuzz/core_state.lds

# The model is no part of what is tried, and it is most of the work.
$(FUZZ)/test/host/memblock_model.o: FUZZ_SANITIZE :=
$(FUZZ)/test/host/memblock_model.o: FUZZ_CFLAGS += -O2

$(FUZZ)/.flags: FORCE
	$(call remember,$(FUZZCC) $(FUZZ_CFLAGS) $(FUZZ_LDFLAGS))

$(FUZZ)/.members: FORCE
	$(call remember,$(FUZZ_CORE_SRCS) $(FUZZ_PORT_SRCS))

$(FUZZ)/%.o: %.c $(FUZZ)/.flags $(HOST)/include/generated/autoconf.h
	@mkdir -p $(@D)
	$(call run,FUZZCC,$<)$(FUZZCC) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@

$(FUZZ)/libcore.a: $(call objects,$(FUZZ),$(FUZZ_CORE_SRCS)) $(FUZZ)/.members
	$(call run,AR,$@)rm -f $@ && ar rcsD $@ $(filter %.o,$^)

$(FUZZ)/libport.a: $(call objects,$(FUZZ),$(FUZZ_PORT_SRCS)) $(FUZZ)/.members
	$(call run,AR,$@)rm -f $@ && ar rcsD $@ $(filter %.o,$^)

$(FUZZERS): $(FUZZ)/%: $(FUZZ)/test/fuzz/%.o $(FUZZ)/libport.a $(FUZZ)/libcore.a test/fuzz/core_state.lds
	$(call run,FUZZLD,$@)$(FUZZCC) $(FUZZ_LDFLAGS) $< -Wl,--start-group $(FUZZ)/libport.a $(FUZZ)/libcore.a \
		-Wl,--end-group -lfdt -o $@

-include $(patsubst %.o,%.d,$(call objects,$(FUZZ),$(FUZZ_CORE_SRCS) $(FUZZ_PORT_SRCS) $(FUZZ_SRCS)))

$(FUZZ)/tidy/%.ok: %.c $(FUZZ)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,$(FUZZ_CFLAGS))

check-tidy: $(patsubst %.c,$(FUZZ)/tidy/%.ok,$(FUZZ_SRCS) test/fuzz/reset.c)

.PHONY: fuzz fuzzers
fuzzers: $(FUZZERS) $(SAMPLE_TREES)

fuzz: fuzzers ## Fuzz discovery and memblock, FUZZ_SECONDS each (300), both at once
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_CORPUS=$(FUZZ)/corpus TEST_TIMEOUT=$$(($(FUZZ_SECONDS) + 120)) \
		prove --verbose --exec scripts/run-test test/fuzz/fuzz.t
