#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RETRY(expression)                                                                                             \
    ({                                                                                                                \
        __typeof__(expression) result_;                                                                               \
        do result_ = (expression);                                                                                    \
        while (result_ == -1 && errno == EINTR);                                                                      \
        result_ == -1 ? -errno : result_;                                                                             \
    })

// close is not retried: on Linux the descriptor is gone even when EINTR is reported.
int sluice_close(int fd) { return close(fd) == -1 && errno != EINTR ? -errno : 0; }
int64_t sluice_read(int fd, void *buffer, size_t count) { return RETRY(read(fd, buffer, count)); }
int64_t sluice_write(int fd, const void *buffer, size_t count) { return RETRY(write(fd, buffer, count)); }
int sluice_open(const char *path, int flags, unsigned mode) { return RETRY(open(path, flags | O_CLOEXEC, mode)); }

int sluice_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1) return -errno;
    flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) == -1 ? -errno : 0;
}

int sluice_is_terminal(int fd) { return isatty(fd); }
int sluice_dup(int fd) { return RETRY(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

int sluice_list_directory(const char *path, void (*visit)(void *context, const char *name), void *context) {
    DIR *directory = opendir(path);
    if (!directory) return -errno;
    struct dirent *entry;
    while (errno = 0, entry = readdir(directory))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) visit(context, entry->d_name);
    int error = errno;
    closedir(directory);
    return -error;
}
int64_t sluice_read_link(const char *path, void *buffer, size_t count) { return RETRY(readlink(path, buffer, count)); }
int64_t sluice_file_size(const char *path) {
    struct stat status;
    return stat(path, &status) == -1 ? -errno : status.st_size;
}
int sluice_file_status(const char *path, int follow, struct sluice_file_status *result) {
    struct stat status;
    if ((follow ? stat(path, &status) : lstat(path, &status)) == -1) return -errno;
    *result = (struct sluice_file_status){
        .device = status.st_dev,
        .inode = status.st_ino,
        .links = status.st_nlink,
        .size = status.st_size,
        .modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
        .changed_ns = (int64_t)status.st_ctim.tv_sec * 1000000000 + status.st_ctim.tv_nsec,
        .mode = status.st_mode,
    };
    return 0;
}

int sluice_socket(int domain, int type, int protocol) {
    return RETRY(socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}
int sluice_bind(int fd, const struct sockaddr *address, socklen_t length) { return RETRY(bind(fd, address, length)); }
int sluice_listen(int fd, int backlog) { return RETRY(listen(fd, backlog)); }
int sluice_accept(int fd, struct sockaddr_storage *peer, socklen_t *length) {
    return RETRY(accept4(fd, (struct sockaddr *)peer, length, SOCK_CLOEXEC | SOCK_NONBLOCK));
}
int sluice_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length) == -1 ? (errno == EINTR ? -EINPROGRESS : -errno) : 0;
}
int sluice_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) == -1 ? -errno : 0; }
int sluice_shutdown_both(int fd) { return shutdown(fd, SHUT_RDWR) == -1 ? -errno : 0; }
int sluice_getsockname(int fd, struct sockaddr_storage *address, socklen_t *length) {
    return getsockname(fd, (struct sockaddr *)address, length) == -1 ? -errno : 0;
}
int sluice_socket_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == -1 ? errno : error;
}
int sluice_set_option(int fd, int level, int name, int value) {
    return setsockopt(fd, level, name, &value, sizeof value) == -1 ? -errno : 0;
}
int sluice_peer_silence(int fd, struct sluice_peer_silence *silence) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == -1) return -errno;
    *silence = (struct sluice_peer_silence){.in_flight = info.tcpi_unacked,
                                            .timeouts = info.tcpi_retransmits,
                                            .probes = info.tcpi_probes,
                                            .quiet_ms = info.tcpi_last_ack_recv};
    return 0;
}
int sluice_set_linger_reset(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == -1 ? -errno : 0;
}
int sluice_get_option(int fd, int level, int name, int *value) {
    socklen_t length = sizeof *value;
    return getsockopt(fd, level, name, value, &length) == -1 ? -errno : 0;
}
int sluice_local_addresses(struct sockaddr_storage *addresses, int capacity) {
    struct ifaddrs *first = NULL;
    if (getifaddrs(&first) == -1) return -errno;
    int count = 0;
    for (struct ifaddrs *entry = first; entry && count < capacity; entry = entry->ifa_next) {
        if (!(entry->ifa_flags & IFF_UP) || !entry->ifa_addr) continue;
        int family = entry->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        memset(&addresses[count], 0, sizeof *addresses);
        memcpy(&addresses[count++], entry->ifa_addr,
               family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
    }
    freeifaddrs(first);
    return count;
}

int64_t sluice_recv(int fd, void *buffer, size_t count, int flags) { return RETRY(recv(fd, buffer, count, flags)); }
int64_t sluice_send(int fd, const void *buffer, size_t count, int flags) {
    return RETRY(send(fd, buffer, count, flags | MSG_NOSIGNAL));
}

int sluice_unix_address(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t count = strlen(path);
    if (count == 0 || count >= sizeof address->sun_path) return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, count);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + 1);
    if (path[0] == '@') {   // in the abstract name space every byte counts, and there is no terminator
        address->sun_path[0] = 0;
        *length -= 1;
    }
    return 0;
}
int sluice_socket_pair(int type, int fds[2]) {
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == -1 ? -errno : 0;
}
int sluice_peer(int fd, int *pid, unsigned *uid) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == -1) return -errno;
    *pid = peer.pid;
    *uid = peer.uid;
    return 0;
}
int64_t sluice_send_descriptors(int fd, const void *bytes, size_t count, const int *descriptors, int number) {
    if (number < 0 || number > SLUICE_MESSAGE_DESCRIPTORS) return -EINVAL;
    union { struct cmsghdr header; char space[CMSG_SPACE(SLUICE_MESSAGE_DESCRIPTORS * sizeof(int))]; } control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (number > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE((size_t)number * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN((size_t)number * sizeof(int));
        memcpy(CMSG_DATA(&control.header), descriptors, (size_t)number * sizeof(int));
    }
    return RETRY(sendmsg(fd, &message, MSG_NOSIGNAL));
}
int64_t sluice_receive_descriptors(int fd, void *bytes, size_t capacity, int *descriptors, int *number) {
    union { struct cmsghdr header; char space[CMSG_SPACE(SLUICE_MESSAGE_DESCRIPTORS * sizeof(int))]; } control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *number = 0;
    int64_t result = RETRY(recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
    if (result < 0) return result;
    for (struct cmsghdr *entry = CMSG_FIRSTHDR(&message); entry; entry = CMSG_NXTHDR(&message, entry)) {
        if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
        size_t found = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors + *number, CMSG_DATA(entry), found * sizeof(int));
        *number += (int)found;
    }
    if (!(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return result;
    for (int index = 0; index < *number; index++) close(descriptors[index]);   // a part of what was meant helps nobody
    *number = 0;
    return -EMSGSIZE;
}

int sluice_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC | O_NONBLOCK) == -1 ? -errno : 0; }
int64_t sluice_pipe_set_size(int fd, int64_t size) {
    if (fcntl(fd, F_SETPIPE_SZ, (int)size) == -1 && errno != EPERM && errno != EBUSY) return -errno;
    return RETRY(fcntl(fd, F_GETPIPE_SZ));
}
int64_t sluice_splice(int from, int to, size_t count) {
    return RETRY(splice(from, NULL, to, NULL, count, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

int sluice_epoll_create(void) { return RETRY(epoll_create1(EPOLL_CLOEXEC)); }
int sluice_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, fd, &event) == -1 ? -errno : 0;
}
int sluice_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    int count = epoll_wait(epoll, events, capacity, timeout_ms);
    if (count == -1 && errno == EINTR)   // perhaps stopped for long: what has come meanwhile goes before what is late
        count = epoll_wait(epoll, events, capacity, 0);
    return count == -1 ? (errno == EINTR ? 0 : -errno) : count;
}
int sluice_epoll_wait_ns(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns) {
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &timeout, NULL);
    if (count == -1 && (errno == ENOSYS || errno == EPERM))   // before Linux 5.11, or a filter that does not know it
        count = epoll_wait(epoll, events, capacity, (int)(timeout_ns / 1000000) + (timeout_ns % 1000000 != 0));
    if (count == -1 && errno == EINTR) count = epoll_wait(epoll, events, capacity, 0);
    return count == -1 ? (errno == EINTR ? 0 : -errno) : count;
}
int sluice_event_create(void) { return RETRY(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
int sluice_event_signal(int fd) {
    uint64_t one = 1;
    int64_t result = RETRY(write(fd, &one, sizeof one));
    return result < 0 && result != -EAGAIN ? (int)result : 0;   // EAGAIN: the counter is full, the reader will wake
}
int sluice_event_drain(int fd) {
    uint64_t count = 0;
    int64_t result = RETRY(read(fd, &count, sizeof count));
    return result < 0 && result != -EAGAIN ? (int)result : 0;
}
int sluice_poll_readable(const int *fds, int count, int timeout_ms, uint64_t *ready_mask) {
    struct pollfd entries[64];
    if (count < 0 || count > 64) return -EINVAL;
    for (int i = 0; i < count; i++) entries[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    *ready_mask = 0;
    int ready = poll(entries, (nfds_t)count, timeout_ms);
    if (ready == -1) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++)
        if (entries[i].revents) *ready_mask |= UINT64_C(1) << i;
    return ready;
}
int sluice_signal_descriptor(const int *signals, int count) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error) return -error;
    return RETRY(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}
int sluice_signal_read(int fd) {
    struct signalfd_siginfo info;
    int64_t result = RETRY(read(fd, &info, sizeof info));
    return result < 0 ? (int)result : (int)info.ssi_signo;
}
int sluice_signal_ignore(int signal_) { return signal(signal_, SIG_IGN) == SIG_ERR ? -errno : 0; }

int sluice_inotify_create(void) { return RETRY(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
int sluice_inotify_add(int fd, const char *path, uint32_t mask) { return RETRY(inotify_add_watch(fd, path, mask)); }
int sluice_inotify_remove(int fd, int watch) { return RETRY(inotify_rm_watch(fd, watch)); }

static int64_t clock_ns(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
int64_t sluice_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t sluice_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }
int64_t sluice_process_cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

int sluice_raise_descriptor_limit(uint64_t *soft) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) return -errno;
    *soft = limit.rlim_cur;
    if (limit.rlim_cur == limit.rlim_max) return 0;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) return -errno;
    *soft = limit.rlim_cur;
    return 0;
}

__thread int sluice_wipes_freed_memory;
void sluice_wipe_freed_memory(void) { sluice_wipes_freed_memory = 1; }

int sluice_forbid_core_dumps(void) {
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) == -1) return -errno;
    // A handler (core_pattern with a pipe) gets its core whatever the limit is.
    return prctl(PR_SET_DUMPABLE, 0) == -1 ? -errno : 0;
}

const char *sluice_build_commit(void) { return SLUICE_BUILD_COMMIT; }
int sluice_usable_cpus(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == -1) return (int)sysconf(_SC_NPROCESSORS_ONLN);
    return CPU_COUNT(&set);
}
int sluice_set_thread_name(const char *name) {
    char shortened[16] = {0};
    strncpy(shortened, name, sizeof shortened - 1);   // the kernel's limit, with its terminator
    return -pthread_setname_np(pthread_self(), shortened);
}

// Linux knows a niceness of each thread, though POSIX has it of processes: sched(7).
int sluice_yield_to_others(int niceness) {
    return setpriority(PRIO_PROCESS, (id_t)gettid(), niceness) == -1 ? -errno : 0;
}

int sluice_spawn(const char *path, char *const argv[], char *const envp[], int in, int out, int err, int *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, ignored;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigemptyset(&ignored);
    sigaddset(&ignored, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ignored);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (in >= 0) posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (out >= 0) posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (err >= 0) posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);   // libraries' descriptors are not all close-on-exec
    pid_t child = 0;
    int error = posix_spawnp(&child, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    *pid = child;
    return -error;
}
int sluice_set_close_on_exec(int fd) { return RETRY(fcntl(fd, F_SETFD, FD_CLOEXEC)); }
int sluice_redirect(int from, int to) { return RETRY(dup2(from, to)); }
int sluice_descriptor_inode(int fd, uint64_t *inode) {
    struct stat status;
    if (fstat(fd, &status) == -1) return -errno;
    *inode = status.st_ino;
    return 0;
}
int sluice_unlink(const char *path) { return unlink(path) == -1 ? -errno : 0; }
int sluice_change_mode(const char *path, unsigned mode) { return chmod(path, mode) == -1 ? -errno : 0; }
int sluice_kill(int pid, int signal_) { return kill(pid, signal_) == -1 ? -errno : 0; }
int sluice_wait(int pid, int no_hang, int *status) { return RETRY(waitpid(pid, status, no_hang ? WNOHANG : 0)); }

void *sluice_map_anonymous(size_t size) {
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}
int sluice_unmap(void *pages, size_t size) { return munmap(pages, size) == -1 ? -errno : 0; }

void sluice_give_back_memory(void) { malloc_trim(0); }
