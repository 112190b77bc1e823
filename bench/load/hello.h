// ClientHellos for proxies that pass TLS through by name: real ones, made by OpenSSL, that an echo server sends back.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "options.h"

/// Makes the ClientHellos for --hello. A `#` in the name stands for a number below --names.
void hello_prepare(const struct options *options);

/// The ClientHello of one question, with its number as the random: no two are the same. Its name is chosen among --names
/// by that number and --seed. Valid until the next call.
const uint8_t *hello_of(uint64_t identity, unsigned *size);
