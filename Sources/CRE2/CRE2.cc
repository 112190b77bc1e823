#include "CRE2.h"

#include <cstdio>
#include <memory>
#include <new>

#include <re2/re2.h>

struct sluice_re2 {
    RE2 expression;
    sluice_re2(const char *pattern, size_t length, const RE2::Options &options)
        : expression(re2::StringPiece(pattern, length), options) {}
};

sluice_re2 *sluice_re2_compile(const char *pattern, size_t length, int64_t memory, char *problem, size_t capacity) try {
    // Latin-1: a byte is a character, so that any stream can be searched, whether it is text or not.
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(memory);
    auto made = std::make_unique<sluice_re2>(pattern, length, options);
    if (made->expression.ok()) return made.release();
    std::snprintf(problem, capacity, "%s", made->expression.error().c_str());
    return nullptr;
} catch (const std::exception &failure) {
    std::snprintf(problem, capacity, "%s", failure.what());
    return nullptr;
}

void sluice_re2_free(sluice_re2 *pattern) { delete pattern; }

int sluice_re2_find(const sluice_re2 *pattern, const void *bytes, size_t count, size_t *start, size_t *end) try {
    const char *text = static_cast<const char *>(bytes);
    re2::StringPiece found;
    re2::StringPiece whole(count ? text : "", count);
    if (!pattern->expression.Match(whole, 0, count, RE2::UNANCHORED, &found, 1)) return 0;
    *start = static_cast<size_t>(found.data() - whole.data());
    *end = *start + found.size();
    return 1;
} catch (const std::exception &) {
    return 0;
}
