// SPDX-License-Identifier: BSD-2-Clause
/* What must not fail is asked for by somebody who cannot wait, when there is nothing left. */
#include <mm/gfp.h>

#include "misuse.h"

MISUSE(page_alloc_nofail, basic, PANICS)
{
	while (alloc_pages(GFP_KERNEL | __GFP_HIGH | __GFP_NOWARN, MAX_PAGE_ORDER)) {
	}
	while (alloc_page(GFP_ATOMIC | __GFP_NOFAIL)) {
	}
}
