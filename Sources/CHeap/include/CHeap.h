// The heap of the product: `free` and `realloc` that zero what they let go of, on threads that asked for it
// (sluice_wipe_freed_memory in CLinux). Nothing is called by name: linking the target puts it in place.
#ifndef SLUICE_CHEAP_H
#define SLUICE_CHEAP_H
#endif
