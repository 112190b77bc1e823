// The functions that stand in for libc's, over syscall(2).
#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Fails as the schedule says; else goes on to the statement behind it.
#define FAIL(call, fd, operation)                                                                                     \
    do {                                                                                                              \
        int due_ = faults_due(CALL_##call, fd, operation);                                                            \
        if (due_) { errno = due_; return -1; }                                                                        \
    } while (0)

// Moves `count` bytes by `expression`, fewer of them where the schedule says so. What there is, or was taken, is more than
// what the caller hears of: it is owed another edge, as after EAGAIN.
#define MOVE(call, fd, count, expression)                                                                             \
    do {                                                                                                              \
        int due_ = faults_due(CALL_##call, fd, -1);                                                                   \
        if (due_ == FAULTS_PARTIAL) count = faults_part(count);                                                       \
        else if (due_) {                                                                                              \
            if (due_ == EAGAIN) faults_rearm(fd);                                                                     \
            errno = due_;                                                                                             \
            return -1;                                                                                                \
        }                                                                                                             \
        ssize_t result_ = (expression);                                                                               \
        if (due_ == FAULTS_PARTIAL) faults_rearm(fd);                                                                 \
        return result_;                                                                                               \
    } while (0)

ssize_t read(int fd, void *bytes, size_t count) { MOVE(read, fd, count, syscall(SYS_read, fd, bytes, count)); }
ssize_t write(int fd, const void *bytes, size_t count) {
    int due = faults_due(CALL_write, fd, -1);
    ssize_t result = -1;
    if (due == FAULTS_PARTIAL) count = faults_part(count);
    // An eventfd whose counter is full has a reader that was told: it is told here, too.
    if (due <= 0 || (due == EAGAIN && faults_is_eventfd(fd))) result = syscall(SYS_write, fd, bytes, count);
    if (due == FAULTS_PARTIAL || due == EAGAIN) faults_rearm(fd);
    if (due <= 0) return result;
    errno = due;
    return -1;
}
ssize_t recv(int fd, void *bytes, size_t count, int flags) {
    MOVE(recv, fd, count, syscall(SYS_recvfrom, fd, bytes, count, flags, NULL, NULL));
}
ssize_t recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length) {
    MOVE(recvfrom, fd, count, syscall(SYS_recvfrom, fd, bytes, count, flags, address, length));
}
ssize_t send(int fd, const void *bytes, size_t count, int flags) {
    MOVE(send, fd, count, syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0));
}
ssize_t sendto(
    int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
    MOVE(sendto, fd, count, syscall(SYS_sendto, fd, bytes, count, flags, address, length));
}

// What is said of parts here is said of their first one: a part of it is as good a part of all.
static int shortened(const struct iovec *parts, int number, struct iovec *first) {
    if (number < 1) return number;
    *first = (struct iovec){.iov_base = parts[0].iov_base, .iov_len = faults_part(parts[0].iov_len)};
    return 1;
}
ssize_t readv(int fd, const struct iovec *parts, int number) {
    struct iovec first;
    int due = faults_due(CALL_readv, fd, -1);
    if (due == FAULTS_PARTIAL && (number = shortened(parts, number, &first)) == 1) parts = &first;
    else if (due > 0) { errno = due; return -1; }
    return syscall(SYS_readv, fd, parts, number);
}
ssize_t writev(int fd, const struct iovec *parts, int number) {
    struct iovec first;
    int due = faults_due(CALL_writev, fd, -1);
    if (due == FAULTS_PARTIAL && (number = shortened(parts, number, &first)) == 1) parts = &first;
    else if (due > 0) { errno = due; return -1; }
    return syscall(SYS_writev, fd, parts, number);
}
ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    FAIL(recvmsg, fd, -1);
    return syscall(SYS_recvmsg, fd, message, flags);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    FAIL(sendmsg, fd, -1);
    return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned flags) {
    int due = faults_due(CALL_splice, from, -1);
    if (due == FAULTS_PARTIAL) count = faults_part(count);
    ssize_t result = -1;
    if (due > 0) errno = due;
    else result = syscall(SYS_splice, from, from_offset, to, to_offset, count, flags);
    if (due == EAGAIN || due == FAULTS_PARTIAL) {
        faults_rearm(from);
        faults_rearm(to);
    }
    return result;
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    FAIL(accept4, fd, -1);
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}
int accept(int fd, struct sockaddr *address, socklen_t *length) {
    FAIL(accept, fd, -1);
    return (int)syscall(SYS_accept, fd, address, length);
}
int bind(int fd, const struct sockaddr *address, socklen_t length) {
    FAIL(bind, fd, -1);
    return (int)syscall(SYS_bind, fd, address, length);
}
int listen(int fd, int backlog) {
    FAIL(listen, fd, -1);
    return (int)syscall(SYS_listen, fd, backlog);
}
// An interrupted connect goes on by itself; any other failure has not begun.
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    int due = faults_due(CALL_connect, fd, -1);
    if (due && due != EINTR) { errno = due; return -1; }
    int result = (int)syscall(SYS_connect, fd, address, length);
    if (due == EINTR && (result == 0 || errno == EINPROGRESS)) { errno = EINTR; return -1; }
    return result;
}
int socket(int family, int type, int protocol) {
    FAIL(socket, -1, -1);
    return (int)syscall(SYS_socket, family, type, protocol);
}
int socketpair(int family, int type, int protocol, int fds[2]) {
    FAIL(socketpair, -1, -1);
    return (int)syscall(SYS_socketpair, family, type, protocol, fds);
}
int shutdown(int fd, int how) {
    FAIL(shutdown, fd, -1);
    return (int)syscall(SYS_shutdown, fd, how);
}
int getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
    FAIL(getsockopt, fd, -1);
    return (int)syscall(SYS_getsockopt, fd, level, name, value, length);
}
int setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
    FAIL(setsockopt, fd, -1);
    return (int)syscall(SYS_setsockopt, fd, level, name, value, length);
}
int getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    FAIL(getsockname, fd, -1);
    return (int)syscall(SYS_getsockname, fd, address, length);
}
int getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    FAIL(getpeername, fd, -1);
    return (int)syscall(SYS_getpeername, fd, address, length);
}

int epoll_create1(int flags) {
    FAIL(epoll_create1, -1, -1);
    return (int)syscall(SYS_epoll_create1, flags);
}
int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
    FAIL(epoll_ctl, fd, operation);
    int result = (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
    if (result == 0) faults_note_registration(epoll, operation, fd, event ? event->events : 0, event ? event->data.u64 : 0);
    return result;
}
int epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout) {
    FAIL(epoll_wait, epoll, -1);
    return (int)syscall(SYS_epoll_pwait, epoll, events, capacity, timeout, NULL, _NSIG / 8);
}
int epoll_pwait2(
    int epoll, struct epoll_event *events, int capacity, const struct timespec *timeout, const sigset_t *mask) {
    FAIL(epoll_pwait2, epoll, -1);
    return (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, timeout, mask, _NSIG / 8);
}
int eventfd(unsigned count, int flags) {
    FAIL(eventfd, -1, -1);
    return (int)syscall(SYS_eventfd2, count, flags);
}
int poll(struct pollfd *entries, nfds_t count, int timeout) {
    FAIL(poll, -1, -1);
    return (int)syscall(SYS_poll, entries, count, timeout);
}
int pipe2(int fds[2], int flags) {
    FAIL(pipe2, -1, -1);
    return (int)syscall(SYS_pipe2, fds, flags);
}
// The descriptor is gone whatever close says: close(2).
int close(int fd) {
    int due = faults_due(CALL_close, fd, -1);
    faults_forget_descriptor(fd);
    int result = (int)syscall(SYS_close, fd);
    if (due == 0 || result == -1) return result;
    errno = due;
    return -1;
}
static int open_with(const char *path, int flags, va_list more) {
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
    FAIL(open, -1, -1);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int result = open_with(path, flags, more);
    va_end(more);
    return result;
}
int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    int result = open_with(path, flags | O_LARGEFILE, more);
    va_end(more);
    return result;
}
static int fcntl_with(int fd, int command, va_list more) {
    void *argument = va_arg(more, void *);
    FAIL(fcntl, fd, command);
    return (int)syscall(SYS_fcntl, fd, command, argument);
}
int fcntl(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    int result = fcntl_with(fd, command, more);
    va_end(more);
    return result;
}
int fcntl64(int fd, int command, ...) {
    va_list more;
    va_start(more, command);
    int result = fcntl_with(fd, command, more);
    va_end(more);
    return result;
}

// The address sanitizer has to know of every thread.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
extern int __interceptor_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
#define SANITIZERS_OWN __interceptor_pthread_create
#endif
#endif
#ifndef SANITIZERS_OWN
#define SANITIZERS_OWN ((int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))0)
#endif

// No system call, but clone's failures come out here.
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
    static int (*original)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int due = faults_due(CALL_pthread_create, -1, -1);
    if (due) return due;
    if (!original) original = SANITIZERS_OWN ? SANITIZERS_OWN : (__typeof__(original))dlsym(RTLD_NEXT, "pthread_create");
    return original(thread, attributes, start, argument);
}
