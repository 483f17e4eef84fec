/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Image as a PE32+ file, so that UEFI firmware loads the same bytes that other loaders take as an arm64 Image.
 *
 * 1. The first word of the Image, an instruction without effect, reads "MZ"; the word at 0x3c, unused by the arm64 boot
 *    protocol, is the offset of this header. Firmware looks at nothing else of the DOS header.
 * 2. The file is the image as it lies in memory: file offsets are relative virtual addresses, sections begin and end on
 *    pages. Headers take the first page. `.data` is more in memory than in the file: bss and noinit.
 * 3. There are no base relocations, and the flag that they were stripped is not set: the image may lie on any page. It
 *    relocates itself (efi_main.c).
 * 4. Sizes are absolute symbols of memstage.lds.S; addresses are differences from the image's first byte.
 *
 * Source: Microsoft PE format, "PE Signature" to "Section Table"; UEFI Specification 2.10, 2.1.1 and 2.3.6.
 */
#include <asm/const.h>

#define MACHINE_ARM64		0xaa64
#define PE32_PLUS		0x20b
#define FILE_EXECUTABLE_IMAGE	0x0002
#define FILE_LINE_NUMS_STRIPPED 0x0004
#define FILE_DEBUG_STRIPPED	0x0200
#define DLL_NX_COMPAT		0x0100 /* no section is writable and executable */
#define SUBSYSTEM_EFI_APP	10
#define SCN_CODE		0x00000020
#define SCN_DATA		0x00000040
#define SCN_EXECUTE		0x20000000
#define SCN_READ		0x40000000
#define SCN_WRITE		0x80000000
#define NR_SECTIONS		2
#define NR_DIRECTORIES		6 /* as far as the base relocations: all empty */

#define PE_OFFSET 0x40 /* of this header in the image, asserted in memstage.lds.S */

/* An address as the file has it. */
	.macro	rva symbol
	.long	\symbol - pe_header + PE_OFFSET
	.endm

	.section .head.pe, "ax", %progbits

	.globl	pe_header
	.hidden	pe_header
pe_header:
	.ascii	"PE\0\0"
	.short	MACHINE_ARM64
	.short	NR_SECTIONS
	.long	0				/* time: the same bytes each time */
	.long	0, 0				/* no COFF symbols */
	.short	.Lsections - .Loptional
	.short	FILE_EXECUTABLE_IMAGE | FILE_LINE_NUMS_STRIPPED | FILE_DEBUG_STRIPPED

.Loptional:
	.short	PE32_PLUS
	.byte	0, 0				/* linker version */
	.long	pe_text_bytes			/* code */
	.long	pe_data_file_bytes		/* initialised data */
	.long	pe_room_bytes			/* data that is not in the file */
	rva	efi_main			/* entry point */
	rva	pe_text_start			/* base of code */
	.quad	0				/* preferred base */
	.long	PAGE_SIZE, PAGE_SIZE		/* alignment of sections, in memory and in the file */
	.short	0, 0, 0, 0, 0, 0		/* versions: of the system, of the image, of the subsystem */
	.long	0
	.long	image_size_bytes
	.long	PAGE_SIZE			/* headers */
	.long	0				/* checksum: nobody looks at it */
	.short	SUBSYSTEM_EFI_APP
	.short	DLL_NX_COMPAT
	.quad	0, 0, 0, 0			/* stack and heap: firmware's */
	.long	0
	.long	NR_DIRECTORIES
	.fill	NR_DIRECTORIES, 8, 0

.Lsections:
	.ascii	".text\0\0\0"
	.long	pe_text_bytes
	rva	pe_text_start
	.long	pe_text_bytes
	rva	pe_text_start
	.long	0, 0, 0
	.long	SCN_CODE | SCN_EXECUTE | SCN_READ

	.ascii	".data\0\0\0"
	.long	pe_data_bytes
	rva	__rodata_start
	.long	pe_data_file_bytes
	rva	__rodata_start
	.long	0, 0, 0
	.long	SCN_DATA | SCN_READ | SCN_WRITE
