/* The interface of NIF libraries as OTP 25 to 29 document it (erl_nif, and the types of its header), as far as a VM must know it:
   shapes of structs, numbers of options. Libraries are compiled against OTP's own erl_nif.h; names and layouts here are those. */
#ifndef MOTE_IO_NIF_ABI_H
#define MOTE_IO_NIF_ABI_H

#include <stdio.h>
#include <sys/uio.h>

#include "term/term.h"

/* What a library calls: ENIF(int, enif_is_atom, ErlNifEnv *env, ERL_NIF_TERM t) { ... } */
#define ENIF(Type, name, ...) \
    Type name(__VA_ARGS__);   \
    __attribute__((visibility("default"))) Type name(__VA_ARGS__)

typedef term ERL_NIF_TERM;
typedef struct enif_environment_t ErlNifEnv;
typedef struct enif_resource_type_t ErlNifResourceType;
typedef struct erts_io_queue ErlNifIOQueue;
typedef struct ErlDrvMutex_ ErlNifMutex;
typedef struct ErlDrvCond_ ErlNifCond;
typedef struct ErlDrvRWLock_ ErlNifRWLock;
typedef struct ErlDrvTid_ *ErlNifTid;
typedef int ErlNifTSDKey;
typedef int ErlNifEvent;
typedef int64_t ErlNifTime;

typedef ERL_NIF_TERM NifFunction(ErlNifEnv *env, int argc, const ERL_NIF_TERM argv[]);
typedef struct {
    const char *name;
    unsigned arity;
    NifFunction *function;
    unsigned flags; /* NIF_DIRTY_... */
} ErlNifFunc;
enum { NIF_DIRTY_CPU = 1, NIF_DIRTY_IO = 2 };

/* What nif_init returns. Old libraries end it earlier: what came with which minor version of 2 is said. */
typedef struct {
    int major, minor;
    const char *name;
    int function_count;
    ErlNifFunc *functions;
    int (*load)(ErlNifEnv *env, void **priv_data, ERL_NIF_TERM info);
    int (*reload)(ErlNifEnv *env, void **priv_data, ERL_NIF_TERM info);
    int (*upgrade)(ErlNifEnv *env, void **priv_data, void **old_priv_data, ERL_NIF_TERM info);
    void (*unload)(ErlNifEnv *env, void *priv_data);
    const char *vm_variant;    /* 1 */
    unsigned options;          /* 7 */
    size_t resource_init_size; /* 12 */
    const char *min_erts;      /* 14 */
} ErlNifEntry;

typedef struct {
    size_t size;
    unsigned char *data;
    void *ref_bin; /* the Buffer that is the struct's own; NULL: the bytes belong to a term, or to the environment */
    void *spare[2];
} ErlNifBinary;

typedef struct {
    ERL_NIF_TERM pid; /* a local pid; NIF_UNDEFINED_PID */
} ErlNifPid;
typedef struct {
    ERL_NIF_TERM port_id;
} ErlNifPort;
typedef struct {
    unsigned char data[4 * sizeof(void *)];
} ErlNifMonitor;

enum { NIF_LATIN1 = 1, NIF_UTF8 = 2 };
enum { NIF_RT_CREATE = 1, NIF_RT_TAKEOVER = 2 };

typedef struct {
    void (*dtor)(ErlNifEnv *env, void *obj);
    void (*stop)(ErlNifEnv *env, void *obj, ErlNifEvent event, int is_direct_call);
    void (*down)(ErlNifEnv *env, void *obj, ErlNifPid *pid, ErlNifMonitor *monitor);
    int members; /* how many of these are there; the others are told by where they stand */
    void (*dyncall)(ErlNifEnv *env, void *obj, void *call_data);
} ErlNifResourceTypeInit;

typedef struct {
    int driver_major, driver_minor;
    char *erts_version, *otp_release;
    int thread_support, smp_support, async_threads, scheduler_threads;
    int nif_major, nif_minor, dirty_scheduler_support;
} ErlNifSysInfo;

typedef struct {
    int suggested_stack_size;
} ErlNifThreadOpts;

typedef struct {
    ERL_NIF_TERM map;
    size_t size, at;                   /* at: 1 .. size; 0: in front of the first, size + 1: behind the last */
    const ERL_NIF_TERM *keys, *values; /* values NULL: keys and values stand in turn */
    void *owned;                       /* memory to be freed */
    void *spare;
} ErlNifMapIterator;
enum { NIF_MAP_FIRST = 1, NIF_MAP_LAST = 2 };

typedef enum { NIF_SEC, NIF_MSEC, NIF_USEC, NIF_NSEC } ErlNifTimeUnit;
enum { NIF_UNIQUE_POSITIVE = 1, NIF_UNIQUE_MONOTONIC = 2 };
enum { NIF_BIN2TERM_SAFE = 0x20000000 };
enum { NIF_HASH_INTERNAL = 1, NIF_HASH_PHASH2 = 2 };

// clang-format off
enum { NIF_IOVEC_SMALL = 16, NIF_IOVEC_OWN = 1, NIF_IOVEC_KEPT = 2 /* flags: the struct itself is not to be freed; an environment frees it all */ };
// clang-format on
typedef struct {
    int iovcnt;
    size_t size;
    struct iovec *iov;
    void **ref_bins; /* Buffer * */
    int flags;
    struct iovec small_iov[NIF_IOVEC_SMALL];
    void *small_ref_bin[NIF_IOVEC_SMALL];
} ErlNifIOVec;

// clang-format off
enum {
    NIF_SELECT_READ = 1, NIF_SELECT_WRITE = 2, NIF_SELECT_STOP = 4, NIF_SELECT_CANCEL = 8, NIF_SELECT_CUSTOM_MSG = 16, NIF_SELECT_ERROR = 32
};
// clang-format on
// clang-format off
enum {
    NIF_SELECT_STOP_CALLED = 1, NIF_SELECT_STOP_SCHEDULED = 2, NIF_SELECT_INVALID_EVENT = 4, NIF_SELECT_FAILED = 8, NIF_SELECT_READ_CANCELLED = 16,
    NIF_SELECT_WRITE_CANCELLED = 32, NIF_SELECT_ERROR_CANCELLED = 64, NIF_SELECT_NOTSUP = 128
};
// clang-format on

// clang-format off
typedef enum {
    NIF_TYPE_ATOM = 1, NIF_TYPE_BITSTRING, NIF_TYPE_FLOAT, NIF_TYPE_FUN, NIF_TYPE_INTEGER, NIF_TYPE_LIST, NIF_TYPE_MAP, NIF_TYPE_PID, NIF_TYPE_PORT,
    NIF_TYPE_REFERENCE, NIF_TYPE_TUPLE, NIF_TYPE_OTHER = -1
} ErlNifTermType;
// clang-format on

enum { NIF_THREAD_UNDEFINED, NIF_THREAD_NORMAL, NIF_THREAD_DIRTY_CPU, NIF_THREAD_DIRTY_IO };
enum { NIF_OPT_DELAY_HALT = 1, NIF_OPT_ON_HALT = 2, NIF_OPT_ON_UNLOAD_THREAD = 3 };

#endif
