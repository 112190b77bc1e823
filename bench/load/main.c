// The load generator and its backends: see bench/README.md.
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "loop.h"
#include "modes.h"
#include "run.h"

static const struct {
    const char *name;
    void (*serve)(const struct options *);
    void (*run)(const struct options *);
} modes[] = {
    {"echo", serve_echo, NULL},        {"source", serve_source, NULL}, {"greet", serve_greeting, NULL},
    {"transfer", serve_transfer, run_transfer}, {"sink", NULL, run_sink},       {"connect", NULL, run_connect},
    {"pingpong", NULL, run_pingpong},  {"idle", NULL, run_idle},         {"discard", serve_discard, NULL},
    {"upload", NULL, run_upload},      {"paced", NULL, run_paced},         {"stampede", NULL, run_stampede},
    {"meter", NULL, run_meter},
};

int main(int argc, char **argv) {
    struct options options;
    options_parse(&options, argc, argv);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // never outlive the runner
    signal(SIGPIPE, SIG_IGN);
    for (unsigned index = 0; index < sizeof modes / sizeof *modes; index++) {
        if (strcmp(modes[index].name, options.mode)) continue;
        void (*start)(const struct options *) = options.listens ? modes[index].serve : modes[index].run;
        if (!start) break;
        loop_start(&options);
        start(&options);
        return 0;
    }
    fprintf(stderr, "load: no mode '%s' with %s\n", options.mode, options.listens ? "--listen" : "--to");
    return 2;
}
