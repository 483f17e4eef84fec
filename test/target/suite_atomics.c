// SPDX-License-Identifier: BSD-2-Clause
/*
 * Atomics on all CPUs, in both forms, and what protects each CPU.
 *
 * The compiler's own atomics are loops of exclusive accesses in this image, whatever the CPU. So where <asm/atomic.h>
 * has become LSE, a variable that both change is changed in both forms at once; where it has not, the boot argument
 * nolse or the CPU model is what made it so.
 */
#include <lib/printk.h>
#include <mm/port.h>
#include <string.h>

#include <asm/alternative.h>
#include <asm/cpufeature.h>
#include <asm/exception.h>
#include <asm/layout.h>
#include <asm/sysreg.h>

#include "target.h"

#define ROUNDS 3000U

static void case_results(void)
{
	u32 word = 5;
	u64 large = 1ULL << 40;

	ktap_ok(xchg32_acquire(&word, 7) == 5 && word == 7);
	ktap_ok(claim32_acquire(&word, 9) == 7 && word == 7);
	word = 0;
	ktap_ok(claim32_acquire(&word, 9) == 0 && word == 9);
	ktap_ok(fetch_add32(&word, 3) == 9 && word == 12);
	ktap_ok(fetch_add32(&word, ~0U) == 12 && word == 11);
	ktap_ok(dec_return32_acq_rel(&word) == 10 && word == 10);
	word = 0;
	ktap_ok(dec_return32_acq_rel(&word) == ~0U && word == ~0U);
	ktap_ok(fetch_add64(&large, 1) == 1ULL << 40 && large == (1ULL << 40) + 1);
	or64_release(&large, 6);
	ktap_ok(large == (1ULL << 40) + 7);
	andnot64(&large, (1ULL << 40) | 2);
	ktap_ok(large == 5);
	xor64(&large, ~0ULL);
	ktap_ok(large == ~5ULL);
	ktap_ok(!cas64_acquire(&large, ~5ULL ^ 1ULL << 63, 1) && large == ~5ULL);
	ktap_ok(cas64_acquire(&large, ~5ULL, 3ULL << 40) && large == 3ULL << 40);
}

static struct {
	u32 add32, claimed, exchanged, refs, last;
	u64 add64, swapped64, bits, toggled;
	u64 by_claim, by_exchange; /* plain, under the two */
} shared;

static void add_all(u64 n)
{
	fetch_add32(&shared.add32, (u32)n);
	__atomic_fetch_add(&shared.add32, 1, __ATOMIC_RELAXED);
	fetch_add64(&shared.add64, n << 32);
	__atomic_fetch_add(&shared.add64, 1, __ATOMIC_RELAXED);
	for (;;) {
		u64 old = READ_ONCE(shared.swapped64);

		if (cas64_acquire(&shared.swapped64, old, old + (n << 32)))
			break;
	}
	__atomic_fetch_add(&shared.swapped64, 1, __ATOMIC_RELAXED);
}

/* Two locks: one taken by either form of compare-and-swap, one by either form of exchange. */
static void lock_all(bool ours)
{
	u32 free = 0;

	if (ours)
		while (claim32_acquire(&shared.claimed, 1))
			cpu_relax();
	else
		while (!__atomic_compare_exchange_n(&shared.claimed, &free, 1, false, __ATOMIC_ACQUIRE,
						    __ATOMIC_RELAXED)) {
			free = 0;
			cpu_relax();
		}
	shared.by_claim++;
	__atomic_store_n(&shared.claimed, 0, __ATOMIC_RELEASE);
	while (ours ? xchg32_acquire(&shared.exchanged, 1) :
		      __atomic_exchange_n(&shared.exchanged, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	shared.by_exchange++;
	__atomic_store_n(&shared.exchanged, 0, __ATOMIC_RELEASE);
}

/* This CPU's bit of a word whose other bits are others'. */
static void own_bit(u64 bit)
{
	or64_release(&shared.bits, bit);
	ktap_ok(READ_ONCE(shared.bits) & bit);
	andnot64(&shared.bits, bit);
	ktap_ok(!(READ_ONCE(shared.bits) & bit));
	xor64(&shared.toggled, bit);
}

static void contend(void *arg)
{
	u64 bit = BIT(smp_processor_id());

	(void)arg;
	for (u32 i = 0; i < ROUNDS; i++) {
		add_all(3);
		lock_all(i & 1);
		if (i % 64 == 0)
			own_bit(bit);
		__atomic_fetch_xor(&shared.toggled, bit, __ATOMIC_RELAXED);
		if (dec_return32_acq_rel(&shared.refs) == 0)
			fetch_add32(&shared.last, 1);
	}
}

static void case_contended(void)
{
	u32 cpus = (u32)num_online_cpus();

	memset(&shared, 0, sizeof(shared));
	shared.refs = ROUNDS * cpus;
	on_all_cpus(contend, NULL);
	ktap_ok(shared.add32 == 4 * ROUNDS * cpus);
	ktap_ok(shared.add64 == ((3ULL << 32) + 1) * ROUNDS * cpus);
	ktap_ok(shared.swapped64 == ((3ULL << 32) + 1) * ROUNDS * cpus);
	ktap_ok(shared.by_claim == (u64)ROUNDS * cpus && shared.by_exchange == (u64)ROUNDS * cpus);
	ktap_ok(shared.bits == 0);
	ktap_ok(shared.refs == 0 && shared.last == 1);
	/* An even number of turns by one form and an odd one, 47, by the other. */
	ktap_ok(ROUNDS % 2 == 0 && DIV_ROUND_UP(ROUNDS, 64) == 47);
	ktap_ok((u32)__builtin_popcountll(shared.toggled) == cpus);
}

static u64 keys[CONFIG_NR_CPUS];

static void check_cpu(void *arg)
{
	int cpu = smp_processor_id();
	u64 own = cpu_features_own(cpu), sctlr = read_sysreg(sctlr_el1);

	(void)arg;
	ktap_ok((cpu_features_all & ~own) == 0);
	ktap_ok(!(sctlr & SCTLR_EnIA) == !(own & BIT(CPU_PAC)));
	ktap_ok(!(sctlr & SCTLR_BT1) == !(own & BIT(CPU_BTI)));
	ktap_ok(!!(sctlr & SCTLR_SPAN) == !(own & BIT(CPU_PAN)));
	if (own & BIT(CPU_PAN))
		ktap_ok(read_sysreg(PSTATE_PAN) == PSTATE_PAN_SET);
	if (own & BIT(CPU_PAC))
		keys[cpu] = read_sysreg(APIAKEYLO_EL1) ^ read_sysreg(APIAKEYHI_EL1);
}

static void case_protection(void)
{
	int cpu, other;

	on_all_cpus(check_cpu, NULL);
	if (!cpu_has(CPU_PAC))
		return;
	for_each_online_cpu(cpu) {
		ktap_ok(keys[cpu] != 0);
		for_each_online_cpu(other)
			ktap_ok(cpu == other || keys[cpu] != keys[other]);
	}
}

static void case_text_alias(void)
{
	u64 value;

	ktap_ok(alternatives_count() > 0);
	ktap_ok(!arch_probe_read((const void *)FIX_TEXT, &value));
}

/* Syndromes that the emulator does not make: ESR_EL1 by its fields, and what must be said. */
static void case_syndromes(void)
{
	static const struct {
		u64 esr;
		const char *said;
	} samples[] = {
		{ 0xbe000011, "uncontainable" },
		{ 0xbe000411, "unrecoverable" },
		{ 0xbe000811, "restartable" },
		{ 0xbe000c11, "recoverable" },
		{ 0xbe001811, "corrected" },
		{ 0xbe000000, "not classified" },
		{ 0xbf000000, "implementation defined" },
		{ 0x36000002, "BTYPE 2" },
		{ 0x72000000, "key A of instructions" },
		{ 0x72000003, "key B of data" },
	};
	char text[ESR_DESC_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		if (!ktap_ok(strstr(esr_describe(samples[i].esr, text, sizeof(text)), samples[i].said)))
			con_printf("  # 0x%llx: %s\n", samples[i].esr, text);
}

static const struct ktap_case cases[] = {
	{ "what each atomic returns", case_results },
	{ "all CPUs at once, both forms", case_contended },
	{ "PAN, PAC and BTI are on where they exist", case_protection },
	{ "text has no second address left that can be written", case_text_alias },
	{ "syndromes in words", case_syndromes },
};
KTAP_SUITE(atomics, cases, memory_check);
