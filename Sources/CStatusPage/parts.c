#include "CStatusPage.h"

// The compiler reads the files: the binary needs none beside it, and Swift has no literal of a hundred thousand bytes to
// type-check. One after the other they are one style sheet and one script, in this order; each ends with a newline.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char html[] = {
#embed "Page/page.html"
};

static const unsigned char style[] = {
#embed "Page/style/base.css"
    ,
#embed "Page/style/frame.css"
    ,
#embed "Page/style/parts.css"
    ,
#embed "Page/style/plots.css"
    ,
#embed "Page/style/tables.css"
};

static const unsigned char script[] = {
#embed "Page/script/dom.js"
    ,
#embed "Page/script/format.js"
    ,
#embed "Page/script/model.js"
    ,
#embed "Page/script/server.js"
    ,
#embed "Page/script/rates.js"
    ,
#embed "Page/script/plot.js"
    ,
#embed "Page/script/parts.js"
    ,
#embed "Page/script/overview.js"
    ,
#embed "Page/script/tree.js"
    ,
#embed "Page/script/connections.js"
    ,
#embed "Page/script/details.js"
    ,
#embed "Page/script/facts.js"
    ,
#embed "Page/script/main.js"
    ,
#embed "Page/script/actions.js"
};

sluice_page_part sluice_page_html(void) { return (sluice_page_part){html, sizeof html}; }
sluice_page_part sluice_page_style(void) { return (sluice_page_part){style, sizeof style}; }
sluice_page_part sluice_page_script(void) { return (sluice_page_part){script, sizeof script}; }
