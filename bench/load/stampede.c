// Connections that are all opened at once, each with one message. Latencies count from the moment at which all were
// due, until the answer; a connection that is refused or reset is a failure. All stay open until the gate lets them go.
#include <inttypes.h>

#include "ask.h"
#include "histogram.h"
#include "modes.h"
#include "run.h"

static uint64_t start_ns;
static unsigned answered;

static void opened(struct connection *connection) { ask_send(connection, state_of(connection)); }

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    if (!ask_answered(connection, state_of(connection))) return;
    histogram_add(now_ns() - start_ns);
    answered++;
}

void run_stampede(const struct options *options) {
    static const struct handler handler = {sizeof(struct ask), opened, ready};
    ask_prepare(options);
    if (!gate(options->gated, "{\"ready\": %u}", options->connections)) return;
    start_ns = now_ns();
    for (unsigned index = 0; index < options->connections; index++) loop_connect(&handler);
    while (answered < options->connections) loop_turn(UINT64_MAX);
    gate(options->gated, "{\"connections\": %u, \"seconds\": %.4f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}",
         answered, (double)(now_ns() - start_ns) / 1e9, histogram_percentile(0.5), histogram_percentile(0.99),
         histogram_percentile(1));
}
