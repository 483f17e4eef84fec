# SPDX-License-Identifier: BSD-2-Clause
#
# The host build: mm and lib with the port of test/host, three times over.
#
#	build/host/asan/	AddressSanitizer and UndefinedBehaviorSanitizer
#	build/host/tsan/	ThreadSanitizer
#	build/host/plain/	no sanitizer, optimised
#
# In each: libmemstage.a (the core and all of test/host but its programs) and, linked with it, a TAP program for each
# test/host/test_*.c.

##@ Host build

HOSTCC ?= gcc
HOST := $(BUILD)/host
HOST_VARIANTS := asan tsan plain
HOST_CONFIG := test/host/host_defconfig

# Files of the core that the host build leaves out.
HOST_EXCLUDE :=

HOST_FLAGS_asan := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_FLAGS_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread -Wno-tsan
HOST_FLAGS_plain := -O2

HOST_CFLAGS = $(LANGUAGE) $(WARNINGS) -pthread -D_GNU_SOURCE -Itest/host/include -Imm/include -Ilib/include \
	-I$(HOST)/include

HOST_TEST_SRCS := $(call files,test/host,test_*.c)
HOST_PORT_SRCS := $(filter-out $(HOST_TEST_SRCS),$(call files,test/host,*.c))
HOST_ONLY_SRCS := $(HOST_TEST_SRCS) $(HOST_PORT_SRCS)
HOST_LIB_SRCS := $(filter-out $(HOST_EXCLUDE),$(call files,$(CORE_DIRS),*.c)) $(HOST_PORT_SRCS)

host_tests = $(patsubst test/host/%.c,$(HOST)/$(1)/%,$(HOST_TEST_SRCS))

$(HOST)/.config $(HOST)/include/generated/autoconf.h &: $(HOST_CONFIG) $(KCONFIGS) scripts/kconfig.py
	$(call run,CONFIG,$(HOST)/.config)$(PYTHON) scripts/kconfig.py --reset --config $(HOST)/.config \
		--header $(HOST)/include/generated/autoconf.h --defconfig $(HOST_CONFIG) && \
		touch $(HOST)/.config $(HOST)/include/generated/autoconf.h

define host_variant
$(HOST)/$(1)/.flags: FORCE
	$$(call remember,$$(HOSTCC) $$(HOST_CFLAGS) $$(HOST_FLAGS_$(1)))

$(HOST)/$(1)/.members: FORCE
	$$(call remember,$$(HOST_LIB_SRCS))

$(HOST)/$(1)/%.o: %.c $(HOST)/$(1)/.flags $(HOST)/include/generated/autoconf.h
	@mkdir -p $$(@D)
	$$(call run,HOSTCC,$$< ($(1)))$$(HOSTCC) $$(HOST_CFLAGS) $$(HOST_FLAGS_$(1)) -MMD -MP -c $$< -o $$@

$(HOST)/$(1)/libmemstage.a: $(call objects,$(HOST)/$(1),$(HOST_LIB_SRCS)) $(HOST)/$(1)/.members
	$$(call run,HOSTAR,$$@)rm -f $$@ && ar rcsD $$@ $$(filter %.o,$$^)

$(HOST)/$(1)/test_%: $(HOST)/$(1)/test/host/test_%.o $(HOST)/$(1)/libmemstage.a
	$$(call run,HOSTLD,$$@)$$(HOSTCC) -pthread $$(HOST_FLAGS_$(1)) $$^ -lfdt -o $$@

-include $(patsubst %.o,%.d,$(call objects,$(HOST)/$(1),$(HOST_LIB_SRCS) $(HOST_TEST_SRCS)))
endef
$(foreach variant,$(HOST_VARIANTS),$(eval $(call host_variant,$(variant))))

.PHONY: host
host: ## The core on this machine, under sanitizers, in build/host/
host: $(foreach variant,$(HOST_VARIANTS),$(HOST)/$(variant)/libmemstage.a $(call host_tests,$(variant)))
