// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H

#include <openssl/ssl.h>

#endif
