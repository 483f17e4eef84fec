# SPDX-License-Identifier: BSD-2-Clause
#
# SD cards for real boards. A board is a folder of arch-arm64/boards/; what goes on its card, and how, is told in
# scripts/sdcard. FIRMWARE=DIR: that folder's files too. APPEND=...: boot arguments of the image.

BOARDS := $(sort $(patsubst arch-arm64/boards/%/card,%,$(wildcard arch-arm64/boards/*/card)))
BOARD ?=
SDCARD := $(O)/sdcard-$(BOARD).img

# Before anything is built.
ifneq ($(filter sdcard,$(GOALS)),)
ifeq ($(and $(filter 1,$(words $(BOARD))),$(filter $(BOARDS),$(BOARD))),)
$(error BOARD=$(BOARD) is unknown; known: $(BOARDS))
endif
endif

##@ Real boards

.PHONY: sdcard
sdcard: image ## An SD-card image in build/CONFIG/ (BOARD=rpi4 FIRMWARE=DIR APPEND=)
	@scripts/sdcard $(BOARD) $(O)/Image $(SDCARD)
