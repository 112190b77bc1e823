// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_CMICROHTTPD_H
#define SLUICE_CMICROHTTPD_H

#include <microhttpd.h>

#endif
