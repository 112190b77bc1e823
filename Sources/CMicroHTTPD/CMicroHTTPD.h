// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_CMICROHTTPD_H
#define SLUICE_CMICROHTTPD_H

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct sluice_mhd_options {
    int listen_socket;                  // closed by the daemon when it stops, unless it was quiesced
    unsigned int connection_limit;
    unsigned int idle_timeout_seconds;
    size_t connection_memory_bytes;     // request line and header fields must fit
    MHD_AccessHandlerCallback handler;
    MHD_NotifyConnectionCallback notify;
    void (*log)(void *context, const char *message);
    void *context;                      // for all three
};

struct sluice_mhd_log {
    void (*log)(void *context, const char *message);
    void *context;
};

static inline void sluice_mhd_format(void *closure, const char *format, va_list arguments) {
    const struct sluice_mhd_log *target = (const struct sluice_mhd_log *)closure;
    char message[512];
    vsnprintf(message, sizeof message, format, arguments);
    target->log(target->context, message);
}

// A daemon without a thread: the caller polls sluice_mhd_epoll_descriptor and calls MHD_run. `log` must outlive it.
// 0, or -errno.
static inline int sluice_mhd_start(
    const struct sluice_mhd_options *options, struct sluice_mhd_log *log, struct MHD_Daemon **daemon) {
    log->log = options->log;
    log->context = options->context;
    errno = 0;
    *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, options->handler, options->context,
        MHD_OPTION_EXTERNAL_LOGGER, sluice_mhd_format, (void *)log,
        MHD_OPTION_LISTEN_SOCKET, options->listen_socket,
        MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory_bytes,
        MHD_OPTION_NOTIFY_CONNECTION, options->notify, options->context,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
    if (*daemon) return 0;
    return errno ? -errno : -ENOMEM;
}

static inline int sluice_mhd_epoll_descriptor(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

static inline int sluice_mhd_connection_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// Milliseconds until the daemon must run although no descriptor is ready; -1: none.
static inline int64_t sluice_mhd_timeout(struct MHD_Daemon *daemon) {
    MHD_UNSIGNED_LONG_LONG timeout = 0;
    if (MHD_get_timeout(daemon, &timeout) != MHD_YES) return -1;
    return timeout > INT64_MAX ? INT64_MAX : (int64_t)timeout;
}

#endif
