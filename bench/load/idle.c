// Holds connections that have carried one message each and are silent since, step by step, so that the difference
// between two steps is what a connection costs and what a proxy sets up once drops out.
#include <stdlib.h>

#include "ask.h"
#include "modes.h"
#include "run.h"

// More at a time would overflow the backlog, and measure a second of SYN retransmission.
enum { AT_A_TIME = 64 };

static const struct options *options;
static unsigned begun, held, wanted;

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
    held++;
    if (begun < wanted) begin();
}

void run_idle(const struct options *given) {
    options = given;
    ask_prepare(options);
    for (const char *text = options->steps; *text;) {
        char *end;
        wanted = (unsigned)strtoul(text, &end, 10);
        if (end == text || wanted < held || (*end && *end != ',')) fail("--steps must ascend: %s", options->steps);
        text = *end ? end + 1 : end;
        while (begun < wanted && begun - held < AT_A_TIME) begin();
        while (held < wanted) loop_turn(UINT64_MAX);
        if (!gate(options->gated, "{\"held\": %u}", held)) return;
    }
}
