/* For files whose built-ins all take and give up something: a lock, mostly. The file defines

       #define GUARD_BEGIN(p) io_lock(process_vm(p))
       #define GUARD_END(p) io_unlock(process_vm(p))

   and includes this after all others. A built-in that traps gives it up as well. GUARD_STILL instead: they run while all other schedulers
   stand still. */
#ifndef MOTE_BIF_GUARDED_H
#define MOTE_BIF_GUARDED_H

#include "bif/bif.h"

#ifdef GUARD_STILL
#define GUARD_WAITS(p) (!bif_is_still(p))
#define GUARD_BEGIN(p) ((void)0)
#define GUARD_END(p) bif_still_over(p)
#else
#define GUARD_WAITS(p) false
#endif

#undef BIF
#define BIF(module, name, arity)                                                \
    static term guarded_##module##_##name##_##arity(Process *p, const term *a); \
    BifFunction bif_##module##_##name##_##arity;                                \
    term bif_##module##_##name##_##arity(Process *p, const term *a) {           \
        if (GUARD_WAITS(p)) {                                                   \
            return bif_still(p, BIF_EXPORT(p, module, name, arity), a);         \
        }                                                                       \
        GUARD_BEGIN(p);                                                         \
        term result_ = guarded_##module##_##name##_##arity(p, a);               \
        GUARD_END(p);                                                           \
        return result_;                                                         \
    }                                                                           \
    static term guarded_##module##_##name##_##arity(Process *p UNUSED, const term *a UNUSED)

#endif
