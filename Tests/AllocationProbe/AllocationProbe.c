#define _GNU_SOURCE
#include "AllocationProbe.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

enum { NUMBERS = 64, DEPTH = 24 };

static _Atomic uint64_t counts[NUMBERS];
static void *latest[NUMBERS][DEPTH];
// One more than the number, so that a fresh thread's zero counts nowhere.
static __thread int counted_as;

void allocation_probe_count_thread_as(int number) { counted_as = number >= 0 && number < NUMBERS ? number + 1 : 0; }
uint64_t allocation_probe_count(int number) { return atomic_load(&counts[number]); }

void allocation_probe_describe_latest(int number, char *text, int capacity) {
    int used = 0;
    text[0] = 0;
    for (int depth = 0; depth < DEPTH && latest[number][depth] && used < capacity; depth++) {
        Dl_info info;
        if (!dladdr(latest[number][depth], &info) || !info.dli_fname) continue;
        ptrdiff_t offset = (char *)latest[number][depth] - (char *)info.dli_fbase;
        used += snprintf(text + used, (size_t)(capacity - used), "%s+0x%tx\n", info.dli_fname, offset);
    }
}

#ifdef SANITIZED

int allocation_probe_is_available(void) { return 0; }

#else

int allocation_probe_is_available(void) { return 1; }

// What glibc's own functions are called when they are stood in for.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

/// Frame pointers, as far as they lead up: Swift keeps them, and a walk must not allocate.
__attribute__((noinline)) static void note(void) {
    int number = counted_as - 1;
    atomic_fetch_add(&counts[number], 1);
    void **frame = __builtin_frame_address(0);
    int depth = 0;
    for (; depth < DEPTH && frame && frame[1]; depth++) {
        latest[number][depth] = frame[1];
        void **next = frame[0];
        if (next <= frame || (char *)next - (char *)frame > 1 << 16) {
            depth++;
            break;
        }
        frame = next;
    }
    if (depth < DEPTH) latest[number][depth] = NULL;
}

#define COUNT() (__builtin_expect(counted_as, 0) ? note() : (void)0)

void *malloc(size_t size) {
    COUNT();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    COUNT();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    COUNT();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    COUNT();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    COUNT();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size) {
    COUNT();
    void *block = __libc_memalign(alignment, size);
    if (!block) return ENOMEM;
    *result = block;
    return 0;
}

#endif
