# SPDX-License-Identifier: BSD-2-Clause
#
# memstage through U-Boot on QEMU's virt machine: the files U-Boot can start, and a goal that runs each.
#
# 1. In build/<CONFIG>/: Image.gz; memstage.itb (FIT); memstage.uimg and memstage.gz.uimg (legacy uImage). In
#    build/<CONFIG>/uboot/ (UBOOT=... for another folder): boot.scr, extlinux.conf, disks that hold one of them and
#    Image, a folder for TFTP, and for each scripts/uboot/*.env the flash that holds that environment.
# 2. make run-uboot-NAME runs one; scripts/run-uboot knows which of the files it wants where. `make help` lists them.
# 3. APPEND is written into what has boot arguments, which is made again when APPEND changes. It has no quote in it, for
#    quotes are around it there, so that U-Boot leaves it as it is.
# 4. Disks are made by mtools: no root, no loop device. SOURCE_DATE_EPOCH keeps the date out of what mkimage writes.

UBOOT ?= $(O)/uboot
UBOOT_LOAD := 0x40400000

# Those that start from memory by the environment in the flash, and the others.
UBOOT_BY_FLASH := $(sort $(basename $(notdir $(wildcard scripts/uboot/*.env))))
UBOOT_LOADERS := $(UBOOT_BY_FLASH) bootscr extlinux tftp fwcfg
UBOOT_IMAGES := $(addprefix $(O)/,Image Image.gz memstage.itb memstage.uimg memstage.gz.uimg)
UBOOT_FILES := $(UBOOT_IMAGES) $(UBOOT_BY_FLASH:%=$(UBOOT)/%.flash) $(addprefix $(UBOOT)/,bootscr.disk \
	extlinux.disk tftp/boot.scr.uimg tftp/pxelinux.cfg/default)

##@ Through U-Boot

.PHONY: uboot-files $(UBOOT_LOADERS:%=run-uboot-%)
uboot-files: $(UBOOT_FILES) ## All that U-Boot can start, in build/CONFIG/ and build/CONFIG/uboot/

run-uboot-booti: ## Image by booti, U-Boot's environment in the flash
run-uboot-booti-gzip: ## The same, Image.gz
run-uboot-booti-in-place: ## The same, the tree left where it is (several NUMA nodes)
run-uboot-fit: ## FIT by bootm, the configuration named
run-uboot-fit-compatible: ## FIT by bootm, the configuration found by the board's compatible
run-uboot-uimage: ## Legacy uImage by bootm
run-uboot-uimage-gzip: ## The same, packed
run-uboot-bootscr: ## boot.scr on a disk, nothing else set up
run-uboot-extlinux: ## extlinux.conf on a disk, nothing else set up
run-uboot-tftp: ## boot.scr by DHCP and TFTP, nothing else set up
run-uboot-pxe: ## pxelinux.cfg/default by DHCP and TFTP
run-uboot-fwcfg: ## QEMU's -bios and -kernel, nothing set up

$(UBOOT_LOADERS:%=run-uboot-%): run-uboot-%: uboot-files
	@scripts/run-uboot $* $(O) $(UBOOT)

# --- What is started ---

$(O)/Image.gz: $(O)/Image
	$(call run,GZIP,$@)gzip -9 -n <$< >$@

MKIMAGE := SOURCE_DATE_EPOCH=0 mkimage
UIMAGE = $(MKIMAGE) -A arm64 -O linux -T kernel -a $(UBOOT_LOAD) -e $(UBOOT_LOAD) -n memstage -C $(1) -d $< $@ >$@.log

$(O)/memstage.uimg: $(O)/Image
	$(call run,MKIMAGE,$@)$(call UIMAGE,none)

$(O)/memstage.gz.uimg: $(O)/Image.gz
	$(call run,MKIMAGE,$@)$(call UIMAGE,gzip)

$(O)/memstage.itb: scripts/uboot/memstage.its $(O)/Image $(O)/Image.gz
	$(call run,MKIMAGE,$@)cp $< $(O)/memstage.its && cd $(O) && \
		$(MKIMAGE) -f memstage.its memstage.itb >memstage.itb.log

# --- What tells U-Boot to start it ---

$(UBOOT)/.append: FORCE
	$(if $(findstring ',$(APPEND)),$(error APPEND=$(APPEND): boot arguments are on one line, without a quote))
	$(call remember,$(APPEND))

with_append = sed 's|@APPEND@|$(subst |,\|,$(subst &,\&,$(APPEND)))|' $<

$(UBOOT)/%.flash: scripts/uboot/%.env $(UBOOT)/.append
	$(call run,MKENV,$@){ grep -v '^#' $<; echo 'bootargs=$(APPEND)'; } >$@.txt && \
		mkenvimage -s 0x40000 -o $@ $@.txt && truncate -s 64M $@

$(UBOOT)/boot.scr: scripts/uboot/boot.cmd $(UBOOT)/.append
	$(call run,MKIMAGE,$@)$(with_append) >$@.txt && \
		$(MKIMAGE) -A arm64 -T script -C none -n memstage -d $@.txt $@ >$@.log

$(UBOOT)/extlinux.conf: scripts/uboot/extlinux.conf $(UBOOT)/.append
	$(call run,GEN,$@)$(with_append) | sed '/append $$/d' >$@

# $(call disk,FILE,PLACE): a disk of 64 MiB with Image, and FILE as PLACE. Its MBR has one partition, bootable, FAT32 by
# sector numbers (0x0c): from sector 2048 (1 MiB) on, the other 129024 (0x1f800); the file system is made there.
define disk
	$(call run,DISK,$@)rm -f $@ && truncate -s 64M $@ && \
	printf '\200\376\377\377\014\376\377\377\0\010\0\0\0\370\001\0' | \
	dd of=$@ bs=1 seek=446 conv=notrunc status=none && \
	printf '\125\252' | dd of=$@ bs=1 seek=510 conv=notrunc status=none && \
	mformat -i $@@@1M -T 129024 -h 64 -s 32 -F -v MEMSTAGE -N 4d454d53 :: && \
	mcopy -i $@@@1M $(O)/Image ::/Image && \
	$(if $(findstring /,$(2)),mmd -i $@@@1M ::/$(patsubst %/,%,$(dir $(2))) &&) mcopy -i $@@@1M $(1) ::/$(2)
endef

$(UBOOT)/bootscr.disk: $(UBOOT)/boot.scr $(O)/Image
	$(call disk,$<,boot.scr)

$(UBOOT)/extlinux.disk: $(UBOOT)/extlinux.conf $(O)/Image
	$(call disk,$<,extlinux/extlinux.conf)

$(UBOOT)/tftp/Image: $(O)/Image
	@mkdir -p $(@D)
	@cp $< $@

$(UBOOT)/tftp/boot.scr.uimg: $(UBOOT)/boot.scr $(UBOOT)/tftp/Image
	@cp $< $@

$(UBOOT)/tftp/pxelinux.cfg/default: $(UBOOT)/extlinux.conf $(UBOOT)/tftp/Image
	@mkdir -p $(@D)
	@cp $< $@
