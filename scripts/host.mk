# SPDX-License-Identifier: BSD-2-Clause
#
# The host build: mm and lib with the port of test/host, several times over.
#
#	build/host/asan/	AddressSanitizer and UndefinedBehaviorSanitizer
#	build/host/tsan/	ThreadSanitizer
#	build/host/plain/	no sanitizer, optimised
#
#	build/host/LEVEL-asan/	for SLUB's programs: the hardening levels none and basic as images have them, without
#	build/host/LEVEL-tsan/	CONFIG_MM_DEBUG, which sends each free the long way: what is hot runs here only
#
# In each: libmemstage.a (the core and all of test/host but its programs) and, linked with it, a TAP program for each
# test/host/test_*.c and a helper of test scripts for each test/host/show_*.c. Sample trees (dts/) are compiled into
# build/host/dts/.

##@ Host build

HOSTCC ?= gcc
HOST := $(BUILD)/host
HOST_LEVELS := none basic
HOST_LEVEL_VARIANTS := $(foreach level,$(HOST_LEVELS),$(level)-asan $(level)-tsan)
HOST_VARIANTS := asan tsan plain
HOST_CONFIG := test/host/host_defconfig

# Files of the core that the host build leaves out.
HOST_EXCLUDE :=

HOST_FLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan
HOST_FLAGS_plain := -O2
$(foreach level,$(HOST_LEVELS),$(foreach sanitizer,asan tsan,\
$(eval HOST_FLAGS_$(level)-$(sanitizer) := $(HOST_FLAGS_$(sanitizer)))))

HOST_CFLAGS = $(LANGUAGE) $(WARNINGS) -pthread -D_GNU_SOURCE -Itest/host/include -Imm/include -Ilib/include \
	-I$(HOST)/include

HOST_TEST_SRCS := $(call files,test/host,test_*.c)
HOST_TOOL_SRCS := $(call files,test/host,show_*.c)
HOST_PORT_SRCS := $(filter-out $(HOST_TEST_SRCS) $(HOST_TOOL_SRCS),$(call files,test/host,*.c))
HOST_ONLY_SRCS := $(HOST_TEST_SRCS) $(HOST_TOOL_SRCS) $(HOST_PORT_SRCS)
HOST_LIB_SRCS := $(filter-out $(HOST_EXCLUDE),$(call files,$(CORE_DIRS),*.c)) $(HOST_PORT_SRCS)

# memblock's simulator: memblock alone, physical = virtual, a library that any test may link (test/host/memblock_sim).
SIM_TESTS := test_memblock_sim
SIM_SRCS := $(call files,test/host/memblock_sim,*.c)
SIM_LIB_SRCS := $(filter-out mm/memblock_discard.c,$(call files,mm,memblock*.c)) $(SIM_SRCS)
SIM_TEST_SRCS := $(SIM_TESTS:%=test/host/%.c) test/host/tap.c test/host/regions.c
HOST_ONLY_SRCS += $(SIM_SRCS)

# The table engine of arch-arm64, with its own headers and a machine that judges it (test/host/pgtable).
ENGINE_TESTS := test_pgtable
ENGINE_SRCS := $(call files,test/host/pgtable,*.c) $(addprefix arch-arm64/mm/pt_,map.c change.c query.c walk.c visit.c)
ENGINE_INCLUDES := -Itest/host/pgtable/include -Iarch-arm64/include
HOST_ONLY_SRCS := $(filter-out $(ENGINE_TESTS:%=test/host/%.c),$(HOST_ONLY_SRCS))
HOST_ENGINE_SRCS := $(call files,test/host/pgtable,*.c) $(ENGINE_TESTS:%=test/host/%.c)

host_tests = $(patsubst test/host/%.c,$(HOST)/$(1)/%,$(HOST_TEST_SRCS))
host_tools = $(patsubst test/host/%.c,$(HOST)/$(1)/%,$(HOST_TOOL_SRCS))

# Sample trees. What dtc thinks of them is not shown: some of them are wrong on purpose.
SAMPLE_TREES := $(patsubst %.dts,$(HOST)/%.dtb,$(call files,dts dts/boards,*.dts))

$(HOST)/dts/%.dtb: dts/%.dts $(call files,dts dts/boards,*.dtsi)
	@mkdir -p $(@D)
	$(call run,DTC,$<)dtc -q -q -q -f -I dts -O dtb -o $@ $<

$(HOST)/.config $(HOST)/include/generated/autoconf.h &: $(HOST_CONFIG) $(KCONFIGS) scripts/kconfig.py
	$(call run,CONFIG,$(HOST)/.config)$(PYTHON) scripts/kconfig.py --reset --config $(HOST)/.config \
		--header $(HOST)/include/generated/autoconf.h --defconfig $(HOST_CONFIG) && \
		touch $(HOST)/.config $(HOST)/include/generated/autoconf.h

# Functions of the core that a program gets in between of: calls of NAME from other files go to its __wrap_NAME.
HOST_WRAP_test_vmap_rights := vmap_rights_allow

define host_variant
$(HOST)/$(1)/.flags: FORCE
	$$(call remember,$$(HOSTCC) $$(HOST_CFLAGS) $$(HOST_FLAGS_$(1)) $$(foreach name,$$(sort $$(filter \
		HOST_WRAP_%,$$(.VARIABLES))),$$(name)=$$($$(name))))

$(HOST)/$(1)/.members: FORCE
	$$(call remember,$$(HOST_LIB_SRCS))

$(HOST)/$(1)/%.o: %.c $(HOST)/$(1)/.flags $(HOST)/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< ($(1)))$$(HOSTCC) $$(HOST_CFLAGS) $$(HOST_FLAGS_$(1)) -MMD -MP -c $$< -o $$@

$(HOST)/$(1)/libmemstage.a: $(call objects,$(HOST)/$(1),$(HOST_LIB_SRCS)) $(HOST)/$(1)/.members
	$$(call run,HOSTAR,$$@)rm -f $$@ && ar rcsD $$@ $$(filter %.o,$$^)

$(HOST)/$(1)/sim/%.o: %.c $(HOST)/$(1)/.flags $(HOST)/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< ($(1), simulator))$$(HOSTCC) -Itest/host/memblock_sim/include $$(HOST_CFLAGS) \
		$$(HOST_FLAGS_$(1)) -MMD -MP -c $$< -o $$@

$(HOST)/$(1)/libmemblock.a: $(call objects,$(HOST)/$(1)/sim,$(SIM_LIB_SRCS))
	$$(call run,HOSTAR,$$@)rm -f $$@ && ar rcsD $$@ $$^

$(SIM_TESTS:%=$(HOST)/$(1)/%): $(call objects,$(HOST)/$(1)/sim,$(SIM_TEST_SRCS)) $(HOST)/$(1)/libmemblock.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -pthread $$(HOST_FLAGS_$(1)) $$^ -o $$@

$(HOST)/$(1)/engine/%.o: %.c $(HOST)/$(1)/.flags $(HOST)/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< ($(1), table engine))$$(HOSTCC) $$(ENGINE_INCLUDES) $$(HOST_CFLAGS) \
		$$(HOST_FLAGS_$(1)) -MMD -MP -c $$< -o $$@

$(ENGINE_TESTS:%=$(HOST)/$(1)/%): $(HOST)/$(1)/%: $(HOST)/$(1)/engine/test/host/%.o \
$(call objects,$(HOST)/$(1)/engine,$(ENGINE_SRCS)) $(HOST)/$(1)/libmemstage.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -pthread $$(HOST_FLAGS_$(1)) $$^ -lfdt -o $$@

$(filter-out $(patsubst %,$(HOST)/$(1)/%,$(SIM_TESTS) $(ENGINE_TESTS)),\
$(call host_tests,$(1)) $(call host_tools,$(1))): \
$(HOST)/$(1)/%: $(HOST)/$(1)/test/host/%.o $(HOST)/$(1)/libmemstage.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -pthread $$(HOST_FLAGS_$(1)) $$(HOST_WRAP_$$(@F):%=-Wl,--wrap=%) $$^ \
		-lfdt -o $$@

-include $(patsubst %.o,%.d,$(call objects,$(HOST)/$(1),$(HOST_LIB_SRCS) $(HOST_TEST_SRCS) $(HOST_TOOL_SRCS)) \
	$(call objects,$(HOST)/$(1)/sim,$(SIM_LIB_SRCS) $(SIM_TEST_SRCS)) \
	$(call objects,$(HOST)/$(1)/engine,$(ENGINE_SRCS) $(ENGINE_TESTS:%=test/host/%.c)))
endef
$(foreach variant,$(HOST_VARIANTS),$(eval $(call host_variant,$(variant))))

# The levels: SLUB's programs, with objects that have a configuration of their own.
LEVEL_TESTS := $(filter test_slab% test_slub%,$(patsubst test/host/%.c,%,$(HOST_TEST_SRCS)))
LEVEL_ABSENT := $(foreach entry,$(filter MM_DEBUG:% MM_DEBUG_LOCKS:% PAGE_OWNER:%,$(OPTIONAL)),\
	$(word 2,$(subst :, ,$(entry))))
LEVEL_SRCS := $(filter-out $(LEVEL_ABSENT),$(HOST_LIB_SRCS))
host_level_tests = $(LEVEL_TESTS:%=$(HOST)/$(1)/%)
host_level_dir = $(HOST)/$(word 1,$(subst -, ,$(1)))

define host_level_config
$(HOST)/$(1)/.config $(HOST)/$(1)/include/generated/autoconf.h &: test/host/$(1)_defconfig $(KCONFIGS) \
	scripts/kconfig.py
	$$(call run,CONFIG,$(HOST)/$(1)/.config)$$(PYTHON) scripts/kconfig.py --reset --config $(HOST)/$(1)/.config \
		--header $(HOST)/$(1)/include/generated/autoconf.h --defconfig $$< && \
		touch $(HOST)/$(1)/.config $(HOST)/$(1)/include/generated/autoconf.h
endef
$(foreach level,$(HOST_LEVELS),$(eval $(call host_level_config,$(level))))

define host_level_variant
$(HOST)/$(1)/.flags: FORCE
	$$(call remember,$$(HOSTCC) $$(HOST_CFLAGS) $$(HOST_FLAGS_$(1)) $$(LEVEL_SRCS))

$(HOST)/$(1)/%.o: %.c $(HOST)/$(1)/.flags $(call host_level_dir,$(1))/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< ($(1)))$$(HOSTCC) -I$(call host_level_dir,$(1))/include $$(HOST_CFLAGS) \
		$$(HOST_FLAGS_$(1)) -MMD -MP -c $$< -o $$@

$(HOST)/$(1)/libmemstage.a: $(call objects,$(HOST)/$(1),$(LEVEL_SRCS))
	$$(call run,HOSTAR,$$@)rm -f $$@ && ar rcsD $$@ $$^

$(call host_level_tests,$(1)): $(HOST)/$(1)/%: $(HOST)/$(1)/test/host/%.o $(HOST)/$(1)/libmemstage.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -pthread $$(HOST_FLAGS_$(1)) $$^ -lfdt -o $$@

-include $(patsubst %.o,%.d,$(call objects,$(HOST)/$(1),$(LEVEL_SRCS) $(LEVEL_TESTS:%=test/host/%.c)))
endef
$(foreach variant,$(HOST_LEVEL_VARIANTS),$(eval $(call host_level_variant,$(variant))))

# They read them when they run, and show_trees does for test scripts.
TREE_READERS := test_boards test_damage show_trees
$(foreach variant,$(HOST_VARIANTS),$(TREE_READERS:%=$(HOST)/$(variant)/%)): | $(SAMPLE_TREES)

.PHONY: host
host: ## The core on this machine, under sanitizers, in build/host/
host: $(foreach variant,$(HOST_VARIANTS),$(HOST)/$(variant)/libmemstage.a $(call host_tests,$(variant)) \
	$(call host_tools,$(variant)))
