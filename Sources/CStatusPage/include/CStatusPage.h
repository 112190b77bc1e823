#pragma once
#include <stddef.h>

// The parts of the status page, as the files under Page are. The bytes live as long as the process; no terminating zero.
typedef struct {
    const unsigned char *_Nonnull bytes;
    size_t count;
} sluice_page_part;

// HTML in which {{nonce}}, {{style}} and {{script}} stand for what the server puts there.
sluice_page_part sluice_page_html(void);
sluice_page_part sluice_page_style(void);
sluice_page_part sluice_page_script(void);
