// What Swift sees of the library, and shims for what it cannot import (variadics). Handles are `void *` here, because
// their type depends on the version. No policy.
#ifndef SLUICE_CCURL_H
#define SLUICE_CCURL_H

#include <curl/curl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static inline int sluice_curl_global(void) { return (int)curl_global_init(CURL_GLOBAL_DEFAULT); }

// One request ------------------------------------------------------------------------------------------------------

static inline void *sluice_easy_create(void) { return (void *)curl_easy_init(); }
static inline void sluice_easy_destroy(void *easy) { curl_easy_cleanup((CURL *)easy); }

static inline CURLcode sluice_easy_set_long(void *easy, CURLoption option, long value) {
    return curl_easy_setopt((CURL *)easy, option, value);
}
static inline CURLcode sluice_easy_set_size(void *easy, CURLoption option, int64_t value) {
    return curl_easy_setopt((CURL *)easy, option, (curl_off_t)value);
}
static inline CURLcode sluice_easy_set_text(void *easy, CURLoption option, const char *value) {
    return curl_easy_setopt((CURL *)easy, option, value);
}
static inline CURLcode sluice_easy_set_pointer(void *easy, CURLoption option, const void *value) {
    return curl_easy_setopt((CURL *)easy, option, value);
}
// The bytes are copied.
static inline CURLcode sluice_easy_set_blob(void *easy, CURLoption option, const void *data, size_t length) {
    struct curl_blob blob = {(void *)data, length, CURL_BLOB_COPY};
    return curl_easy_setopt((CURL *)easy, option, &blob);
}
// Body and header lines go to the callbacks with `context`.
static inline CURLcode sluice_easy_set_receivers(
    void *easy, curl_write_callback body, curl_write_callback header, void *context) {
    CURLcode code = curl_easy_setopt((CURL *)easy, CURLOPT_WRITEFUNCTION, body);
    if (code == CURLE_OK) code = curl_easy_setopt((CURL *)easy, CURLOPT_WRITEDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt((CURL *)easy, CURLOPT_HEADERFUNCTION, header);
    if (code == CURLE_OK) code = curl_easy_setopt((CURL *)easy, CURLOPT_HEADERDATA, context);
    if (code == CURLE_OK) code = curl_easy_setopt((CURL *)easy, CURLOPT_PRIVATE, context);
    return code;
}

// Sockets are close-on-exec; what was sent and stays unacknowledged for `context` milliseconds ends the connection.
static inline curl_socket_t sluice_curl_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0 && (address->family == AF_INET || address->family == AF_INET6)) {
        unsigned milliseconds = (unsigned)(uintptr_t)context;
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    }
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}
static inline CURLcode sluice_easy_set_sockets(void *easy, unsigned user_timeout_milliseconds) {
    CURLcode code = curl_easy_setopt((CURL *)easy, CURLOPT_OPENSOCKETFUNCTION, sluice_curl_open_socket);
    if (code == CURLE_OK)
        code = curl_easy_setopt(
            (CURL *)easy, CURLOPT_OPENSOCKETDATA, (void *)(uintptr_t)user_timeout_milliseconds);
    return code;
}

static inline void *sluice_easy_context(void *easy) {
    char *context = NULL;
    return curl_easy_getinfo((CURL *)easy, CURLINFO_PRIVATE, &context) == CURLE_OK ? (void *)context : NULL;
}
static inline long sluice_easy_long(void *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo((CURL *)easy, info, &value) == CURLE_OK ? value : 0;
}
static inline int64_t sluice_easy_size(void *easy, CURLINFO info) {
    curl_off_t value = 0;
    return curl_easy_getinfo((CURL *)easy, info, &value) == CURLE_OK ? (int64_t)value : 0;
}

// libcurl 7.88 wakes itself by a socket pair that started programs would inherit: makes `fd` close-on-exec if it is an
// end of a pair that this process made.
static inline void sluice_curl_mark_pair(int fd) {
    struct sockaddr_un name;
    struct { pid_t pid; uid_t uid; gid_t gid; } peer;   // struct ucred, which the headers hide
    socklen_t length = sizeof name, size = sizeof peer;
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC)) return;
    if (getpeername(fd, (struct sockaddr *)&name, &length) != 0) return;
    if (name.sun_family != AF_UNIX || length > sizeof(sa_family_t)) return;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid != getpid()) return;
    fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

// Requests that share connections ----------------------------------------------------------------------------------

typedef int (*sluice_curl_socket)(void *easy, curl_socket_t descriptor, int what, void *context, void *own);
typedef int (*sluice_curl_timer)(void *multi, long milliseconds, void *context);

static inline void *sluice_multi_create(sluice_curl_socket socket, sluice_curl_timer timer, void *context) {
    CURLM *multi = curl_multi_init();
    if (!multi) return NULL;
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer);
    if (code == CURLM_OK) code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    if (code == CURLM_OK) return (void *)multi;
    curl_multi_cleanup(multi);
    return NULL;
}
static inline CURLMcode sluice_multi_set_long(void *multi, CURLMoption option, long value) {
    return curl_multi_setopt((CURLM *)multi, option, value);
}
static inline void sluice_multi_destroy(void *multi) { curl_multi_cleanup((CURLM *)multi); }
static inline CURLMcode sluice_multi_add(void *multi, void *easy) {
    return curl_multi_add_handle((CURLM *)multi, (CURL *)easy);
}
static inline CURLMcode sluice_multi_remove(void *multi, void *easy) {
    return curl_multi_remove_handle((CURLM *)multi, (CURL *)easy);
}
// `descriptor` CURL_SOCKET_TIMEOUT: the timer has run out. libcurl looks for itself what is ready.
static inline CURLMcode sluice_multi_act(void *multi, curl_socket_t descriptor) {
    int running = 0;
    return curl_multi_socket_action((CURLM *)multi, descriptor, 0, &running);
}
// The next request that has ended, with its result; NULL: none.
static inline void *sluice_multi_ended(void *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read((CURLM *)multi, &left))) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return (void *)message->easy_handle;
    }
    return NULL;
}

#endif
