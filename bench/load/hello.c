#include "hello.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

// The random follows the headers of record and handshake and the version.
enum { LARGEST = 4096, LONGEST_NAME = 255, MOST_DIGITS = 9, RANDOM_AT = 5 + 4 + 2 };

struct template {
    uint8_t bytes[LARGEST];
    unsigned size, number_at;
};

static const struct options *options;
static struct template templates[MOST_DIGITS + 1];  // by the digits of the number; the first for a name without one

static void make(const char *name, struct template *made, size_t digits_at) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context ? SSL_new(context) : NULL;
    BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
    // One small key share, so that the size does not depend on the library that this is built with.
    if (!ssl || !input || !output || !SSL_set1_groups_list(ssl, "X25519:P-256") || !SSL_set_tlsext_host_name(ssl, name))
        fail("no ClientHello for '%s'", name);
    SSL_set_bio(ssl, input, output);
    SSL_connect(ssl);  // stops after the hello, for want of an answer
    int size = BIO_read(output, made->bytes, LARGEST);
    const uint8_t *found = size > 0 ? memmem(made->bytes, (size_t)size, name, strlen(name)) : NULL;
    if (!found || size == LARGEST || made->bytes[0] != 22 || made->bytes[5] != 1) fail("no ClientHello for '%s'", name);
    made->size = (unsigned)size;
    made->number_at = (unsigned)(found - made->bytes) + (unsigned)digits_at;
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static unsigned digits_of(uint64_t number) {
    unsigned digits = 1;
    while (number /= 10) digits++;
    return digits;
}

void hello_prepare(const struct options *given) {
    options = given;
    const char *mark = strchr(options->hello, '#');
    size_t before = mark ? (size_t)(mark - options->hello) : 0;
    if (strlen(options->hello) + MOST_DIGITS > LONGEST_NAME) fail("--hello is too long");
    if (!mark) return make(options->hello, &templates[0], 0);
    if (digits_of(options->names - 1) > MOST_DIGITS) fail("--names is at most a thousand million");
    for (unsigned digits = 1; digits <= digits_of(options->names - 1); digits++) {
        char name[LONGEST_NAME + 1];
        snprintf(name, sizeof name, "%.*s%.*s%s", (int)before, options->hello, (int)digits, "000000000", mark + 1);
        make(name, &templates[digits], before);
    }
}

static uint64_t choose(uint64_t identity) {
    uint64_t mixed = (options->seed << 32 ^ identity) * 0x9e3779b97f4a7c15;  // splitmix64
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return (mixed ^ mixed >> 31) % options->names;
}

const uint8_t *hello_of(uint64_t identity, unsigned *size) {
    bool numbered = !templates[0].size;
    uint64_t number = numbered ? choose(identity) : 0;
    unsigned digits = numbered ? digits_of(number) : 0;
    struct template *template = &templates[digits];
    for (unsigned place = digits; place > 0; place--, number /= 10)
        template->bytes[template->number_at + place - 1] = (uint8_t)('0' + number % 10);
    memcpy(template->bytes + RANDOM_AT, &identity, sizeof identity);
    *size = template->size;
    return template->bytes;
}
