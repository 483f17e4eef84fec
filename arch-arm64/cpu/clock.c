/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock: nanoseconds from the virtual counter.
 *
 * 1. ns = (ticks * mult) >> 32 in 128 bits, with mult = (10^9 << 32) / frequency: one multiplication and no division.
 *    mult is exact for any frequency that divides 10^9 << 32 (1 GHz, 62.5 MHz, ...); else the result is short by less
 *    than frequency / (10^9 << 32), one part in 4 * 10^9 for counters up to 1 GHz.
 * 2. 10^9 << 32 is below 2^62, so mult fits 64 bits; a frequency below 1 Hz does not exist.
 * 3. Time starts at boot_entry_ticks, which head.S reads as soon as the boot CPU has reached EL1.
 * 4. The virtual counter is the physical one less CNTVOFF_EL2. Entered at EL2 or EL3, each CPU sets that to 0 on its
 *    way down (boot/el.S); entered at EL1, it is the hypervisor's, which gives all CPUs of a machine the same. So all
 *    see one counter.
 */
#include <asm/processor.h>
#include <asm/sections.h>
#include <asm/sysreg.h>
#include <asm/timer.h>

#define NS_PER_S   1000000000ULL
#define MULT_SHIFT 32

static u64 clock_hz;
static u64 clock_mult;

void clock_set_frequency(u64 hz)
{
	clock_hz = hz;
	clock_mult = hz ? (NS_PER_S << MULT_SHIFT) / hz : 0;
}

u64 clock_frequency(void)
{
	return clock_hz;
}

void clock_init(void)
{
	clock_set_frequency(read_sysreg(cntfrq_el0));
}

u64 arch_clock_ns(void)
{
	u64 ticks = arch_ticks() - boot_entry_ticks;

	return (u64)((unsigned __int128)ticks * clock_mult >> MULT_SHIFT);
}

u64 clock_ns_to_ticks(u64 ns)
{
	return ns / NS_PER_S * clock_hz + ns % NS_PER_S * clock_hz / NS_PER_S;
}
