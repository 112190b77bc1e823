// A transfer both ways at once over one connection, hashed at both ends, with half-close: the client ends its direction
// when its bytes are sent; the server keeps the last part of its own back until it has seen that end, so that a proxy
// which treats one end as both loses bytes. Each end prints what it sent and what it received. The client's first eight
// bytes say how many bytes each end is to send; they are not among those counted and hashed.
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "run.h"

enum { CHUNK = 64 * 1024, KEPT_BACK = 1 << 20, HEADER = sizeof(uint64_t) };

struct transfer {
    EVP_MD_CTX *sent_hash, *received_hash;
    uint64_t size;         // what each end sends
    unsigned header_done;  // bytes of the header sent or received
    uint64_t sent, made, received, random;
    bool ended_ours, ended_theirs;
    uint8_t chunk[CHUNK];  // made, hashed, and sent up to `sent`
};

static const struct options *options;
static bool finished;

static EVP_MD_CTX *new_hash(void) {
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) fail("no SHA-256");
    return hash;
}

static void opened(struct connection *connection) {
    struct transfer *transfer = state_of(connection);
    transfer->sent_hash = new_hash();
    transfer->received_hash = new_hash();
    if (RAND_bytes((uint8_t *)&transfer->random, sizeof transfer->random) != 1) fail("no random seed");
    if (!options->listens) transfer->size = options->bytes;
    loop_wait_for(connection, options->listens ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

static void make_chunk(struct transfer *transfer) {
    uint64_t words[CHUNK / sizeof(uint64_t)], state = transfer->random;
    for (unsigned index = 0; index < sizeof words / sizeof *words; index++) {
        state += 0x9e3779b97f4a7c15;  // splitmix64
        uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
        words[index] = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    }
    transfer->random = state;
    uint64_t left = transfer->size - transfer->made;
    size_t size = left < CHUNK ? (size_t)left : CHUNK;
    memcpy(transfer->chunk, words, size);
    EVP_DigestUpdate(transfer->sent_hash, transfer->chunk, size);
    transfer->made += size;
}

// Where sending has to stop for now.
static uint64_t limit(const struct transfer *transfer) {
    bool keep_back = options->listens && !transfer->ended_theirs;
    if (!keep_back) return transfer->size;
    return transfer->size > KEPT_BACK ? transfer->size - KEPT_BACK : 0;
}

static void send_header(struct connection *connection, struct transfer *transfer) {
    const uint8_t *bytes = (const uint8_t *)&transfer->size + transfer->header_done;
    ssize_t sent = stream_write(&connection->stream, bytes, HEADER - transfer->header_done);
    if (sent == STREAM_FAILED) fail("sending the header: %s", stream_problem(&connection->stream));
    if (sent > 0) transfer->header_done += (unsigned)sent;
}

static void send_some(struct connection *connection, struct transfer *transfer) {
    if (!options->listens && transfer->header_done < HEADER) return send_header(connection, transfer);
    if (transfer->sent < limit(transfer)) {
        if (transfer->sent == transfer->made) make_chunk(transfer);
        uint64_t left = transfer->made - transfer->sent;
        uint64_t offset = transfer->sent % CHUNK;
        ssize_t sent = stream_write(&connection->stream, transfer->chunk + offset, left);
        if (sent == STREAM_FAILED)
            fail("sending after %" PRIu64 " bytes: %s", transfer->sent, stream_problem(&connection->stream));
        if (sent > 0) transfer->sent += (uint64_t)sent;
    }
    if (transfer->sent < transfer->size || transfer->ended_ours) return;
    int result = stream_end(&connection->stream);
    if (result == STREAM_FAILED) fail("half-close: %s", stream_problem(&connection->stream));
    transfer->ended_ours = result == 1;
}

// Takes what is missing of the header from the front of what was received; returns how many bytes that were.
static size_t receive_header(struct transfer *transfer, const uint8_t *bytes, size_t size) {
    size_t missing = options->listens ? HEADER - transfer->header_done : 0;
    size_t taken = size < missing ? size : missing;
    memcpy((uint8_t *)&transfer->size + transfer->header_done, bytes, taken);
    transfer->header_done += (unsigned)taken;
    return taken;
}

static void receive_some(struct connection *connection, struct transfer *transfer) {
    static uint8_t buffer[CHUNK];
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_FAILED)
        fail("receiving after %" PRIu64 " bytes: %s", transfer->received, stream_problem(&connection->stream));
    if (size == STREAM_END) transfer->ended_theirs = true;
    if (size <= 0) return;
    size_t header = receive_header(transfer, buffer, (size_t)size), payload = (size_t)size - header;
    EVP_DigestUpdate(transfer->received_hash, buffer + header, payload);
    transfer->received += payload;
}

// The hash in hexadecimal; frees it.
static const char *finish_hash(EVP_MD_CTX *hash, char *text) {
    uint8_t digest[32];
    EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    for (unsigned index = 0; index < sizeof digest; index++) sprintf(text + 2 * index, "%02x", digest[index]);
    return text;
}

static void report(struct connection *connection, struct transfer *transfer) {
    char sent[65], received[65];
    gate(false, "{\"sent\": %" PRIu64 ", \"sent_sha256\": \"%s\", \"received\": %" PRIu64 ", \"received_sha256\": \"%s\", "
         "\"seconds\": %.3f}", transfer->sent, finish_hash(transfer->sent_hash, sent), transfer->received,
         finish_hash(transfer->received_hash, received), (double)(now_ns() - connection->started_ns) / 1e9);
    loop_close(connection);
    finished = true;
}

static void ready(struct connection *connection, uint32_t events) {
    struct transfer *transfer = state_of(connection);
    if (events & ~(uint32_t)EPOLLOUT && !transfer->ended_theirs) receive_some(connection, transfer);
    bool may_send = !options->listens || transfer->header_done == HEADER;
    if (transfer->ended_theirs && !may_send) fail("the client ended without saying how much to send");
    if (may_send && !transfer->ended_ours) send_some(connection, transfer);
    if (transfer->ended_ours && transfer->ended_theirs) return report(connection, transfer);
    bool sends = may_send && !transfer->ended_ours &&
                 (transfer->sent < limit(transfer) || transfer->sent == transfer->size);
    loop_wait_for(connection, (transfer->ended_theirs ? 0 : EPOLLIN) | (sends ? EPOLLOUT : 0));
}

static const struct handler handler = {sizeof(struct transfer), opened, ready};

void serve_transfer(const struct options *given) {
    options = given;
    for (loop_listen(&handler);;) loop_turn(UINT64_MAX);
}

void run_transfer(const struct options *given) {
    options = given;
    loop_connect(&handler);
    while (!finished) loop_turn(UINT64_MAX);
}
