/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The early console: a UART found without the tree, for a log that no other console shows.
 *
 * 1. One image serves several boards, and the address that is a UART on one is RAM on another. So nothing is written to
 *    a place that was not recognised: a PL011 has an identification (Arm DDI 0183, UARTPeriphID and UARTPCellID), and a
 *    board is known by the PL011 that it has at a certain place. Reading is safe: RAM is read without effect, and where
 *    nothing answers the fault has a fix-up.
 * 2. Candidates, in this order: the PL011 at CONFIG_EARLY_UART_ADDR; on a BCM2711 (CONFIG_EARLY_BCM2711_ADDR) the mini
 *    UART, when its firmware has switched it on, for then it has the pins; else its first PL011.
 * 3. The search comes when the log asks for an early console, so a machine whose tree names a console is never
 *    searched. It counts the candidates that it has begun with: should one end in an exception after all, that one's
 *    report goes on with the next.
 * 4. Nothing is set up: it works only where a loader or an emulator left the UART ready. What there is no UART for is
 *    dropped; the log keeps it.
 * 5. One page of the fixmap shows the candidates one after the other. The log serialises callers.
 */
#include <asm/exception.h>
#include <asm/mmu.h>
#include <asm/pl011.h>
#include <asm/uart.h>

/* Identification registers, a byte each. */
#define ID_REGISTERS 8

/* Where the BCM2711 has its UARTs (BCM2711 ARM Peripherals, 2.1 and 11.1); 0 when the configuration leaves it out. */
#define BCM2711_AT(offset) (CONFIG_EARLY_BCM2711_ADDR ? CONFIG_EARLY_BCM2711_ADDR + (offset) : 0)
#define BCM2711_PL011	   BCM2711_AT(0x201000ULL)
#define BCM2711_MINI_UART  BCM2711_AT(0x215040ULL)

/**
 * struct candidate - where a UART may be
 * @pl011: a PL011 here tells that this is the board
 * @uart: the UART itself; 0 for none
 * @attach: its console, NULL when it is not in use
 */
struct candidate {
	phys_addr_t pl011;
	phys_addr_t uart;
	struct console *(*attach)(volatile void *base);
};

static const struct candidate candidates[] = {
	{ CONFIG_EARLY_UART_ADDR, CONFIG_EARLY_UART_ADDR, pl011_attach },
	{ BCM2711_PL011, BCM2711_MINI_UART, mini_uart_attach },
	{ BCM2711_PL011, BCM2711_PL011, pl011_attach },
};

static unsigned int nr_tried;
static struct console *found;

/* Whether what is mapped at @base identifies itself as a PL011, of any revision. */
static bool is_pl011(const char *base)
{
	u64 id = 0;
	u32 value;

	for (int i = 0; i < ID_REGISTERS; i++) {
		if (!arch_probe_read32(base + UART_ID + i * sizeof(value), &value))
			return false;
		id |= (u64)(value & 0xff) << 8 * i;
	}
	return (id & UART_ID_MASK) == UART_ID_PL011;
}

static struct console *find(void)
{
	while (!found && nr_tried < ARRAY_SIZE(candidates)) {
		const struct candidate *next = &candidates[nr_tried++];

		if (next->uart && is_pl011(arch_map_early_uart(next->pl011)))
			found = (next->attach)(arch_map_early_uart(next->uart));
	}
	return found;
}

static void early_write(struct console *con, const char *text, size_t len)
{
	struct console *uart = find();

	(void)con;
	if (uart)
		uart->write(uart, text, len);
}

static int early_getc(struct console *con)
{
	struct console *uart = find();

	(void)con;
	return uart ? (uart->getc)(uart) : -1;
}

static struct console early = { .name = "early console", .write = early_write, .getc = early_getc };

struct console *arch_early_console(void)
{
	return find() ? &early : NULL;
}
