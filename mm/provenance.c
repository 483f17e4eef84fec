// SPDX-License-Identifier: BSD-2-Clause
/*
 * The map with its sources: whose each byte of RAM is, from the claims alone.
 *
 * 1. RAM is what a memory claim covers and no left-out claim does. Its owner is the claim recorded first among those
 *    that cover it: what the tree and the loader said counts before what our own boot allocations took. RAM without an
 *    owner was handed over to the page allocator, and so was what a CMA area owns.
 * 2. Owners change only where a claim begins or ends. So the map is walked from boundary to boundary; nothing is
 *    stored, and no claim has to be sorted.
 *
 * Context: thread, once nothing more is claimed. Cost: O(claims) for each step, O(claims^2) for the whole map.
 */
#include "provenance.h"

#include <mm/page.h>

#include "internal.h"

#define NO_ADDRESS (~(phys_addr_t)0)

static bool covers(const struct mem_claim *claim, phys_addr_t at)
{
	return at >= claim->base && at - claim->base < claim->size;
}

static bool is_owner(const struct mem_claim *claim)
{
	return claim->kind == CLAIM_RESERVED || claim->kind == CLAIM_NOMAP || claim->kind == CLAIM_METADATA ||
	       claim->kind == CLAIM_CMA;
}

/* The first address above @pos where a claim begins or ends; NO_ADDRESS behind the last one. */
static phys_addr_t next_boundary(phys_addr_t pos)
{
	phys_addr_t next = NO_ADDRESS;

	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (c->base > pos)
			next = min(next, c->base);
		else if (c->base + c->size > pos)
			next = min(next, c->base + c->size);
	}
	return next;
}

static void look_up(phys_addr_t at, struct ram_run *run)
{
	bool left_out = false;

	run->bank = run->owner = NULL;
	run->nomap = false;
	for (unsigned int i = 0; i < claim_count(); i++) {
		const struct mem_claim *c = claim_get(i);

		if (!covers(c, at))
			continue;
		if (c->kind == CLAIM_MEMORY && !run->bank)
			run->bank = c;
		else if (is_owner(c) && !run->owner)
			run->owner = c;
		left_out |= c->kind == CLAIM_LEFT_OUT;
		run->nomap |= c->kind == CLAIM_NOMAP;
	}
	if (left_out)
		run->bank = NULL;
}

bool ram_run_next(struct ram_run *run)
{
	struct ram_run here;

	for (phys_addr_t pos = run->end; pos != NO_ADDRESS; pos = next_boundary(pos)) {
		look_up(pos, run);
		if (!run->bank)
			continue;
		run->base = pos;
		do {
			pos = next_boundary(pos);
			look_up(pos, &here);
		} while (pos != NO_ADDRESS && here.bank == run->bank && here.owner == run->owner &&
			 here.nomap == run->nomap);
		run->end = pos;
		return true;
	}
	return false;
}

/* Bytes of [base, end) in whole pages. */
static phys_addr_t in_whole_pages(phys_addr_t base, phys_addr_t end)
{
	return PFN_DOWN(end) > PFN_UP(base) ? PFN_PHYS(PFN_DOWN(end) - PFN_UP(base)) : 0;
}

void ram_sum(struct ram_sums *sums)
{
	struct ram_run run = { 0 };
	phys_addr_t free_base = 0, free_end = 0;

	*sums = (struct ram_sums){ 0 };
	for (unsigned int i = 0; i < claim_count(); i++)
		claim_own(claim_get(i), 0);
	while (ram_run_next(&run)) {
		phys_addr_t bytes = run.end - run.base;

		sums->discovered += bytes;
		if (run.owner)
			claim_own(run.owner, claim_owned(run.owner) + bytes);
		if (run.owner && run.owner->kind != CLAIM_CMA) {
			*(run.owner->kind == CLAIM_METADATA ? &sums->metadata : &sums->reserved) += bytes;
			continue;
		}
		sums->unclaimed += bytes;
		/* Free runs of banks that touch are one: a page may lie across. */
		if (run.base != free_end) {
			sums->whole_pages += in_whole_pages(free_base, free_end);
			free_base = run.base;
		}
		free_end = run.end;
	}
	sums->whole_pages += in_whole_pages(free_base, free_end);
}
