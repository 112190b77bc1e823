#include "CFaults.h"

#include <malloc.h>

uint64_t faults_heap_bytes(void) { return mallinfo2().uordblks; }
