/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that are not the same on each boot (contract: <asm/entropy.h>).
 *
 * 1. Sources: /chosen/kaslr-seed, which boot/early_kaslr.c may have taken out of the tree, and /chosen/rng-seed
 *    (Devicetree schema, chosen.yaml: bytes that the boot loader drew), folded into one word; CNTVCT_EL0 at each call;
 *    RNDR (FEAT_RNG) at each call, where it has a number ready.
 * 2. Output n is the mix of state + n * STEP and of the two registers. STEP is odd, so the state runs through all
 *    words; it is advanced by one atomic addition, so no two callers get one number. mix() is a bijection in which each
 *    bit of the result depends on each bit of the word: two rounds of xor-shift and multiplication by an odd constant.
 */
#include <libfdt.h>

#include <lib/dt.h>

#include <asm/atomic.h>
#include <asm/entropy.h>
#include <asm/kaslr.h>
#include <asm/processor.h>
#include <asm/smp.h>
#include <asm/sysreg.h>

#define STEP 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio, made odd */

static u64 state;

static u64 mix(u64 x)
{
	x = (x ^ x >> 31) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 29) * 0xa0761d6478bd642fULL;
	return x ^ x >> 32;
}

static void fold_property(const void *fdt, int chosen, const char *name)
{
	int len;
	const u8 *bytes = fdt_getprop(fdt, chosen, name, &len);

	for (int i = 0; bytes && i < len; i++)
		state = mix(state + STEP) ^ bytes[i];
}

void entropy_init(const void *fdt)
{
	int chosen = dt_chosen(fdt);

	state = mix(state + STEP) ^ kaslr_take_seed();
	if (chosen < 0)
		return;
	fold_property(fdt, chosen, "kaslr-seed");
	fold_property(fdt, chosen, "rng-seed");
}

/* RNDR, 0 when there is none or it has no number ready, which the Z flag tells. */
static u64 rndr(void)
{
	u64 value;

	if (!(cpu_features_own(smp_processor_id()) >> CPU_RNG & 1))
		return 0;
	__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcsel %0, xzr, %0, eq" : "=r"(value) : : "cc");
	return value;
}

u64 entropy_u64(void)
{
	return mix(fetch_add64(&state, STEP) ^ mix(rndr() + arch_ticks()));
}
