// RE2 as C functions. A pattern is immutable and may be used by any number of threads at once.
#ifndef SLUICE_CRE2_H
#define SLUICE_CRE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sluice_re2 sluice_re2;

// Compiles a pattern over bytes, with at most `memory` bytes for its program and the caches of its searches. NULL: it is none;
// `problem` then says why, cut off to its capacity and ended by a zero.
sluice_re2 *sluice_re2_compile(const char *pattern, size_t length, int64_t memory, char *problem, size_t capacity);
void sluice_re2_free(sluice_re2 *pattern);

// The leftmost match. 1: found, from `start` to `end`; 0: there is none.
int sluice_re2_find(const sluice_re2 *pattern, const void *bytes, size_t count, size_t *start, size_t *end);

#ifdef __cplusplus
}
#endif

#endif
