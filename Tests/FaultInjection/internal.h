// What the functions that stand in ask before they make their call.
#ifndef FAULTS_INTERNAL_H
#define FAULTS_INTERNAL_H

#include "CFaults.h"

#define NUMBER(name) CALL_##name,
enum call { FAULTS_CALLS(NUMBER) CALL_COUNT };
#undef NUMBER

/// 0: nothing fails; else an errno or FAULTS_PARTIAL. `fd` -1: the call is about none. `operation` -1: it has none.
int faults_due(enum call call, int fd, int operation);

/// Neither a socket nor a pipe nor a file: of what is written to only eventfds are left.
int faults_is_eventfd(int fd);

/// A share of `count`, at least 1, less than it where it is more than 1.
size_t faults_part(size_t count);

/// Notes what epoll reports of a descriptor, so that faults_rearm can ask for it once more.
void faults_note_registration(int epoll, int operation, int fd, uint32_t events, uint64_t token);
void faults_forget_descriptor(int fd);
/// A call on `fd` claimed that there is nothing, or less than there is. Only the edge that follows such an answer in the kernel,
/// too, tells the caller to try again: this makes one.
void faults_rearm(int fd);

#endif
