/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI (Arm DEN 0022) over the SMC calling convention (Arm DEN 0028).
 *
 * 1. The tree's /psci node (found by its compatible) says how to call: method "hvc" or "smc". The wrong one is an
 *    undefined instruction where nobody is at the level that it goes to; it has a fix-up, and reads as NOT_SUPPORTED.
 *    Entered at EL2, that is not so for HVC: EL2 exists, and nobody is left there to take it (boot/el.S). So a tree
 *    that says "hvc" then is not believed.
 * 2. From version 0.2 on function numbers are fixed. Version 0.1 ("arm,psci") gives each in a property, and has neither
 *    SYSTEM_OFF nor SYSTEM_RESET.
 * 3. A call may change x0 to x17 and, under SMCCC 1.0, nothing else that we keep; results are in x0.
 * 4. State is written once, by psci_init() on the boot CPU, and read by any CPU.
 */
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include <asm/exception.h>
#include <asm/psci.h>
#include <asm/sections.h>
#include <asm/smp.h>
#include <lib/printk.h>

#include "cpu_map.h"

/* DEN 0022, 5.1: SMC64 number of CPU_ON, SMC32 of the others. */
#define PSCI_0_2_VERSION      0x84000000U
#define PSCI_0_2_CPU_ON	      0xc4000003U
#define PSCI_0_2_SYSTEM_OFF   0x84000008U
#define PSCI_0_2_SYSTEM_RESET 0x84000009U

typedef s64 (*psci_call_t)(u64 fn, u64 a1, u64 a2, u64 a3);

static psci_call_t psci_call;
static u32 fn_cpu_on, fn_system_off, fn_system_reset;

/* One conduit: @insn is the instruction that calls firmware. */
#define DEFINE_CONDUIT(name, insn)                                                                               \
	static s64 name(u64 fn, u64 a1, u64 a2, u64 a3)                                                          \
	{                                                                                                        \
		register u64 x0 __asm__("x0") = fn;                                                              \
		register u64 x1 __asm__("x1") = a1;                                                              \
		register u64 x2 __asm__("x2") = a2;                                                              \
		register u64 x3 __asm__("x3") = a3;                                                              \
                                                                                                                 \
		__asm__ volatile("1:	" insn "\n"                                                              \
				 "	b	3f\n"                                                                       \
				 "2:	mov	x0, #-1\n"                                                              \
				 "3:\n" EX_TABLE(1b, 2b)                                                         \
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                        \
				 :                                                                               \
				 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", \
				   "x16", "x17", "memory");                                                      \
		return (s64)x0;                                                                                  \
	}

DEFINE_CONDUIT(psci_hvc, "hvc #0")
DEFINE_CONDUIT(psci_smc, "smc #0")

const char *psci_strerror(int error)
{
	static const char *const names[] = {
		"SUCCESS",    "NOT_SUPPORTED",	  "INVALID_PARAMETERS", "DENIED",   "ALREADY_ON",
		"ON_PENDING", "INTERNAL_FAILURE", "NOT_PRESENT",	"DISABLED", "INVALID_ADDRESS",
	};

	if (error > 0 || error <= -(int)ARRAY_SIZE(names))
		return "an unknown failure";
	return names[-error];
}

static psci_call_t find_conduit(const void *fdt, int node)
{
	const char *method = fdt_getprop(fdt, node, "method", NULL);

	if (method && strcmp(method, "hvc") == 0 && boot_entry_el >= 2) {
		printk("psci: method hvc calls EL2, but the image was entered at EL%llu: nobody answers there\n",
		       boot_entry_el);
		return NULL;
	}
	if (method && strcmp(method, "hvc") == 0)
		return psci_hvc;
	if (method && strcmp(method, "smc") == 0)
		return psci_smc;
	printk("psci: method \"%s\" is neither hvc nor smc\n", method ? method : "");
	return NULL;
}

static u32 read_fn(const void *fdt, int node, const char *name)
{
	int len;
	const fdt32_t *prop = fdt_getprop(fdt, node, name, &len);

	return prop && len == sizeof(*prop) ? fdt32_to_cpu(*prop) : 0;
}

static void init_0_2(const char *method)
{
	u32 version = (u32)psci_call(PSCI_0_2_VERSION, 0, 0, 0);

	if ((s32)version == PSCI_NOT_SUPPORTED) {
		printk("psci: firmware does not answer to %s\n", method);
		psci_call = NULL;
		return;
	}
	fn_cpu_on = PSCI_0_2_CPU_ON;
	fn_system_off = PSCI_0_2_SYSTEM_OFF;
	fn_system_reset = PSCI_0_2_SYSTEM_RESET;
	printk("psci: version %u.%u by %s\n", version >> 16, version & 0xffff, method);
}

/* @fixed_numbers: set to whether the function numbers are those of version 0.2 and later. */
static int find_node(const void *fdt, bool *fixed_numbers)
{
	static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	int node = -FDT_ERR_NOTFOUND;

	for (size_t i = 0; i < ARRAY_SIZE(compatible) && node < 0; i++) {
		node = fdt_node_offset_by_compatible(fdt, -1, compatible[i]);
		*fixed_numbers = i < ARRAY_SIZE(compatible) - 1;
	}
	return node;
}

void psci_init(const void *fdt)
{
	bool fixed_numbers;
	int node = find_node(fdt, &fixed_numbers);

	if (node < 0) {
		printk("psci: the tree names none\n");
		return;
	}
	psci_call = find_conduit(fdt, node);
	if (!psci_call)
		return;
	if (fixed_numbers) {
		init_0_2(psci_call == psci_hvc ? "hvc" : "smc");
		return;
	}
	fn_cpu_on = read_fn(fdt, node, "cpu_on");
	printk("psci: version 0.1\n");
}

int psci_cpu_on(u64 mpidr, phys_addr_t entry, u64 context)
{
	if (!psci_call || !fn_cpu_on)
		return PSCI_NOT_SUPPORTED;
	return (int)psci_call(fn_cpu_on, mpidr, entry, context);
}

void psci_system_off(void)
{
	if (psci_call && fn_system_off)
		psci_call(fn_system_off, 0, 0, 0);
}

void psci_system_reset(void)
{
	if (psci_call && fn_system_reset)
		psci_call(fn_system_reset, 0, 0, 0);
}

/* The /psci node says all that there is to know. */
static bool psci_describe(const void *fdt, int node, struct cpu_desc *desc, char *why)
{
	(void)fdt;
	(void)node;
	(void)desc;
	(void)why;
	return true;
}

static bool psci_start(const struct cpu_desc *desc, phys_addr_t record, char *why)
{
	int err;

	if (!psci_call) {
		snprintf(why, CPU_WHY_MAX, "its enable-method is psci, which there is none of");
		return false;
	}
	err = psci_cpu_on(desc->mpidr, kimage_pa(secondary_entry), record);
	if (err)
		snprintf(why, CPU_WHY_MAX, "PSCI CPU_ON: %s (%d)", psci_strerror(err), err);
	return !err;
}

const struct cpu_ops psci_cpu_ops = {
	.method = "psci",
	.describe = psci_describe,
	.start = psci_start,
};
