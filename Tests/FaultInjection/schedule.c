// Which calls fail: rules, threads, counts.
#define _GNU_SOURCE
#include "internal.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME(name) #name,
static const char *const names[] = {FAULTS_CALLS(NAME)};

static struct faults_rule rules[FAULTS_RULES];
static int rule_count;
static uint64_t seed;
static _Atomic uint64_t injected[FAULTS_RULES], met[FAULTS_RULES];
static _Atomic uint64_t calls[CALL_COUNT][2];
// Odd while armed; a thread that sees another value begins anew.
static _Atomic uint64_t epoch;

static __thread struct {
    uint64_t epoch, random;
    uint32_t count[FAULTS_RULES];
    // As faults_choose_thread has it, plus one, so that a fresh thread's zero is -1.
    int wish;
    // 0: not known yet, 1: nobody's, 2: another one of the engine's, 3: a worker's.
    int role;
} mine;

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

const char *faults_call_name(int call) { return call >= 0 && call < CALL_COUNT ? names[call] : NULL; }
uint64_t faults_injected(int rule) { return atomic_load(&injected[rule]); }
uint64_t faults_met(int rule) { return atomic_load(&met[rule]); }
uint64_t faults_calls(int call, int workers) {
    return atomic_load(&calls[call][1]) + (workers ? 0 : atomic_load(&calls[call][0]));
}
void faults_choose_thread(int chosen) { mine.wish = chosen + 1; }

void faults_arm(const struct faults_rule *wanted, int count, uint64_t wanted_seed) {
    rule_count = count < FAULTS_RULES ? count : FAULTS_RULES;
    memcpy(rules, wanted, (size_t)rule_count * sizeof *rules);
    seed = wanted_seed;
    for (int rule = 0; rule < FAULTS_RULES; rule++) {
        atomic_store(&injected[rule], 0);
        atomic_store(&met[rule], 0);
    }
    atomic_fetch_or(&epoch, 1);
}

void faults_disarm(void) {
    uint64_t now = atomic_load(&epoch);
    if (now % 2 == 1) atomic_store(&epoch, now + 1);
}

/// The engine's threads by name. A thread takes its name before anything else, and keeps it.
static int role_by_name(char name[16]) {
    static const char *const others[] = {"engine-control", "health", "resolver", "access-log"};
    if (strncmp(name, "worker-", 7) == 0) return 3;
    for (size_t index = 0; index < sizeof others / sizeof *others; index++)
        if (strcmp(name, others[index]) == 0) return 2;
    return 1;
}

/// A thread's own draw: the same in every run with this seed, whichever thread comes first.
static void begin_epoch(uint64_t now) {
    char name[16] = {0};
    prctl(PR_GET_NAME, name);
    uint64_t state = seed;
    for (int index = 0; index < 16 && name[index]; index++) state = (state ^ (uint8_t)name[index]) * 0x100000001b3;
    mine.epoch = now;
    mine.random = state;
    for (int rule = 0; rule < rule_count; rule++)
        mine.count[rule] = rules[rule].every ? (uint32_t)(next_random(&mine.random) % rules[rule].every) : 0;
}

static int kind_of(int fd) {
    struct stat status;
    if (fd < 0 || syscall(SYS_fstat, fd, &status) == -1) return FAULTS_OTHERS;
    switch (status.st_mode & S_IFMT) {
        case S_IFSOCK: return FAULTS_SOCKETS;
        case S_IFIFO: return FAULTS_PIPES;
        case S_IFREG: return FAULTS_FILES;
        default: return FAULTS_OTHERS;
    }
}

int faults_is_eventfd(int fd) { return kind_of(fd) == FAULTS_OTHERS; }

static int fits(const struct faults_rule *rule, enum call call, int operation) {
    return rule->call == (int)call && (rule->operation < 0 || rule->operation == operation);
}

int faults_due(enum call call, int fd, int operation) {
    if (mine.wish == 1) return 0;
    if (mine.role == 0) {
        char name[16] = {0};
        prctl(PR_GET_NAME, name);
        mine.role = role_by_name(name);
    }
    if (mine.role > 1) atomic_fetch_add_explicit(&calls[call][mine.role == 3], 1, memory_order_relaxed);
    if (mine.role == 1 && mine.wish != 2) return 0;
    uint64_t now = atomic_load(&epoch);
    if (now % 2 == 0) return 0;
    if (mine.epoch != now) begin_epoch(now);
    int kind = 0;
    for (int index = 0; index < rule_count; index++) {
        const struct faults_rule *rule = &rules[index];
        if (!fits(rule, call, operation)) continue;
        if (!kind) kind = rule->kinds == FAULTS_ANY ? FAULTS_ANY : kind_of(fd);
        if (!(rule->kinds & kind)) continue;
        atomic_fetch_add(&met[index], 1);
        int is_due = rule->every ? ++mine.count[index] % rule->every == 0
                                 : next_random(&mine.random) % 1000000 < rule->per_million;
        if (!is_due) continue;
        atomic_fetch_add(&injected[index], 1);
        return rule->error;
    }
    return 0;
}

// Mostly few: what is asked for is often far more than there is.
size_t faults_part(size_t count) {
    if (count < 2) return count;
    uint64_t random = next_random(&mine.random);
    size_t most = count - 1 < 512 || random >> 62 == 0 ? count - 1 : 512;
    return 1 + random % most;
}
