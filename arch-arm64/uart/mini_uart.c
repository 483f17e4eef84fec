/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mini UART of the BCM2835 to BCM2711 (BCM2711 ARM Peripherals, 2.2): polled output and input.
 *
 * 1. It is one of three devices in the auxiliary block; its registers begin MU_OFFSET bytes behind the block's, where
 *    AUX_ENABLES switches each device on. While it is off, its other registers do not answer: so AUX_ENABLES is what
 *    set-up looks at first, and LSR only where the block is out of reach.
 * 2. Transmit: wait until LSR says that the FIFO takes a byte, write IO. Receive: IO when LSR says that there is one.
 *    A byte that finds no room in UART_POLLS looks is dropped, and each one after at once, until there is room again;
 *    the log keeps them.
 * 3. Set-up leaves the rate alone, and with it the clock and the pins: its rate comes from the core clock of VideoCore,
 *    whose firmware knows what it chose. Interrupts and flow control are switched off, so that the other side cannot
 *    hold us; the format becomes eight bits. LCR is written when the last byte of whoever wrote before us has gone.
 *    DLAB has to be off: with it, IO is a part of the rate.
 * 4. The log serialises callers.
 */
#include <asm/exception.h>
#include <asm/io.h>
#include <asm/page.h>
#include <asm/uart.h>

#define MU_OFFSET 0x40

/* Offsets from the mini UART's own first register. */
#define AUX_ENABLES (0x04 - MU_OFFSET)
#define MU_IO	    0x00
#define MU_IER	    0x04
#define MU_LCR	    0x0c
#define MU_LSR	    0x14
#define MU_CNTL	    0x20

#define ENABLES_MINI_UART BIT(0)

#define LCR_8BITS 3 /* the manual shows bit 0 alone; both are needed */

#define LSR_RX_READY BIT(0)
#define LSR_TX_ROOM  BIT(5)
#define LSR_TX_IDLE  BIT(6)

#define CNTL_RX BIT(0)
#define CNTL_TX BIT(1)

/**
 * struct mini_uart - the one mini UART
 * @con: its console; the log lock covers the whole
 * @base: its registers, those of the auxiliary block in front of them
 * @stuck: the last byte was dropped: wait no more until there is room
 */
struct mini_uart {
	struct console con;
	volatile char *base;
	bool stuck;
};

static void mini_uart_write(struct console *con, const char *text, size_t len)
{
	struct mini_uart *uart = container_of(con, struct mini_uart, con);
	volatile char *base = uart->base;
	bool stuck = uart->stuck;

	for (size_t i = 0; i < len; i++) {
		stuck = !uart_wait(base + MU_LSR, LSR_TX_ROOM, LSR_TX_ROOM, stuck ? 1 : UART_POLLS);
		if (!stuck)
			mmio_write32(base + MU_IO, (u8)text[i]);
	}
	uart->stuck = stuck;
}

static int mini_uart_getc(struct console *con)
{
	volatile char *base = container_of(con, struct mini_uart, con)->base;

	if (!(mmio_read32(base + MU_LSR) & LSR_RX_READY))
		return -1;
	return (int)(mmio_read32(base + MU_IO) & 0xff);
}

static struct mini_uart mini_uart = {
	.con = { .name = "mini UART", .write = mini_uart_write, .getc = mini_uart_getc },
};

/* Whether the auxiliary block is in the page that the registers are in, as far as their place tells. */
static bool has_block(volatile char *base)
{
	return (uintptr_t)base % PAGE_SIZE >= MU_OFFSET;
}

static struct console *mini_uart_setup(volatile void *registers)
{
	volatile char *base = registers;
	bool block = has_block(base);
	u32 value, enables;

	if (!arch_probe_read32(base + (block ? AUX_ENABLES : MU_LSR), &value))
		return NULL;
	enables = block ? value : ENABLES_MINI_UART;
	if (enables & ENABLES_MINI_UART)
		uart_wait(base + MU_LSR, LSR_TX_IDLE, LSR_TX_IDLE, UART_POLLS);
	else
		mmio_write32(base + AUX_ENABLES, enables | ENABLES_MINI_UART);
	mmio_write32(base + MU_LCR, LCR_8BITS);
	mmio_write32(base + MU_IER, 0);
	mmio_write32(base + MU_CNTL, CNTL_RX | CNTL_TX);
	mini_uart.base = base;
	return &mini_uart.con;
}

struct console *mini_uart_attach(volatile void *registers)
{
	volatile char *base = registers;

	if (!has_block(base) || !(mmio_read32(base + AUX_ENABLES) & ENABLES_MINI_UART))
		return NULL;
	mini_uart.base = base;
	return &mini_uart.con;
}

static const char *const mini_uart_compatible[] = { "brcm,bcm2835-aux-uart", NULL };

const struct uart_driver mini_uart_driver = {
	.compatible = mini_uart_compatible,
	.name = "mini UART",
	.setup = mini_uart_setup,
};
