/* libzstd, loaded when it is first needed. */
#ifndef MOTE_IO_ZSTD_H
#define MOTE_IO_ZSTD_H

#define ZSTD_STATIC_LINKING_ONLY /* contexts with memory of ours, and what a frame's head says */
#include <zstd.h>
#include <zstd_errors.h>

#include "term/vm.h"

// clang-format off
#define ZSTD_FUNCTIONS(F)                                                                                                 \
    F(CCtx_getParameter) F(CCtx_loadDictionary) F(CCtx_refCDict) F(CCtx_reset) F(CCtx_setParameter)                       \
    F(CCtx_setPledgedSrcSize) F(CStreamOutSize) F(DCtx_getParameter) F(DCtx_loadDictionary) F(DCtx_refDDict)              \
    F(DCtx_reset) F(DCtx_setParameter) F(DStreamOutSize) F(compressStream2) F(createCCtx_advanced)                        \
    F(createCDict_advanced) F(createDCtx_advanced) F(createDDict_advanced) F(decompressStream)                            \
    F(findDecompressedSize) F(freeCCtx) F(freeCDict) F(freeDCtx) F(freeDDict) F(getCParams) F(getDictID_fromCDict)        \
    F(getDictID_fromDDict) F(getDictID_fromDict) F(getDictID_fromFrame) F(getErrorName) F(getFrameHeader) F(isError)
// clang-format on

#define ZSTD_POINTER(name) __typeof__(ZSTD_##name) *name;
typedef struct {
    ZSTD_FUNCTIONS(ZSTD_POINTER)
} ZstdFunctions;

typedef struct Zstd {
    ZstdFunctions f;
    void *library;
    ZSTD_customMem memory; /* the VM's, counted */
} Zstd;

Zstd *zstd_library(VM *vm); /* NULL: it is not there */
void zstd_done(VM *vm);

#endif
