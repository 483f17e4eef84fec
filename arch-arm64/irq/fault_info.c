/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Syndromes and addresses in words.
 *
 * 1. ESR_EL1 (Arm ARM, ESR_EL1): EC in bits 31:26 is the class, ISS in bits 24:0 its details. For aborts: DFSC or IFSC
 *    in bits 5:0, WnR in bit 6, CM (cache maintenance) in bit 8, FnV (FAR not valid) in bit 10.
 * 2. A fault status whose upper bits name the kind has the level of the page-table walk in its lower two bits.
 * 3. An SError's ISS (FEAT_RAS): IDS in bit 24, the rest is the implementer's own; DFSC 0x11 in bits 5:0, and then AET
 *    in bits 12:10 says what became of the CPU's state. Other values of DFSC tell nothing.
 * 4. A BTI exception's ISS is PSTATE.BTYPE: 1 a jump by x16 or x17, 2 a call, 3 another jump. A failed
 *    authentication's names the key: bit 1 data, bit 0 B. Without FEAT_FPAC the authenticated address is made one
 *    that no table can map, and what uses it faults.
 * 5. An address is named by the part of the layout (<asm/layout.h>) that it is in, and, in the image and the stacks,
 *    by what of it.
 */
#include <stdio.h>

#include <asm/exception.h>
#include <asm/layout.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <lib/smp.h>

#define ESR_EC(esr)  ((unsigned int)((esr) >> 26 & 0x3f))
#define ESR_ISS(esr) ((unsigned int)((esr)&0x1ffffff))
#define ESR_FSC(esr) ((unsigned int)((esr)&0x3f))
#define ESR_WNR	     BIT(6)
#define ESR_CM	     BIT(8)
#define ESR_FNV	     BIT(10)
#define ESR_BRK(esr) ((unsigned int)((esr)&0xffff))

#define ESR_SERROR_IDS BIT(24)
#define ESR_SERROR_AET 10 /* first bit of a field of three */
#define FSC_SERROR     0x11

enum {
	EC_UNKNOWN = 0x00,
	EC_BTI = 0x0d,
	EC_FPAC = 0x1c,
	EC_IABT = 0x21,
	EC_PC_ALIGN = 0x22,
	EC_DABT = 0x25,
	EC_SERROR = 0x2f,
	EC_WATCHPOINT = 0x35,
	EC_BRK = 0x3c,
};

static const char *const ec_names[64] = {
	[EC_UNKNOWN] = "undefined instruction",
	[0x01] = "trapped WFI or WFE",
	[0x07] = "trapped floating-point or SIMD access",
	[0x09] = "trapped pointer authentication",
	[EC_BTI] = "branch to a place that is no branch target (BTI)",
	[0x0e] = "illegal execution state",
	[0x15] = "SVC instruction",
	[0x16] = "HVC instruction",
	[0x17] = "SMC instruction",
	[0x18] = "trapped system register access",
	[0x19] = "trapped SVE access",
	[EC_FPAC] = "pointer authentication failed",
	[0x20] = "instruction abort from EL0",
	[EC_IABT] = "instruction fetch",
	[EC_PC_ALIGN] = "misaligned program counter",
	[0x24] = "data abort from EL0",
	[EC_DABT] = "data access",
	[0x26] = "misaligned stack pointer",
	[0x27] = "memory copy or set instruction in a wrong state",
	[0x2c] = "floating-point exception",
	[EC_SERROR] = "SError (asynchronous external abort)",
	[0x31] = "hardware breakpoint",
	[0x33] = "software step",
	[EC_WATCHPOINT] = "watchpoint",
	[EC_BRK] = "BRK instruction",
};

static const char *fsc_name(unsigned int fsc)
{
	static const char *const by_level[] = {
		"address size", "translation", "access flag", "permission", NULL, "external abort on table walk",
	};

	switch (fsc) {
	case 0x10:
		return "external abort";
	case 0x11:
		return "tag check";
	case 0x18:
		return "parity or ECC error";
	case 0x21:
		return "alignment";
	case 0x30:
		return "TLB conflict";
	default:
		return fsc / 4 < ARRAY_SIZE(by_level) ? by_level[fsc / 4] : NULL;
	}
}

static bool fsc_has_level(unsigned int fsc)
{
	return fsc < 0x10 || (fsc >= 0x14 && fsc < 0x18);
}

static const char *abort_access(u64 esr)
{
	if (ESR_EC(esr) == EC_IABT)
		return ec_names[EC_IABT];
	if (esr & ESR_CM)
		return "cache maintenance";
	return esr & ESR_WNR ? "write" : "read";
}

static void describe_abort(u64 esr, char *buf, size_t size)
{
	unsigned int fsc = ESR_FSC(esr);
	const char *kind = fsc_name(fsc);

	if (!kind)
		snprintf(buf, size, "%s: fault status 0x%x", abort_access(esr), fsc);
	else if (fsc_has_level(fsc))
		snprintf(buf, size, "%s: %s fault, level %u", abort_access(esr), kind, fsc & 3);
	else
		snprintf(buf, size, "%s: %s fault", abort_access(esr), kind);
}

static const char *serror_kind(u64 esr)
{
	static const char *const by_aet[8] = {
		"uncontainable",
		"unrecoverable",
		"restartable",
		"recoverable",
		"reserved AET 4",
		"reserved AET 5",
		"corrected by the hardware",
		"reserved AET 7",
	};

	if (esr & ESR_SERROR_IDS)
		return "implementation defined syndrome";
	return ESR_FSC(esr) == FSC_SERROR ? by_aet[esr >> ESR_SERROR_AET & 7] : "not classified";
}

static void describe_class(u64 esr, char *buf, size_t size)
{
	unsigned int iss = ESR_ISS(esr);

	switch (ESR_EC(esr)) {
	case EC_BRK:
		snprintf(buf, size, "%s 0x%x", ec_names[EC_BRK], ESR_BRK(esr));
		break;
	case EC_BTI:
		snprintf(buf, size, "%s, BTYPE %u", ec_names[EC_BTI], iss & 3);
		break;
	case EC_FPAC:
		snprintf(buf, size, "%s: key %c of %s", ec_names[EC_FPAC], iss & 1 ? 'B' : 'A',
			 iss & 2 ? "data" : "instructions");
		break;
	case EC_SERROR:
		snprintf(buf, size, "%s: %s, syndrome 0x%x", ec_names[EC_SERROR], serror_kind(esr), iss);
		break;
	default:
		snprintf(buf, size, "%s", ec_names[ESR_EC(esr)]);
	}
}

const char *esr_describe(u64 esr, char *buf, size_t size)
{
	unsigned int ec = ESR_EC(esr);

	if (ec == EC_DABT || ec == EC_IABT)
		describe_abort(esr, buf, size);
	else if (ec_names[ec])
		describe_class(esr, buf, size);
	else
		snprintf(buf, size, "exception class 0x%x, syndrome 0x%x", ec, ESR_ISS(esr));
	return buf;
}

bool esr_has_far(u64 esr)
{
	unsigned int ec = ESR_EC(esr);

	if (ec == EC_DABT || ec == EC_IABT)
		return ESR_FSC(esr) != 0x10 || !(esr & ESR_FNV);
	return ec == EC_PC_ALIGN || ec == EC_WATCHPOINT;
}

static const char *describe_stack(u64 va, char *buf, size_t size)
{
	u64 cpu = (va - STACKS_START) / STACK_SLOT_SIZE;

	if (cpu >= (u64)nr_cpu_ids)
		return "stacks: no such CPU";
	snprintf(buf, size, "%s of CPU %llu's stack", va < STACK_BASE(cpu) ? "guard page" : "page", cpu);
	return buf;
}

static const char *describe_image(u64 va)
{
	if (va < (uintptr_t)_etext)
		return "image: text";
	if (va < (uintptr_t)__rodata_end)
		return "image: read-only data";
	return va < (uintptr_t)_end ? "image: data" : "past the end of the image";
}

const char *va_describe(u64 va, char *buf, size_t size)
{
	static const struct {
		u64 start, end;
		const char *name;
	} regions[] = {
		{ 0, PAGE_SIZE, "null page" },
		{ LINEAR_START, LINEAR_END, "linear map: no RAM, no-map, or read-only" },
		{ VMALLOC_START, VMALLOC_END, "vmalloc space" },
		{ VMEMMAP_START, VMEMMAP_END, "vmemmap" },
		{ FIX_FDT_START, FIX_FDT_START + FIX_FDT_SIZE, "fixmap: device tree" },
		{ FIX_DEVICE_START, FIX_DEVICE_START + FIXMAP_WINDOW, "fixmap: device registers" },
		{ FIX_EARLY(0), FIX_EARLY(EARLY_SLOTS), "fixmap: early_ioremap()" },
		{ FIXMAP_START, FIXMAP_END, "fixmap" },
	};

	if (va >= STACKS_START && va < STACKS_END)
		return describe_stack(va, buf, size);
	if (va - (uintptr_t)_text < KIMAGE_SIZE_MAX)
		return describe_image(va);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		if (va >= regions[i].start && va < regions[i].end)
			return regions[i].name;
	if (va >> 55 & 1 && va < LINEAR_START)
		return "not a canonical address: a failed authentication leaves such";
	return va < LINEAR_START ? "below the kernel's half of the address space" : "between the parts of the layout";
}
