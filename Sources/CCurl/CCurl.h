// What Swift sees of the library, and shims for what it cannot import (variadics). No policy.
#ifndef SLUICE_CCURL_H
#define SLUICE_CCURL_H

#include <curl/curl.h>

#endif
