/* Time: Erlang's monotonic and system time, the calendar, and the operating system's clock. */
#include <time.h>

#include "bif/bif.h"
#include "data/integer.h"
#include "platform/platform.h"
#include "proc/schedule.h"

/* How many of a unit make a second; false: not a unit. Units are parts of a second, or names of such. */
static bool parts_per_second(term unit, int64_t *parts) {
    static const struct {
        term name;
        int64_t parts;
    } names[] = {
        {A_native, 1000000000}, {A_nanosecond, 1000000000},   {A_perf_counter, 1000000000}, {A_microsecond, 1000000}, {A_millisecond, 1000},
        {A_second, 1},          {A_nano_seconds, 1000000000}, {A_micro_seconds, 1000000},   {A_milli_seconds, 1000},  {A_seconds, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (unit == names[i].name) {
            *parts = names[i].parts;
            return true;
        }
    }
    return integer_to_int64(unit, parts) && *parts > 0;
}

/* A time in the unit asked for, rounded down. */
static term in_unit(Process *p, int64_t nanoseconds, term unit) {
    int64_t parts;
    if (!parts_per_second(unit, &parts)) {
        return raise_badarg(p);
    }
    __int128 v = (__int128)nanoseconds * parts;
    __int128 q = v / 1000000000;
    q -= v % 1000000000 < 0;
    if (q >= INT64_MIN && q <= INT64_MAX) {
        return integer_from_int64(HEAP(p), (int64_t)q);
    }
    Limb limbs[2] = {(Limb)(q < 0 ? -q : q), (Limb)((q < 0 ? -q : q) >> 64)};
    return integer_from_limbs(HEAP(p), limbs, 2, q < 0);
}

BIF(erlang, monotonic_time, 0) {
    return integer_from_int64(HEAP(p), clock_monotonic(process_vm(p)));
}

BIF(erlang, monotonic_time, 1) {
    return in_unit(p, clock_monotonic(process_vm(p)), a[0]);
}

BIF(erlang, system_time, 0) {
    return integer_from_int64(HEAP(p), clock_system(process_vm(p)));
}

BIF(erlang, system_time, 1) {
    return in_unit(p, clock_system(process_vm(p)), a[0]);
}

BIF(erlang, time_offset, 0) {
    return integer_from_int64(HEAP(p), clock_offset(process_vm(p)));
}

BIF(erlang, time_offset, 1) {
    return in_unit(p, clock_offset(process_vm(p)), a[0]);
}

BIF(os, system_time, 0) {
    return integer_from_int64(HEAP(p), clock_platform_system(process_vm(p)));
}

BIF(os, system_time, 1) {
    return in_unit(p, clock_platform_system(process_vm(p)), a[0]);
}

BIF(os, perf_counter, 0) {
    return integer_from_int64(HEAP(p), clock_platform(process_vm(p)));
}

BIF(erts_internal, perf_counter_unit, 0) {
    return SMALL(1000000000);
}

BIF(erts_internal, time_unit, 0) {
    return SMALL(1000000000);
}

static term timestamp(Process *p, int64_t microseconds) {
    return TUPLE3(HEAP(p), SMALL(microseconds / 1000000000000), SMALL(microseconds / 1000000 % 1000000), SMALL(microseconds % 1000000));
}

BIF(erlang, timestamp, 0) {
    return timestamp(p, clock_system(process_vm(p)) / 1000);
}

BIF(os, timestamp, 0) {
    return timestamp(p, clock_platform_system(process_vm(p)) / 1000);
}

/* Strictly increasing. */
BIF(erlang, now, 0) {
    VM *vm = process_vm(p);
    int64_t t = clock_system(vm) / 1000, *last = &vm->processes->clock.last_now;
    t = t <= *last ? *last + 1 : t;
    *last = t;
    return timestamp(p, t);
}

/* --- the calendar */

static term date_term(Process *p, const struct tm *t) {
    return TUPLE3(HEAP(p), SMALL(t->tm_year + 1900), SMALL(t->tm_mon + 1), SMALL(t->tm_mday));
}

static term time_term(Process *p, const struct tm *t) {
    return TUPLE3(HEAP(p), SMALL(t->tm_hour), SMALL(t->tm_min), SMALL(t->tm_sec));
}

static term date_time(Process *p, const struct tm *t) {
    return TUPLE2(HEAP(p), date_term(p, t), time_term(p, t));
}

static struct tm local_now(Process *p) {
    time_t now = (time_t)(clock_platform_system(process_vm(p)) / 1000000000);
    struct tm t;
    localtime_r(&now, &t);
    return t;
}

BIF(erlang, date, 0) {
    struct tm t = local_now(p);
    return date_term(p, &t);
}

BIF(erlang, time, 0) {
    struct tm t = local_now(p);
    return time_term(p, &t);
}

BIF(erlang, localtime, 0) {
    struct tm t = local_now(p);
    return date_time(p, &t);
}

BIF(erlang, universaltime, 0) {
    time_t now = (time_t)(clock_platform_system(process_vm(p)) / 1000000000);
    struct tm t;
    gmtime_r(&now, &t);
    return date_time(p, &t);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_from_epoch(int64_t y, int m, int d) {
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

/* {{Y,M,D},{H,Mi,S}}; false: no such date or time. */
static bool read_date_time(term t, struct tm *out) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!is_tuple_of(t, 2) || !is_tuple_of(element(t, 1), 3) || !is_tuple_of(element(t, 2), 3)) {
        return false;
    }
    int v[6];
    for (int i = 0; i < 6; i++) {
        term e = element(element(t, i < 3 ? 1 : 2), (size_t)i % 3 + 1);
        if (!is_small(e) || small_value(e) > 100000 || small_value(e) < -100000) {
            return false;
        }
        v[i] = (int)small_value(e);
    }
    bool leap = (v[0] % 4 == 0 && v[0] % 100 != 0) || v[0] % 400 == 0;
    if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > days[v[1] - 1] + (leap && v[1] == 2) || v[3] < 0 || v[3] > 23 || v[4] < 0 ||
        v[4] > 59 || v[5] < 0 || v[5] > 59) {
        return false;
    }
    *out = (struct tm){.tm_year = v[0] - 1900, .tm_mon = v[1] - 1, .tm_mday = v[2], .tm_hour = v[3], .tm_min = v[4], .tm_sec = v[5]};
    return true;
}

static int64_t posix_seconds(const struct tm *t) {
    return days_from_epoch(t->tm_year + 1900, t->tm_mon + 1, t->tm_mday) * 86400 + t->tm_hour * 3600 + t->tm_min * 60 + t->tm_sec;
}

BIF(erlang, universaltime_to_posixtime, 1) {
    struct tm t;
    return read_date_time(a[0], &t) ? integer_from_int64(HEAP(p), posix_seconds(&t)) : raise_badarg(p);
}

BIF(erlang, posixtime_to_universaltime, 1) {
    int64_t seconds;
    struct tm t;
    time_t s;
    if (!integer_to_int64(a[0], &seconds) || (s = (time_t)seconds, gmtime_r(&s, &t) == NULL)) {
        return raise_badarg(p);
    }
    return date_time(p, &t);
}

/* Before it local time is not known. */
enum { FIRST_LOCAL_YEAR = 1902 - 1900 };

BIF(erlang, universaltime_to_localtime, 1) {
    struct tm t, local;
    if (!read_date_time(a[0], &t) || t.tm_year < FIRST_LOCAL_YEAR) {
        return raise_badarg(p);
    }
    time_t s = (time_t)posix_seconds(&t);
    return localtime_r(&s, &local) == NULL ? raise_badarg(p) : date_time(p, &local);
}

/* localtime_to_universaltime(DateTime, true | false | undefined: is it daylight saving time). */
BIF(erlang, localtime_to_universaltime, 2) {
    struct tm t, universal;
    if (!read_date_time(a[0], &t) || t.tm_year < FIRST_LOCAL_YEAR || (a[1] != A_true && a[1] != A_false && a[1] != A_undefined)) {
        return raise_badarg(p);
    }
    struct tm asked = t;
    t.tm_isdst = a[1] == A_true ? 1 : a[1] == A_false ? 0 : -1;
    time_t s = mktime(&t);
    /* A zone without daylight saving time cannot say "true": its time is taken as it is. */
    if (a[1] == A_true && t.tm_isdst == 0) {
        asked.tm_isdst = 0;
        s = mktime(&asked);
    }
    return gmtime_r(&s, &universal) == NULL ? raise_badarg(p) : date_time(p, &universal);
}
