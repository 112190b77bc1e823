#include "loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

static const struct options *options;
static SSL_CTX *context;
static int epoll = -1, listener = -1;
static const struct handler *accepting;
static uint64_t deadline_ns;

void loop_start(const struct options *given) {
    options = given;
    context = stream_context(given);
    deadline_ns = given->deadline > 0 ? now_ns() + (uint64_t)(given->deadline * 1e9) : UINT64_MAX;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) fail("epoll_create1: %s", strerror(errno));
}

static void set_option(int fd, int level, int name) {
    int on = 1;
    if (setsockopt(fd, level, name, &on, sizeof on)) fail("setsockopt %d/%d: %s", level, name, strerror(errno));
}

static struct connection *add(int fd, const struct handler *handler, uint32_t events) {
    struct connection *connection = calloc(1, sizeof *connection + handler->state_size);
    if (!connection) fail("out of memory");
    connection->stream.fd = fd;
    connection->handler = handler;
    connection->waiting_for = events;
    connection->started_ns = now_ns();
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl: %s", strerror(errno));
    return connection;
}

// Every address is every loopback address: nobody else is served.
static void stay_at_home(int fd) {
    const struct sockaddr_in *address = (const struct sockaddr_in *)&options->address;
    if (address->sin_family != AF_INET || address->sin_addr.s_addr != htonl(INADDR_ANY)) return;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) fail("bind to device lo: %s", strerror(errno));
}

void loop_listen(const struct handler *handler) {
    accepting = handler;
    listener = socket(options->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket: %s", strerror(errno));
    set_option(listener, SOL_SOCKET, SO_REUSEADDR);
    stay_at_home(listener);
    set_option(listener, IPPROTO_TCP, TCP_NODELAY);  // inherited by what is accepted
    if (bind(listener, (const struct sockaddr *)&options->address, options->address_length) || listen(listener, 4096))
        fail("bind and listen: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event)) fail("epoll_ctl: %s", strerror(errno));
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    getsockname(listener, (struct sockaddr *)&bound, &length);
    gate(false, "{\"port\": %d}", ntohs(((struct sockaddr_in *)&bound)->sin_port));  // same place in sockaddr_in6
}

// Loopback clients come from 127.0.0.2 to .17 in turn: one source address has ports for 28,000 connections only.
static void choose_source(int fd) {
    static unsigned turn;
    struct sockaddr_in *to = (struct sockaddr_in *)&options->address;
    if (to->sin_family != AF_INET || ntohl(to->sin_addr.s_addr) >> 24 != 127) return;
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + turn++ % 16)};
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (bind(fd, (struct sockaddr *)&from, sizeof from)) fail("bind source: %s", strerror(errno));
}

void loop_connect(const struct handler *handler) {
    int fd = socket(options->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket: %s", strerror(errno));
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    choose_source(fd);
    if (connect(fd, (const struct sockaddr *)&options->address, options->address_length) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    add(fd, handler, EPOLLOUT)->phase = CONNECTING;
}

void loop_wait_for(struct connection *connection, uint32_t events) {
    if (connection->waiting_for == events) return;
    connection->waiting_for = events;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->stream.fd, &event)) fail("epoll_ctl: %s", strerror(errno));
}

void loop_close(struct connection *connection) {
    stream_close(&connection->stream);
    free(connection);
}

static void open_connection(struct connection *connection) {
    connection->phase = OPEN;
    loop_wait_for(connection, EPOLLIN);
    connection->handler->opened(connection);
}

static void begin(struct connection *connection) {
    if (!context) return open_connection(connection);
    connection->phase = HANDSHAKING;
    connection->stream.ssl =
        stream_begin_tls(context, connection->stream.fd, listener < 0 ? options->server_name : NULL);
    loop_wait_for(connection, listener < 0 ? EPOLLOUT : EPOLLIN);
}

// A client that fails ends the run; a server outlives clients that went away in the middle of a handshake.
static void give_up(struct connection *connection, const char *what, const char *why) {
    if (listener < 0) fail("%s: %s", what, why);
    loop_close(connection);
}

static void shake_hands(struct connection *connection) {
    uint32_t wanted;
    int result = stream_handshake(&connection->stream, &wanted);
    if (result == STREAM_FAILED)
        give_up(connection, "TLS handshake", stream_problem(&connection->stream));
    else if (result == STREAM_AGAIN)
        loop_wait_for(connection, wanted);
    else
        open_connection(connection);
}

static void finish_connecting(struct connection *connection) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->stream.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) fail("connect: %s", strerror(error));
    begin(connection);
}

static void accept_some(void) {
    for (int taken = 0; taken < 64; taken++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)) return;
        if (fd < 0) fail("accept: %s", strerror(errno));
        begin(add(fd, accepting, EPOLLIN));
    }
}

static void handle(struct connection *connection, uint32_t events) {
    switch (connection->phase) {
    case CONNECTING: return finish_connecting(connection);
    case HANDSHAKING: return shake_hands(connection);
    case OPEN: return connection->handler->ready(connection, events);
    }
}

void loop_turn(uint64_t timeout_ns) {
    struct epoll_event events[256];
    uint64_t now = now_ns();
    if (now >= deadline_ns) fail("%s is not done after %.0f s", options->mode, options->deadline);
    if (timeout_ns > deadline_ns - now) timeout_ns = deadline_ns - now;
    struct timespec timeout = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
    int count = epoll_pwait2(epoll, events, 256, &timeout, NULL);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int index = 0; index < count; index++) {
        if (events[index].data.ptr)
            handle(events[index].data.ptr, events[index].events);
        else
            accept_some();
    }
}
