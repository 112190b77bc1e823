// System calls for Swift. Every function returns a result >= 0, or -errno; EINTR is retried here (except in waits
// that take a timeout, which report it as 0 events). Nothing in here decides anything.
#ifndef SLUICE_CLINUX_H
#define SLUICE_CLINUX_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

// MARK: Descriptors
int sluice_close(int fd);
int64_t sluice_read(int fd, void *buffer, size_t count);
int64_t sluice_write(int fd, const void *buffer, size_t count);
int sluice_open(const char *path, int flags, unsigned mode);
int sluice_set_nonblocking(int fd, int on);
int sluice_is_terminal(int fd);
int sluice_dup(int fd);
int sluice_set_close_on_exec(int fd);
int sluice_redirect(int from, int to);
int sluice_descriptor_inode(int fd, uint64_t *inode);

// MARK: Directories
int sluice_list_directory(const char *path, void (*visit)(void *context, const char *name), void *context);
int64_t sluice_read_link(const char *path, void *buffer, size_t count);   // no terminator; cut to count
int64_t sluice_file_size(const char *path);
typedef struct sluice_file_status {
    uint64_t device, inode, links;
    int64_t size, modified_ns, changed_ns;
    uint32_t mode;
} sluice_file_status_t;
int sluice_unlink(const char *path);
int sluice_change_mode(const char *path, unsigned mode);
int sluice_file_status(const char *path, int follow, sluice_file_status_t *status);

// MARK: Sockets
int sluice_socket(int domain, int type, int protocol);      // adds SOCK_CLOEXEC | SOCK_NONBLOCK
struct sluice_peer_silence {        // TCP_INFO
    unsigned in_flight;             // segments sent and not acknowledged
    unsigned timeouts;              // of the first of them, one after another
    unsigned probes;                // of a closed window or an idle connection, since something was heard
    unsigned quiet_ms;              // since the last acknowledgement, that of a probe too
};
int sluice_bind(int fd, const struct sockaddr *address, socklen_t length);
int sluice_listen(int fd, int backlog);
int sluice_accept(int fd, struct sockaddr_storage *peer, socklen_t *length);   // non-blocking, close-on-exec
int sluice_connect(int fd, const struct sockaddr *address, socklen_t length);  // -EINPROGRESS is ordinary
int sluice_shutdown_write(int fd);
int sluice_shutdown_both(int fd);
int sluice_getsockname(int fd, struct sockaddr_storage *address, socklen_t *length);
int sluice_socket_error(int fd);                            // SO_ERROR as a positive errno, or 0
int sluice_set_option(int fd, int level, int name, int value);
int sluice_get_option(int fd, int level, int name, int *value);
int sluice_peer_silence(int fd, struct sluice_peer_silence *silence);          // of a TCP socket
int sluice_set_linger_reset(int fd);                        // close() will send RST
int64_t sluice_recv(int fd, void *buffer, size_t count, int flags);
int64_t sluice_send(int fd, const void *buffer, size_t count, int flags);      // adds MSG_NOSIGNAL

int sluice_local_addresses(struct sockaddr_storage *addresses, int capacity);  // of interfaces that are up; how many

// MARK: Unix sockets and their messages
#define SLUICE_MESSAGE_DESCRIPTORS 253                      // what the kernel takes in one message (SCM_MAX_FD)
int sluice_unix_address(const char *path, struct sockaddr_un *address, socklen_t *length);   // '@': abstract
int sluice_socket_pair(int type, int fds[2]);               // non-blocking, close-on-exec
int sluice_peer(int fd, int *pid, unsigned *uid);           // who connected, or made the pair
int64_t sluice_send_descriptors(int fd, const void *bytes, size_t count, const int *descriptors, int number);
// Room for SLUICE_MESSAGE_DESCRIPTORS. Close-on-exec; -EMSGSIZE, and none, where something was cut.
int64_t sluice_receive_descriptors(int fd, void *bytes, size_t capacity, int *descriptors, int *number);

// MARK: Splice and pipes
int sluice_pipe(int fds[2]);                                // non-blocking, close-on-exec
int64_t sluice_pipe_set_size(int fd, int64_t size);         // the size the kernel gave
int64_t sluice_splice(int from, int to, size_t count);      // SPLICE_F_MOVE | SPLICE_F_NONBLOCK

// MARK: Waiting
int sluice_epoll_create(void);
int sluice_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token);
int sluice_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);   // EINTR: 0
int sluice_epoll_wait_ns(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns);   // >= 0, at most a day
int sluice_event_create(void);
int sluice_event_signal(int fd);
int sluice_event_drain(int fd);
int sluice_poll_readable(const int *fds, int count, int timeout_ms, uint64_t *ready_mask);    // EINTR: 0
int sluice_signal_descriptor(const int *signals, int count);   // blocks them in the caller's thread and its children
int sluice_signal_read(int fd);                                // the signal's number
int sluice_signal_ignore(int signal);

// MARK: Inotify
int sluice_inotify_create(void);
int sluice_inotify_add(int fd, const char *path, uint32_t mask);
int sluice_inotify_remove(int fd, int watch);

// MARK: Process
const char *sluice_build_commit(void);                      // of the source tree; "unknown" where the build did not say
int64_t sluice_monotonic_ns(void);
int64_t sluice_realtime_ns(void);
int64_t sluice_process_cpu_ns(void);

// MARK: Keys in memory
// From here on this thread zeroes what it frees, in programs that are linked with CHeap.
extern __thread int sluice_wipes_freed_memory;
void sluice_wipe_freed_memory(void);
int sluice_forbid_core_dumps(void);                         // no core file, no core for a handler, no tracing by the same user

int sluice_raise_descriptor_limit(uint64_t *soft);          // soft := hard; writes what holds now
int sluice_usable_cpus(void);                               // sched_getaffinity
int sluice_set_thread_name(const char *name);
int sluice_yield_to_others(int niceness);                   // the calling thread only; 1-19
int sluice_spawn(const char *path, char *const argv[], char *const envp[], int in, int out, int err, int *pid);
int sluice_kill(int pid, int signal);
int sluice_wait(int pid, int no_hang, int *status);         // 0 while it runs, else the pid
void *sluice_map_anonymous(size_t size);                    // zeroed, not reserved; NULL when refused
int sluice_unmap(void *pages, size_t size);
void sluice_give_back_memory(void);

#endif
