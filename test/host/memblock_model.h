/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model of memblock that is plainly right, and operations that are done to both and compared.
 *
 * What is done is decided by tap_random() alone. A difference ends the run by tap_fail(). The machine is a few MiB from
 * physical address 0; memblock must be as at reset when the model starts.
 */
#ifndef TEST_HOST_MEMBLOCK_MODEL_H
#define TEST_HOST_MEMBLOCK_MODEL_H

/** memblock_model_start() - nothing is memory, nothing is reserved, arrays may grow. Context: the boot CPU is up. */
void memblock_model_start(void);

/** memblock_model_fragment() - all is memory, cut into so many pieces that both arrays have grown */
void memblock_model_fragment(void);

/** memblock_model_step() - one random operation; then memblock must hold what the model holds. O(machine). */
void memblock_model_step(void);

#endif
