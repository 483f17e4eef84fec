# SPDX-License-Identifier: BSD-2-Clause
#
# The front door of memstage. `make help` lists the goals.
#
# 1. Tools: every goal but help and clean first lets scripts/setup install what is missing.
# 2. Configuration: CONFIG names a file arch-arm64/configs/<CONFIG>_defconfig; all output is in build/<CONFIG>/
#    (BUILD=... for another place than build/). Its .config is both an input of this file (CONFIG_... variables) and,
#    as autoconf.h, of each C file.
# 3. Sources are found by wildcard in the folders below; a file that belongs to an option is listed in OPTIONAL.
# 4. The image is linked twice: the table of symbol names that backtraces print (scripts/ksyms.py) is made from the
#    first link. It lies behind all text, so the text of both links has the same addresses, which is checked.
# 5. Objects are rebuilt when their command, their .config or a header changes. No byte of output depends on the
#    time, the folder or the order of files.
# 6. The host build is in scripts/host.mk, formatting, linting and other checks are in scripts/check.mk, the benchmark
#    is in scripts/bench.mk and scripts/bench-host.mk.

CONFIG ?= virt
BUILD ?= build
CROSS ?= aarch64-linux-gnu-
PREFIX ?= /usr/local
PYTHON := /usr/bin/python3

O := $(BUILD)/$(CONFIG)
DEFCONFIG := arch-arm64/configs/$(CONFIG)_defconfig
KCONFIGS := scripts/Kconfig mm/Kconfig lib/Kconfig arch-arm64/Kconfig

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
# As many jobs as there are processors, unless -jN is given; a make run by this one shares its jobs.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += --jobs=$(shell nproc)
endif
export LC_ALL := C
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE
FORCE:

# Default goal, and which goals need tools. A restarted make (after it has made .config) need not look again.
.DEFAULT_GOAL := all
GOALS := $(or $(MAKECMDGOALS),all)
NEEDS_TOOLS := $(filter-out help clean,$(GOALS))
ifneq ($(NEEDS_TOOLS),)
ifndef MAKE_RESTARTS
$(if $(shell scripts/setup || echo failed),$(error scripts/setup did not succeed))
endif
ifeq ($(wildcard $(DEFCONFIG)),)
$(error there is no $(DEFCONFIG))
endif
include $(O)/.config
endif

# $(call run,NAME,WHAT): what a recipe line prints before its command; V=1 prints the command instead.
run = $(if $(V),,@printf '  %-8s%s\n' '$(1)' '$(2)';)

##@ Building

.PHONY: all image
all: image $(O)/libmemstage.a ## Image, memstage-exec.elf (ELF loaders), System.map, libmemstage.a: build/CONFIG/ (virt)
image: $(O)/Image $(O)/memstage-exec.elf $(O)/System.map

# --- Configuration ---

KCONFIG_RUN = $(PYTHON) scripts/kconfig.py --config $(O)/.config --header $(O)/include/generated/autoconf.h \
	--defconfig $(DEFCONFIG)

$(O)/.config: $(KCONFIGS) $(DEFCONFIG) scripts/kconfig.py
	$(call run,CONFIG,$@)$(KCONFIG_RUN) && touch $@

$(O)/include/generated/autoconf.h: $(O)/.config
	$(call run,CONFIG,$@)$(KCONFIG_RUN) && touch $@

.PHONY: menuconfig
menuconfig: $(O)/.config ## Change build/CONFIG/.config in a menu
	@KCONFIG_CONFIG=$(O)/.config $(PYTHON) -m menuconfig scripts/Kconfig

%_defconfig: ## virt_defconfig and others: make build/virt/.config anew from arch-arm64/configs/
	@$(PYTHON) scripts/kconfig.py --reset --defconfig arch-arm64/configs/$@ \
		--config $(BUILD)/$*/.config --header $(BUILD)/$*/include/generated/autoconf.h

# --- Sources ---

CORE_DIRS := mm lib
PORT_DIRS := $(addprefix arch-arm64/,boot mm cpu irq uart)
TEST_DIRS := test/target test/misuse test/bench

# Files that belong to an option: OPTION:pattern.
OPTIONAL := MONITOR:lib/monitor%.c BOOTMEM:mm/bootmem%.c BOOTMEM:test/bench/bootmem.c \
	MM_DEBUG_LOCKS:lib/lock_debug.c MM_DEBUG:lib/list_debug.c MM_DEBUG:mm/debug.c MM_DEBUG:mm/slub_debug.c \
	PAGE_OWNER:mm/page_owner.c \
	SELFTEST:test/target/%.c SELFTEST:test/misuse/%.c SELFTEST:test/bench/%.c SELFTEST:mm/memtest_fault.c \
	RANDOMIZE_BASE:arch-arm64/boot/early_kaslr.c RANDOMIZE_BASE:arch-arm64/mm/kaslr.c \
	SELFTEST:arch-arm64/irq/fault_cmd%.c SELFTEST:arch-arm64/cpu/features_fault.c
option_off = $(if $(filter y,$(CONFIG_$(word 1,$(subst :, ,$(1))))),,$(word 2,$(subst :, ,$(1))))
ABSENT := $(foreach entry,$(OPTIONAL),$(call option_off,$(entry)))

files = $(sort $(wildcard $(foreach dir,$(1),$(addprefix $(dir)/,$(2)))))
CORE_SRCS := $(filter-out $(ABSENT),$(call files,$(CORE_DIRS),*.c))
LDSCRIPT := arch-arm64/boot/memstage.lds.S
OTHER_SRCS := $(filter-out $(ABSENT) $(LDSCRIPT),$(call files,$(PORT_DIRS) $(TEST_DIRS),*.c *.S))
IMAGE_SRCS := $(CORE_SRCS) $(OTHER_SRCS)
objects = $(addsuffix .o,$(basename $(2:%=$(1)/%)))
CORE_OBJS := $(call objects,$(O),$(CORE_SRCS))
IMAGE_OBJS := $(call objects,$(O),$(IMAGE_SRCS))

# --- Commands ---

CC := $(CROSS)gcc
PICOLIBC := /usr/lib/picolibc/aarch64-linux-gnu
DEPS := build/deps/usr

# Warnings, for the host build too.
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef -Wvla
LANGUAGE := -std=c11 -fno-strict-aliasing -fno-common -D_DEFAULT_SOURCE -include generated/autoconf.h \
	-g -ffile-prefix-map=$(CURDIR)=.

INCLUDES = -nostdinc -isystem $(PICOLIBC)/include -isystem $(GCC_INCLUDE) -isystem $(DEPS)/include \
	-Imm/include -Ilib/include -Iarch-arm64/include -I$(O)/include
# Code of the small model is position independent as it is; what holds an address is relocated at boot.
MACHINE_FLAGS := -fno-pic -fvisibility=hidden -mgeneral-regs-only -mno-outline-atomics \
	-mbranch-protection=$(if $(CONFIG_BRANCH_PROTECTION),standard,none) \
	-fstack-protector-strong -mstack-protector-guard=global -ftls-model=local-exec \
	-ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-fno-omit-frame-pointer -momit-leaf-frame-pointer
CFLAGS = $(LANGUAGE) -O2 $(WARNINGS) $(MACHINE_FLAGS) $(INCLUDES)
ASFLAGS = $(CFLAGS) -D__ASSEMBLY__

# What runs before the MMU is on: memory is device memory, where unaligned accesses fault, and calls to memset() and
# memcpy() made out of loops would reach the C library's.
EARLY_FLAGS := -mstrict-align -fno-stack-protector -fno-tree-loop-distribute-patterns
$(O)/arch-arm64/boot/early_%.o: CFLAGS += $(EARLY_FLAGS)
# What runs under UEFI: the stack protector's report would need page tables of our own.
$(O)/arch-arm64/boot/efi_%.o: CFLAGS += -fno-stack-protector
# What a backtrace must name, whatever it ends with.
$(O)/test/misuse/%.o: CFLAGS += -fno-optimize-sibling-calls

LDFLAGS := -nostdlib -static-pie -Wl,--no-dynamic-linker -Wl,-z,text -Wl,-z,max-page-size=4096 -Wl,--build-id=none \
	-Wl,--gc-sections -Wl,--fatal-warnings -Wl,--orphan-handling=error -Wl,--defsym=vfprintf=__i_vfprintf
LDLIBS = $(DEPS)/lib/aarch64-linux-gnu/libfdt.a $(PICOLIBC)/lib/release/libc.a $(LIBGCC)

ifneq ($(NEEDS_TOOLS),)
GCC_INCLUDE := $(shell $(CC) -print-file-name=include)
LIBGCC := $(shell $(CC) -print-libgcc-file-name)
endif

# A file that changes when the text changes: what depends on it is made again.
define remember
@mkdir -p $(@D)
@printf '%s\n' '$(strip $(1))' | cmp -s - $@ || printf '%s\n' '$(strip $(1))' >$@
endef

$(O)/.flags: FORCE
	$(call remember,$(CC) $(CFLAGS) $(EARLY_FLAGS))

$(O)/.link: FORCE
	$(call remember,$(LDFLAGS) $(LDLIBS) $(IMAGE_OBJS))

COMPILE_DEPS = $(O)/.flags $(O)/include/generated/autoconf.h

$(O)/%.o: %.c $(COMPILE_DEPS)
	@mkdir -p $(@D)
	$(call run,CC,$<)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(O)/%.o: %.S $(COMPILE_DEPS)
	@mkdir -p $(@D)
	$(call run,AS,$<)$(CC) $(ASFLAGS) -MMD -MP -c $< -o $@

$(O)/libmemstage.a: $(CORE_OBJS) $(O)/.link
	$(call run,AR,$@)rm -f $@ && $(CROSS)ar rcsD $@ $(CORE_OBJS)

# --- The image ---

$(O)/memstage.lds: $(LDSCRIPT) $(COMPILE_DEPS)
	$(call run,LDS,$@)$(CC) $(ASFLAGS) -D__LINKER__ -MMD -MP -MT $@ -MF $@.d -E -P -x assembler-with-cpp $< -o $@

LINK = $(CC) $(LDFLAGS) -T $(O)/memstage.lds $(IMAGE_OBJS) $(1) $(LDLIBS) -o $@ && \
	$(CROSS)nm -n $@ >$@.map

$(O)/ksyms-pass1.S: scripts/ksyms.py
	@mkdir -p $(@D)
	@scripts/ksyms.py /dev/null >$@

$(O)/ksyms-pass2.S: $(O)/pass1.elf scripts/ksyms.py
	$(call run,KSYMS,$@)scripts/ksyms.py $<.map >$@

$(O)/ksyms-%.o: $(O)/ksyms-%.S
	@$(CC) -c $< -o $@

$(O)/pass1.elf: $(IMAGE_OBJS) $(O)/ksyms-pass1.o $(O)/memstage.lds $(O)/.link
	$(call run,LD,$@)$(call LINK,$(O)/ksyms-pass1.o)

$(O)/memstage.elf: $(O)/pass1.elf $(O)/ksyms-pass2.o
	$(call run,LD,$@)$(call LINK,$(O)/ksyms-pass2.o)
	@scripts/ksyms.py --same-text $(O)/pass1.elf.map $@.map

$(O)/System.map: $(O)/memstage.elf
	@cp $<.map $@

$(O)/Image: $(O)/memstage.elf
	$(call run,OBJCOPY,$@)$(CROSS)objcopy -O binary $< $@

# Segments, sections and symbols all have addresses as of CONFIG_EXEC_ADDR, for loaders differ in which they go by.
$(O)/memstage-exec.elf: $(O)/memstage.elf
	$(call run,OBJCOPY,$@)$(CROSS)objcopy --strip-debug --remove-section=.comment --remove-section=.tbss \
		--change-addresses=0x$$(awk '$$3 == "exec_shift" { print $$1 }' $<.map) $< $@

-include $(IMAGE_OBJS:.o=.d) $(wildcard $(O)/memstage.lds.d)

# --- compile_commands.json ---

include scripts/host.mk
include scripts/check.mk
include scripts/fuzz.mk
include scripts/sdcard.mk
include scripts/loaders.mk
include scripts/bench.mk
include scripts/bench-host.mk
include scripts/bench-linux.mk

compile_commands.json: FORCE ## For clangd and other tools: how each file is compiled
	@mkdir -p $(O)
	$(file >$(O)/compile_commands.txt)
	$(foreach src,$(filter %.c,$(IMAGE_SRCS)),$(file >>$(O)/compile_commands.txt,$(src) $(CC) $(CFLAGS) \
		$(if $(filter arch-arm64/boot/early_%,$(src)),$(EARLY_FLAGS))))
	$(foreach src,$(HOST_ONLY_SRCS),$(file >>$(O)/compile_commands.txt,$(src) $(HOSTCC) $(HOST_CFLAGS)))
	$(foreach src,$(HOST_ENGINE_SRCS),$(file >>$(O)/compile_commands.txt,$(src) $(HOSTCC) $(ENGINE_INCLUDES) \
		$(HOST_CFLAGS)))
	@scripts/compdb.py $(O)/compile_commands.txt >$@

##@ Running

.PHONY: run test gdb
run: image ## Boot the image in QEMU (SMP=4 MEM=4G CPU=cortex-a72 APPEND= QEMU_ARGS=)
	@scripts/run $(O)/Image

# Which tests, and what has to be built for them.
HOST_TESTS := $(call host_tests,asan) $(call host_tests,tsan) \
	$(foreach variant,$(HOST_LEVEL_VARIANTS),$(call host_level_tests,$(variant)))
SCRIPT_TESTS := $(sort $(wildcard test/scripts/*.t test/target/*.t test/boot/*.t test/fuzz/*.t test/misuse/*.t \
	test/bench/*.t))
# Those that take longest go first, so that two jobs end together.
LONGEST := $(wildcard test/target/suites.t $(addprefix test/boot/,uboot.t kaslr.t raspi4b.t faults.t matrix.t ptdump.t \
	prompt.t efi.t soak.t gic.t))
TESTS := $(or $(T),$(LONGEST) $(filter-out $(LONGEST),$(SCRIPT_TESTS)) $(HOST_TESTS))

# Says whether this make's run of them has passed. `make -n` runs the lines of a rule that say MAKE, so the tests have
# one that does not.
VERDICT = $(BUILD)/verdict.$$PPID

test: ## Run all tests, or one: T=test/boot/matrix.t, T=build/host/asan/test_memblock
test: $(filter $(HOST)/%,$(TESTS)) $(SAMPLE_TREES) $(if $(filter %.t,$(TESTS)),image debug-image full-image \
	bootmem-image bench-image $(call host_tools,asan) fuzzers $(BH)/none/memstage)
	@echo passed >$(VERDICT)
	@prove --jobs 2 --timer --failures --comments --exec scripts/run-test $(PROVE_ARGS) $(TESTS) || \
		echo FAILED >$(VERDICT)
	$(if $(T),,@$(MAKE) --no-print-directory check || echo FAILED >$(VERDICT))
	@verdict=$$(cat $(VERDICT)); rm -f $(VERDICT); echo "test: $$verdict"; [ "$$verdict" = passed ]

# What takes its time: the random tests of pages and objects, with LONG_OPS percent of `make test`'s operations under
# AddressSanitizer and LONG_TSAN_OPS percent under ThreadSanitizer, and the soak. Each program says how many it did.
LONG_TESTS := test_buddy test_slub
LONG_OPS ?= 12000
LONG_LEAST ?= 10000000
LONG_TSAN_OPS ?= 6000
LONG_TSAN_LEAST ?= 1000000
LONG_SOAK ?= 60
LONG_RUN = TEST_TIMEOUT=7200 prove --timer --verbose --exec scripts/run-test

.PHONY: test-long
test-long: ## Pages and objects: 10 million random operations each under sanitizers, a soak of a minute; an hour or less
test-long: $(foreach variant,asan tsan,$(LONG_TESTS:%=$(HOST)/$(variant)/%)) image debug-image
	@result=passed; \
	MEMSTAGE_OPS=$(LONG_OPS) MEMSTAGE_LEAST=$(LONG_LEAST) $(LONG_RUN) $(LONG_TESTS:%=$(HOST)/asan/%) || \
		result=FAILED; \
	MEMSTAGE_OPS=$(LONG_TSAN_OPS) MEMSTAGE_LEAST=$(LONG_TSAN_LEAST) $(LONG_RUN) $(LONG_TESTS:%=$(HOST)/tsan/%) || \
		result=FAILED; \
	SOAK=$(LONG_SOAK) $(LONG_RUN) test/boot/soak.t || result=FAILED; \
	echo "test-long: $$result"; [ $$result = passed ]

# The images with every debug check on, with the highest level of hardening, and with the other boot allocator, which
# test/target runs beside the plain one;
# and what the benchmark measures.
.PHONY: debug-image full-image bootmem-image bench-image virt-image
debug-image full-image bootmem-image bench-image virt-image:
	@$(MAKE) --no-print-directory CONFIG=$(@:-image=) image

gdb: image ## Stop QEMU at reset and attach gdb, or ATTACH=HOST:PORT (GDB_ARGS="-batch -ex 'info registers pc'")
	@scripts/gdb/session $(O) $(GDB_ARGS)

.PHONY: test-board
test-board: ## Run the suites on a board: SERIAL=/dev/ttyUSB0 (BAUD=115200 SEND=test JUNIT= SAVE=)
	$(if $(SERIAL),,$(error test-board needs SERIAL=, the port the board is at))
	@scripts/ktap-run --serial '$(SERIAL)' --baud $(or $(BAUD),115200) --send '$(or $(SEND),test)' \
		$(if $(JUNIT),--junit '$(JUNIT)') $(if $(SAVE),--save '$(SAVE)')

##@ Other goals

.PHONY: install clean help setup
install: all ## Install Image, libmemstage.a and headers (PREFIX=/usr/local DESTDIR=)
	install -d $(DESTDIR)$(PREFIX)/lib/memstage $(DESTDIR)$(PREFIX)/include/memstage
	install -m 644 $(O)/libmemstage.a $(O)/Image $(O)/memstage-exec.elf \
		$(DESTDIR)$(PREFIX)/lib/memstage
	cp -r mm/include/. lib/include/. arch-arm64/include/. $(O)/include/. $(DESTDIR)$(PREFIX)/include/memstage

setup: ## Install the tools that are missing, and nothing else (scripts/setup)

clean: ## Remove all that was built (the unpacked packages in build/deps stay)
	rm -rf compile_commands.json $(filter-out build/deps,$(wildcard $(BUILD)/*))

help: ## This list
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z%_.-]+:.*## / { printf "  %-26s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
