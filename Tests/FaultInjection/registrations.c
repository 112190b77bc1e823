// What epoll was asked to report, by descriptor: a claim that there is nothing has to be followed by an edge.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 1 << 16, PLACES = 2 };

struct registration { int epoll; uint32_t events; uint64_t token; };

// A descriptor stands in two for a moment, while it moves from one to the other.
static struct registration table[DESCRIPTORS][PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void faults_note_registration(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    if (fd < 0 || fd >= DESCRIPTORS) return;
    pthread_mutex_lock(&lock);
    struct registration *place = NULL;
    for (int index = 0; index < PLACES; index++)
        if (table[fd][index].epoll == epoll) place = &table[fd][index];
    for (int index = 0; !place && index < PLACES; index++)
        if (table[fd][index].epoll == 0) place = &table[fd][index];
    if (place && operation == EPOLL_CTL_DEL && place->epoll == epoll) *place = (struct registration){0};
    if (place && operation != EPOLL_CTL_DEL)
        *place = (struct registration){.epoll = epoll, .events = events, .token = token};
    pthread_mutex_unlock(&lock);
}

void faults_forget_descriptor(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS) return;
    pthread_mutex_lock(&lock);
    for (int index = 0; index < PLACES; index++) table[fd][index] = (struct registration){0};
    pthread_mutex_unlock(&lock);
}

void faults_rearm(int fd) {
    if (fd < 0 || fd >= DESCRIPTORS) return;
    int error = errno;
    pthread_mutex_lock(&lock);
    for (int index = 0; index < PLACES; index++) {
        struct registration *place = &table[fd][index];
        struct epoll_event event = {.events = place->events, .data.u64 = place->token};
        if (place->epoll > 0) syscall(SYS_epoll_ctl, place->epoll, EPOLL_CTL_MOD, fd, &event);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}
