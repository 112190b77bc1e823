// Makes system calls of chosen threads fail. Linked into an executable it stands in for libc's functions, for every library of
// the process; threads that were not chosen, and everybody while nothing is armed, get what the kernel says.
#ifndef CFAULTS_H
#define CFAULTS_H

#include <stddef.h>
#include <stdint.h>

/// Every call that is stood in for. Numbers are in this order, from 0.
#define FAULTS_CALLS(X)                                                                                               \
    X(accept) X(accept4) X(bind) X(close) X(connect) X(epoll_create1) X(epoll_ctl) X(epoll_pwait2) X(epoll_wait)      \
    X(eventfd) X(fcntl) X(getpeername) X(getsockname) X(getsockopt) X(listen) X(open) X(pipe2) X(poll)                \
    X(pthread_create) X(read) X(readv) X(recv) X(recvfrom) X(recvmsg) X(send) X(sendmsg) X(sendto) X(setsockopt)      \
    X(shutdown) X(socket) X(socketpair) X(splice) X(write) X(writev)

/// The name of a call; NULL beyond the last one.
const char *faults_call_name(int call);

/// Instead of an errno: the call is done, with a part of the bytes that it was asked for.
#define FAULTS_PARTIAL (-1)

/// What a call is about, by its descriptor; a sum of them.
enum { FAULTS_SOCKETS = 1, FAULTS_PIPES = 2, FAULTS_FILES = 4, FAULTS_OTHERS = 8, FAULTS_ANY = 15 };

/// One kind of failure.
struct faults_rule {
    int call;
    /// An errno, or FAULTS_PARTIAL.
    int error;
    int kinds;
    /// The command of fcntl, the operation of epoll_ctl; -1: any.
    int operation;
    /// Each so many of a thread's calls fails, beginning where its seed says; 0: by chance.
    uint32_t every;
    /// By chance: of a million calls.
    uint32_t per_million;
};

enum { FAULTS_RULES = 160 };

/// From now on calls fail by the first of these rules that fits and is due. Which calls of a thread these are follows from the
/// seed and the thread's name. One thread arms and disarms, by turns.
void faults_arm(const struct faults_rule *rules, int count, uint64_t seed);
/// From now on nothing fails. Counts stay until the next faults_arm.
void faults_disarm(void);
/// How often a rule was the cause of a failure.
uint64_t faults_injected(int rule);
/// How often chosen threads made a call that a rule was for, due or not.
uint64_t faults_met(int rule);
/// Calls that the engine's threads (its workers only: `workers`) made since the process began, armed or not.
uint64_t faults_calls(int call, int workers);

/// Whether the calling thread is one of those whose calls fail: 1, 0, or -1: by its name, if it is one of the engine's.
void faults_choose_thread(int chosen);

/// `count` bytes of the stream that `stream` names, from `offset` on.
void faults_pattern(uint64_t stream, uint64_t offset, void *bytes, size_t count);
/// The index of the first byte that is not the stream's; -1: all are.
int64_t faults_pattern_differs(uint64_t stream, uint64_t offset, const void *bytes, size_t count);

/// Bytes that are allocated right now.
uint64_t faults_heap_bytes(void);

#endif
