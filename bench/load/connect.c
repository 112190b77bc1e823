// New connections: connect, send one message, receive it back, close. --connections are under way at a time. With --rate an
// open loop instead: connection k begins at start + k / rate, however many wait for their answers.
#include <inttypes.h>

#include "ask.h"
#include "histogram.h"
#include "modes.h"
#include "run.h"
#include "tls_client.h"

static const struct options *options;
static uint64_t begun, done;

static void opened(struct connection *connection) { ask_send(connection, state_of(connection)); }

static void ready(struct connection *connection, uint32_t events);
static const struct handler handler = {sizeof(struct ask), opened, ready};

static void begin(void) {
    begun++;
    loop_connect(&handler);
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    if (!ask_answered(connection, state_of(connection))) return;
    histogram_add(now_ns() - connection->started_ns);
    stream_end(&connection->stream);  // over TLS a close_notify, so that the proxy sees a clean end
    loop_close(connection);
    done++;
    if (begun < options->count && !options->rate) begin();
}

static void keep_pace(uint64_t start) {
    for (uint64_t paced = 0; begun < options->count; paced++) {
        uint64_t due = start + (uint64_t)((double)paced * 1e9 / options->rate), now;
        while ((now = now_ns()) < due) loop_turn(due - now);
        begin();
    }
}

void run_connect(const struct options *given) {
    options = given;
    ask_prepare(options);
    // The first by itself, where it has to bring the session that the others resume.
    begin();
    while (!done && !tls_client_may_resume()) loop_turn(UINT64_MAX);
    if (!tls_client_may_resume()) fail("the server gave no session to resume");
    uint64_t start = now_ns(), before = done;
    if (options->rate)
        keep_pace(start);
    else
        while (begun - done < options->connections && begun < options->count) begin();
    while (done < options->count) loop_turn(UINT64_MAX);
    double elapsed = (double)(now_ns() - start) / 1e9;
    gate(options->gated, "{\"connections\": %" PRIu64 ", \"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
         "\"p999_us\": %.1f, \"tls\": %s}", done, (double)(done - before) / elapsed,
         histogram_percentile(0.5), histogram_percentile(0.99), histogram_percentile(0.999), tls_client_summary());
}
