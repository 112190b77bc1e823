// What Swift sees of the library, and shims for what it cannot import (macros, option masks, structures of other headers).
// No policy. Every sluice_ares_* that can fail returns a value >= 0, or the negated ARES_ status.
#ifndef SLUICE_CCARES_H
#define SLUICE_CCARES_H

// 1.28 and later call the functions deprecated whose successors Debian 12's 1.18 does not have.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

// Statuses as numbers: macros up to c-ares 1.27, of an enumeration from then on.
static const int SLUICE_ARES_ENODATA = ARES_ENODATA;
static const int SLUICE_ARES_ENOTFOUND = ARES_ENOTFOUND;
static const int SLUICE_ARES_ECONNREFUSED = ARES_ECONNREFUSED;
static const int SLUICE_ARES_ETIMEOUT = ARES_ETIMEOUT;

// Once in a process, before anything else.
static inline int sluice_ares_start(void) { return -ares_library_init(ARES_LIB_INIT_ALL); }

// A channel for absolute names. servers: "address:port,…", or NULL for those of /etc/resolv.conf.
static inline int sluice_ares_open(
    ares_channel *channel, const char *servers, int timeout_ms, int tries,
    void (*socket_state)(void *data, int socket, int readable, int writable), void *data) {
    struct ares_options options;
    memset(&options, 0, sizeof options);
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_EDNS;
    options.ednspsz = 1232;
    options.timeout = timeout_ms;
    options.tries = tries;
    options.sock_state_cb = socket_state;
    options.sock_state_cb_data = data;
    int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(channel, &options, mask);
    if (status != ARES_SUCCESS) return -status;
    if (!servers) return 0;
    status = ares_set_servers_ports_csv(*channel, servers);
    if (status == ARES_SUCCESS) return 0;
    ares_destroy(*channel);
    return -status;
}

// Milliseconds until the channel wants to be processed, at most `most`; `most` when it wants nothing.
static inline int sluice_ares_timeout(ares_channel channel, int most) {
    struct timeval limit = {most / 1000, most % 1000 * 1000}, own;
    struct timeval *next = ares_timeout(channel, &limit, &own);
    return next ? (int)(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000) : most;
}

static inline void sluice_ares_process(ares_channel channel, int readable, int writable) {
    ares_process_fd(channel, readable, writable);
}
static inline void sluice_ares_process_timeouts(ares_channel channel) {
    ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

// type: of the records that are asked for, such as 1 (A), 28 (AAAA), 33 (SRV).
static inline void sluice_ares_query(
    ares_channel channel, const char *name, int type,
    void (*done)(void *data, int status, int timeouts, unsigned char *answer, int length), void *data) {
    ares_query(channel, name, 1 /* IN */, type, done, data);
}

// Addresses of an answer with their TTLs (a CNAME's where that is less): their count, or a negated status. Those beyond
// `capacity` are left out.
static inline int sluice_ares_parse_v4(
    const unsigned char *answer, int length, uint32_t *addresses, int *ttls, int capacity) {
    struct ares_addrttl *found = calloc((size_t)capacity + 1, sizeof *found);
    if (!found) return -ARES_ENOMEM;
    int count = capacity;
    int status = ares_parse_a_reply(answer, length, NULL, found, &count);
    for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
        addresses[i] = ntohl(found[i].ipaddr.s_addr);
        ttls[i] = found[i].ttl;
    }
    free(found);
    return status == ARES_SUCCESS ? count : -status;
}

// As above; sixteen bytes for each address.
static inline int sluice_ares_parse_v6(
    const unsigned char *answer, int length, uint8_t *addresses, int *ttls, int capacity) {
    struct ares_addr6ttl *found = calloc((size_t)capacity + 1, sizeof *found);
    if (!found) return -ARES_ENOMEM;
    int count = capacity;
    int status = ares_parse_aaaa_reply(answer, length, NULL, found, &count);
    for (int i = 0; status == ARES_SUCCESS && i < count; i++) {
        memcpy(addresses + 16 * i, &found[i].ip6addr, 16);
        ttls[i] = found[i].ttl;
    }
    free(found);
    return status == ARES_SUCCESS ? count : -status;
}

// Calls `each` for every SRV record; the host is without final dot, and empty for the root. 0, or a negated status. Their TTLs
// are not told.
static inline int sluice_ares_parse_srv(
    const unsigned char *answer, int length,
    void (*each)(void *data, const char *host, uint16_t priority, uint16_t weight, uint16_t port), void *data) {
    struct ares_srv_reply *first = NULL;
    int status = ares_parse_srv_reply(answer, length, &first);
    if (status != ARES_SUCCESS) return -status;
    for (struct ares_srv_reply *record = first; record; record = record->next)
        each(data, record->host, record->priority, record->weight, record->port);
    if (first) ares_free_data(first);
    return 0;
}

#endif
