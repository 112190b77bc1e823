// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_CCARES_H
#define SLUICE_CCARES_H

#include <ares.h>

#endif
