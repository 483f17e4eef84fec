// SPDX-License-Identifier: BSD-2-Clause
/* Areas of vmalloc() are freed twice, a small and a large one; one is freed inside, and one as a mapping. */
#include <mm/vmalloc.h>

#include "misuse.h"

MISUSE(vmalloc_free_twice, basic, GOES_ON)
{
	char *small = vmalloc(3 * PAGE_SIZE), *large = vmalloc(5UL << 20);

	vfree(small + PAGE_SIZE);
	vunmap(large);
	vfree(small);
	vfree(small);
	vfree(large);
	vfree(large);
}
