/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers share (https://llvm.org/docs/LibFuzzer.html): one program a target, each of
 * whose inputs is the hostile side of one interface. An input is read from its front: numbers are
 * little-endian, what is missing at the end is zero. tests/fuzz/seeds.py writes inputs in the same
 * way.
 */
#ifndef PLANECAST_FUZZ_H
#define PLANECAST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

struct fuzz {
	const uint8_t *bytes; /* what is left of the input */
	size_t left;
};

/* As the next sizeof(T) bytes say it. */
uint64_t fuzz_number(struct fuzz *fuzz, size_t bytes);

/* Fills `to`; zeros follow what is left. */
void fuzz_fill(struct fuzz *fuzz, void *to, size_t size);

/* At most so many of the bytes that are left, as many as there are. */
size_t fuzz_take(struct fuzz *fuzz, size_t most, const uint8_t **bytes);

/* A string of what is left up to a line feed, which is dropped; for g_free(). */
char *fuzz_line(struct fuzz *fuzz);

/* Ends the program, with the stack, if that does not hold. */
void fuzz_expect(bool holds);

/*
 * How many threads there are; and waits until there are no more than that, for two seconds at most:
 * what a thread holds that is just ending is no leak.
 */
unsigned int fuzz_threads(void);
void fuzz_settle(unsigned int threads);

#endif
