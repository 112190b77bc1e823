#define _GNU_SOURCE
#include "CHeap.h"

#include <CLinux.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1   // which have a heap of their own
#endif
#endif

#ifndef SANITIZED

// What glibc's own functions are called when they are stood in for.
extern void *__libc_malloc(size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

void free(void *block) {
    if (__builtin_expect(sluice_wipes_freed_memory, 0) && block) explicit_bzero(block, malloc_usable_size(block));
    __libc_free(block);
}

void *realloc(void *block, size_t size) {
    if (!__builtin_expect(sluice_wipes_freed_memory, 0) || !block || size == 0) {
        if (block && size == 0) {
            free(block);
            return NULL;
        }
        return __libc_realloc(block, size);
    }
    size_t usable = malloc_usable_size(block);
    if (size <= usable) {
        // What is cut off goes back to the heap; the rest could still be moved, which leaves what it was.
        explicit_bzero((char *)block + size, usable - size);
        if (size >= usable / 2) return block;
    }
    void *larger = __libc_malloc(size);
    if (!larger) return NULL;
    memcpy(larger, block, size < usable ? size : usable);
    free(block);
    return larger;
}

#endif
