// The bytes that sources send: any two positions differ, so that lost, doubled or reordered bytes are noticed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_CHUNK = 256 * 1024 };

/// `size` (at most PATTERN_CHUNK) bytes of the pattern from `position` on.
const uint8_t *pattern_at(uint64_t position);

/// Whether the bytes received are those of the pattern. Compares both ends of the chunk only: that is enough to
/// notice a shift, and comparing all of it would take a fifth of a core from what is measured. Whole contents
/// are compared by `transfer`.
bool pattern_matches(const uint8_t *bytes, size_t size, uint64_t position);

/// Fails unless they match.
void pattern_check(const uint8_t *bytes, size_t size, uint64_t position);
