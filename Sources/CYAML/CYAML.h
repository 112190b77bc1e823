// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_CYAML_H
#define SLUICE_CYAML_H

#include <yaml.h>

#endif
