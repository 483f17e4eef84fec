# SPDX-License-Identifier: BSD-2-Clause
#
# What `make check` does: formatting, clang-tidy, the rules of scripts/check-style, and a second build that has to give
# the same bytes. A verdict of clang-tidy or of the second build is kept in build/ until what it rests on changes. The
# second build is one job, so it is the first to be begun.

# Headers of assembler macros are no C.
C_FILES := $(sort $(shell find arch-arm64 lib mm test -name "*.[ch]" | xargs grep -L '^[[:space:]]*\.macro'))

##@ Checks

.PHONY: check check-format check-tidy check-style check-reproducible format
check: check-reproducible check-format check-style check-tidy ## Formatting, style, clang-tidy, reproducible build

check-format:
	$(call run,FORMAT,$(words $(C_FILES)) files)clang-format --dry-run -Werror $(C_FILES)

format: ## Format all C files (clang-format)
	clang-format -i $(C_FILES)

check-style:
	$(call run,STYLE,all files)scripts/check-style

# clang knows all of gcc's flags but these.
GCC_ONLY := -fno-tree-loop-distribute-patterns -mno-outline-atomics -mstack-protector-guard=global -Wno-tsan
tidy = clang-tidy --quiet $< -- $(filter-out $(GCC_ONLY),$(1)) >$@.log 2>&1 || { cat $@.log; exit 1; }; touch $@

# A verdict is as old as the object, which is made again when the source, a header, a flag or .config changes.
$(O)/tidy/%.ok: %.c $(O)/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,--target=aarch64-linux-gnu $(CFLAGS))

$(HOST)/tidy/%.ok: %.c $(HOST)/asan/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,$(HOST_CFLAGS))

$(HOST)/tidy/engine/%.ok: %.c $(HOST)/asan/engine/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call run,TIDY,$<)$(call tidy,$(ENGINE_INCLUDES) $(HOST_CFLAGS))

check-tidy: $(patsubst %.c,$(O)/tidy/%.ok,$(filter %.c,$(IMAGE_SRCS))) \
	$(patsubst %.c,$(HOST)/tidy/%.ok,$(HOST_ONLY_SRCS)) \
	$(patsubst %.c,$(HOST)/tidy/engine/%.ok,$(HOST_ENGINE_SRCS))

$(O)/.reproducible: $(addprefix $(O)/,Image memstage.elf memstage-exec.elf System.map libmemstage.a) \
	scripts/check-reproducible
	$(call run,REBUILD,$(O))scripts/check-reproducible $(BUILD) $(CONFIG) && touch $@

check-reproducible: $(O)/.reproducible
