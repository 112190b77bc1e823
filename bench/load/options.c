#include "options.h"

#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: load MODE --listen HOST:PORT | --to HOST:PORT [flags]\n"
    "  servers: echo, source, discard, greet, transfer     --cert FILE --key FILE for TLS\n"
    "  clients: sink, upload, paced, meter, connect, stampede, pingpong, idle, transfer\n"
    "           --ca FILE --server-name NAME for TLS\n"
    "See bench/README.md for what each mode does and prints.\n";

static _Noreturn void misuse(const char *what, const char *value) {
    fprintf(stderr, "load: %s: %s\n%s", what, value, usage);
    exit(2);
}

static void parse_address(struct options *options, const char *text) {
    char host[64];
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text || (size_t)(colon - text) >= sizeof host) misuse("not HOST:PORT", text);
    bool bracketed = text[0] == '[' && colon[-1] == ']';
    const char *start = text + bracketed;
    size_t length = (size_t)(colon - start) - bracketed;
    memcpy(host, start, length);
    host[length] = 0;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, colon + 1, &hints, &found)) misuse("not a numeric address and port", text);
    memcpy(&options->address, found->ai_addr, found->ai_addrlen);
    options->address_length = found->ai_addrlen;
    freeaddrinfo(found);
}

static double parse_number(const char *flag, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || !(value >= 0 && value < 1e15)) misuse(flag, text);
    return value;
}

enum flag { LISTEN = 1, TO, CONNECTIONS, COUNT, SECONDS, DEADLINE, RATE, SIZE, BYTES, STEPS, NAME, HELLO,
            NAMES, SEED, RESUME, TAKES_CUT, GATED, CERT, KEY, CA, SERVER_NAME };

static const struct option flags[] = {
    {"listen", 1, 0, LISTEN}, {"to", 1, 0, TO}, {"connections", 1, 0, CONNECTIONS}, {"count", 1, 0, COUNT},
    {"seconds", 1, 0, SECONDS}, {"deadline", 1, 0, DEADLINE}, {"rate", 1, 0, RATE}, {"size", 1, 0, SIZE},
    {"bytes", 1, 0, BYTES}, {"steps", 1, 0, STEPS}, {"name", 1, 0, NAME},
    {"hello", 1, 0, HELLO}, {"names", 1, 0, NAMES}, {"seed", 1, 0, SEED},
    {"resume", 0, 0, RESUME}, {"takes-cut", 0, 0, TAKES_CUT}, {"gated", 0, 0, GATED},
    {"cert", 1, 0, CERT}, {"key", 1, 0, KEY}, {"ca", 1, 0, CA}, {"server-name", 1, 0, SERVER_NAME}, {0, 0, 0, 0},
};

static void set_flag(struct options *options, enum flag flag, const char *value) {
    switch (flag) {
    case LISTEN: options->listens = true; parse_address(options, value); break;
    case TO: parse_address(options, value); break;
    case CONNECTIONS: options->connections = (unsigned)parse_number("--connections", value); break;
    case COUNT: options->count = (uint64_t)parse_number("--count", value); break;
    case SECONDS: options->seconds = parse_number("--seconds", value); break;
    case DEADLINE: options->deadline = parse_number("--deadline", value); break;
    case RATE: options->rate = parse_number("--rate", value); break;
    case SIZE: options->size = (unsigned)parse_number("--size", value); break;
    case BYTES: options->bytes = (uint64_t)parse_number("--bytes", value); break;
    case STEPS: options->steps = value; break;
    case NAME: options->name = value; break;
    case HELLO: options->hello = value; break;
    case NAMES: options->names = (uint64_t)parse_number("--names", value); break;
    case SEED: options->seed = (uint64_t)parse_number("--seed", value); break;
    case RESUME: options->resume = true; break;
    case TAKES_CUT: options->takes_cut = true; break;
    case GATED: options->gated = true; break;
    case CERT: options->certificate = value; break;
    case KEY: options->key = value; break;
    case CA: options->authority = value; break;
    case SERVER_NAME: options->server_name = value; break;
    }
}

void options_parse(struct options *options, int argc, char **argv) {
    *options = (struct options){.connections = 1, .count = 1, .seconds = 1, .size = 64, .bytes = 1 << 20,
                                .steps = "1", .name = "load", .names = 1, .seed = 1, .deadline = -1};
    int flag;
    opterr = 0;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        if (flag == '?') misuse("unknown flag, or one that lacks its value", argv[optind - 1]);
        set_flag(options, (enum flag)flag, optarg);
    }
    if (optind != argc - 1) misuse("exactly one mode is needed", optind < argc ? argv[optind + 1] : "none given");
    options->mode = argv[optind];
    if (!options->address_length) misuse("an address is needed", "--listen or --to");
    if (!options->connections || !options->count || !options->size || !options->bytes || !options->names)
        misuse("must not be zero", "--connections, --count, --size, --bytes, --names");
    if (!options->certificate != !options->key) misuse("belong together", "--cert, --key");
    if (!options->authority != !options->server_name) misuse("belong together", "--ca, --server-name");
    if (options->hello && options->server_name) misuse("exclude each other", "--hello, --server-name");
    if (options->resume && !options->server_name) misuse("needs --server-name", "--resume");
    // Servers live until they are told to end; a client that hangs is a failure.
    if (options->deadline < 0) options->deadline = options->listens ? 0 : 60;
}
