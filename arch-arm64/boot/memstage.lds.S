/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image: linked at KIMAGE_VADDR as a position-independent executable without a dynamic linker.
 *
 * 1. Four parts, each starting on a page, because permissions change there: text (RX), read-only data (R), data and
 *    bss (RW), noinit (RW, neither in the file nor cleared: what is written before bss is cleared lives here).
 *    What comes from archives is built without landing pads for BTI: it stands first, in pages of its own, which are
 *    not guarded. Calls from there into our text are.
 * 2. .rela.dyn is kept as data: early_init() applies it. All other tables of dynamic linking are dropped.
 * 3. .ksyms is the last thing but relocations in read-only data, behind all text: the table is made from a first link
 *    and must not move the text of the second.
 * 4. Tables that files add to are sections named like C identifiers, between __start_ and __stop_ symbols.
 * 5. The first page is the headers of Image and PE (head.S, pe.S), whose sections begin on pages.
 * 6. Thread-local storage (the C library's errno) must be zero at the start and fit in struct mm_local's tls[] behind
 *    the 16 bytes that the ABI reserves: asserted below.
 */
#include <asm/layout.h>

#define TLS_TCB_SIZE 16
#define TLS_SIZE     64

#define TABLE(name)             \
	. = ALIGN(8);           \
	__start_##name = .;     \
	KEEP(*(name))           \
	__stop_##name = .;

OUTPUT_FORMAT("elf64-littleaarch64")
OUTPUT_ARCH(aarch64)
ENTRY(image_header)

PHDRS {
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	tls PT_TLS FLAGS(4);
}

SECTIONS {
	. = KIMAGE_VADDR;
	_text = .;

	.text : {
		KEEP(*(.head.text))
		KEEP(*(.head.pe))
		. = ALIGN(PAGE_SIZE);
		pe_text_start = .;
		*libfdt.a:*(.text .text.*)
		*libc.a:*(.text .text.*)
		*libgcc.a:*(.text .text.*)
		. = ALIGN(PAGE_SIZE);
		__guarded_text_start = .;
		__restart_text_start = .;
		*(.text.restart)
		__restart_text_end = .;
		*(.text .text.*)
		. = ALIGN(PAGE_SIZE);
		__idmap_text_start = .;
		*(.idmap.text)
		__idmap_text_end = .;
		. = ALIGN(PAGE_SIZE);
	} :text =0xd4200000d4200000 /* gaps are BRK #0, in the byte order of a fill pattern */
	_etext = .;

	__rodata_start = .;
	.rodata : {
		*(.rodata .rodata.*)
		*(.data.rel.ro .data.rel.ro.*)
		*(.got .got.plt)
		TABLE(monitor_cmds)
		TABLE(ktap_suites)
		TABLE(misuse_programs)
		TABLE(ex_table)
		TABLE(alternatives)
		TABLE(restart_table)
	} :rodata
	.tdata : {
		*(.tdata .tdata.*)
	} :rodata :tls
	.tbss : {
		*(.tbss .tbss.* .tcommon)
	} :rodata :tls
	.ksyms : {
		KEEP(*(.ksyms))
	} :rodata
	.rela.dyn : ALIGN(8) {
		__rela_start = .;
		*(.rela*)
		__rela_end = .;
	} :rodata
	. = ALIGN(PAGE_SIZE);
	__rodata_end = .;

	__data_start = .;
	.data : {
		*(.data .data.*)
		. = ALIGN(64);
		__start_percpu_data = .;
		KEEP(*(percpu_data))
		. = ALIGN(64);
		__stop_percpu_data = .;
		. = ALIGN(PAGE_SIZE);
	} :data
	__data_end = .;

	.bss (NOLOAD) : {
		__bss_start = .;
		*(.bss .bss.* .dynbss COMMON)
		. = ALIGN(16);
		__bss_stop = .;
	} :data
	. = ALIGN(PAGE_SIZE);
	.noinit (NOLOAD) : {
		__noinit_start = .;
		*(.noinit.tables)
		__early_tables_end = .;
		*(.noinit.stack)
		*(.noinit)
		. = ALIGN(PAGE_SIZE);
	} :data
	_end = .;
	image_size_bytes = ABSOLUTE(_end - _text);
	exec_shift = ABSOLUTE(CONFIG_EXEC_ADDR - KIMAGE_VADDR);
	pe_text_bytes = ABSOLUTE(_etext - pe_text_start);
	pe_data_file_bytes = ABSOLUTE(__data_end - __rodata_start);
	pe_room_bytes = ABSOLUTE(_end - __data_end);
	pe_data_bytes = ABSOLUTE(_end - __rodata_start);

	.comment 0 : { *(.comment) }
	.debug_abbrev 0 : { *(.debug_abbrev) }
	.debug_addr 0 : { *(.debug_addr) }
	.debug_aranges 0 : { *(.debug_aranges) }
	.debug_frame 0 : { *(.debug_frame) }
	.debug_info 0 : { *(.debug_info) }
	.debug_line 0 : { *(.debug_line) }
	.debug_line_str 0 : { *(.debug_line_str) }
	.debug_loc 0 : { *(.debug_loc) }
	.debug_loclists 0 : { *(.debug_loclists) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }

	/* Must be empty: a procedure linkage table means a symbol that nobody defines. */
	.plt : { *(.plt) *(.plt.*) *(.iplt) *(.igot) *(.igot.plt) } :data

	/DISCARD/ : {
		*(.interp .dynamic .dynsym .dynstr .hash .gnu.hash .gnu.version*)
		*(.eh_frame .eh_frame_hdr .note .note.* .gnu.warning.*)
		*(.init .fini .init_array .fini_array .preinit_array .ctors .dtors)
	}

	ASSERT(SIZEOF(.plt) == 0, "the image needs a procedure linkage table")
	ASSERT(_end - _text <= KIMAGE_SIZE_MAX, "the image is larger than its early page tables can map")
	ASSERT(__idmap_text_end - __idmap_text_start <= PAGE_SIZE, "code for turning the MMU on does not fit in a page")
	ASSERT(pe_header == _text + 0x40, "the PE header is not where the Image header says")
	ASSERT(CONFIG_EXEC_ADDR % PAGE_SIZE == 0, "CONFIG_EXEC_ADDR is no multiple of 4 KiB")
	ASSERT(SIZEOF(.tdata) == 0, "thread-local variables with an initial value")
	ASSERT(TLS_TCB_SIZE + SIZEOF(.tbss) <= TLS_SIZE, "thread-local variables do not fit in struct mm_local")
}
