/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table engine's machine on the host: memory that is a list of pages, and a TLB that holds whatever it may hold.
 * What each function does, and what it finds wrong, is in test/host/pgtable/recorder.c; what it means, in
 * arch-arm64/include/asm/pt_hw.h.
 */
#ifndef ASM_PT_HW_H
#define ASM_PT_HW_H

#include <asm/pgtable.h>

void pt_write(u64 *slot, u64 entry);
void pt_written(void);
void pt_invalidate(u64 va);
void pt_invalidate_all(void);
void pt_invalidated(void);
phys_addr_t pt_page_new(void);
phys_addr_t pt_page_new_thread(void);
void pt_page_free(phys_addr_t pa);
void pt_page_retire(phys_addr_t pa);
u64 *pt_live_begin(u64 *slot);
void pt_live_end(void);

#endif
