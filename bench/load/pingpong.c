// Requests and answers over connections that stay open.
//
// Without --rate a closed loop: each connection asks again as soon as it was answered; that gives the cost per round
// trip, and its latencies are those of a saturated system. With --rate an open loop: request k is due at start + k / rate
// on connection k modulo --connections, and its latency counts from when it was due, not from when a late
// predecessor let it be sent, so that a stall is charged to every request that it held up.
#include <inttypes.h>
#include <stdlib.h>

#include "ask.h"
#include "histogram.h"
#include "modes.h"
#include "run.h"

struct ping {
    struct ask ask;
    uint64_t request;  // the number of the request under way, or the next one
    uint64_t due_ns;
};

static const struct options *options;
static struct connection **all;
static unsigned opened_count;
static uint64_t start_ns, end_ns;

static struct ping *ping_of(struct connection *connection) { return state_of(connection); }

static bool waiting(const struct ping *ping) { return ping->ask.size; }

static uint64_t due(uint64_t request) {
    return options->rate > 0 ? start_ns + (uint64_t)((double)request * 1e9 / options->rate) : now_ns();
}

static void send_request(struct connection *connection) {
    struct ping *ping = ping_of(connection);
    ping->due_ns = due(ping->request);
    ask_send(connection, &ping->ask);
}

static void opened(struct connection *connection) {
    ping_of(connection)->request = opened_count;
    all[opened_count++] = connection;
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    struct ping *ping = ping_of(connection);
    if (!ask_answered(connection, &ping->ask)) return;
    uint64_t now = now_ns();
    histogram_add(now - ping->due_ns);
    ping->request += options->connections;
    if (now < end_ns && (!options->rate || due(ping->request) <= now)) send_request(connection);
}

// Sends what has become due on idle connections; returns when the next request is due.
static uint64_t send_due(uint64_t *next) {
    for (; due(*next) <= now_ns() && now_ns() < end_ns; ++*next) {
        struct connection *connection = all[*next % options->connections];
        struct ping *ping = ping_of(connection);
        if (!waiting(ping) && ping->request == *next) send_request(connection);
    }
    return due(*next);
}

static bool any_waiting(void) {
    for (unsigned index = 0; index < options->connections; index++)
        if (waiting(ping_of(all[index]))) return true;
    return false;
}

static void measure(void) {
    start_ns = now_ns();
    end_ns = start_ns + (uint64_t)(options->seconds * 1e9);
    uint64_t next = 0;
    if (!options->rate)
        for (unsigned index = 0; index < options->connections; index++) send_request(all[index]);
    while (now_ns() < end_ns) {
        uint64_t until = options->rate > 0 ? send_due(&next) : end_ns, now = now_ns();
        loop_turn(until > now ? until - now : 0);
    }
    while (any_waiting()) loop_turn(UINT64_MAX);
}

void run_pingpong(const struct options *given) {
    static const struct handler handler = {sizeof(struct ping), opened, ready};
    options = given;
    ask_prepare(options);
    all = calloc(options->connections, sizeof *all);
    if (!all) fail("out of memory");
    for (unsigned index = 0; index < options->connections; index++) loop_connect(&handler);
    while (opened_count < options->connections) loop_turn(UINT64_MAX);
    // One round before anything is counted: the proxy has reached its backend on every connection.
    end_ns = 0;
    for (unsigned index = 0; index < options->connections; index++) send_request(all[index]);
    while (any_waiting()) loop_turn(UINT64_MAX);
    for (unsigned index = 0; index < options->connections; index++) ping_of(all[index])->request = index;
    histogram_clear();
    if (!gate(options->gated, "{\"ready\": %u}", options->connections)) return;
    measure();
    gate(options->gated, "{\"round_trips\": %" PRIu64 ", \"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
         "\"p999_us\": %.1f, \"max_us\": %.1f}", histogram_count(), (double)histogram_count() / options->seconds,
         histogram_percentile(0.5), histogram_percentile(0.99), histogram_percentile(0.999), histogram_percentile(1));
}
