/* What built-ins of tracing have in common. */
#ifndef MOTE_BIF_TRACING_H
#define MOTE_BIF_TRACING_H

#include "bif/bif.h"
#include "trace/trace.h"

TraceSession *trace_session_arg(Process *p,
                                term t); /* {Reference, _}, or the session that always is. NULL: there is none, or none any more */
term monitor_info(Process *p, const TraceSession *s); /* what trace:system/3 has set: a list */

#endif
