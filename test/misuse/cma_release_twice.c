// SPDX-License-Identifier: BSD-2-Clause
/* Pages of a CMA area are released a second time; then some together with one that was never allocated. */
#include <mm/cma.h>

#include "misuse.h"

MISUSE(cma_release_twice, basic, GOES_ON)
{
	struct cma *cma = cma_default_area();
	struct page *page = cma_alloc(cma, 10, 0, false);

	if (!page || !cma_release(cma, page, 10))
		return;
	if (cma_release(cma, page, 10))
		return;
	page = cma_alloc(cma, 10, 0, false);
	if (page && !cma_release(cma, page, 11))
		cma_release(cma, page, 10);
}
