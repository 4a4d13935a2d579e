/* What sockets send to whom: answers to those who wait, data to the owner. */
#include "io/inet.h"

#include <stdlib.h>

#include "data/bits.h"
#include "data/external.h"
#include "proc/schedule.h"
#include "proc/signal.h"
#include "term/atom.h"
#include "term/ref.h"

void inet_watch(Inet *s, unsigned what) {
    if (what != s->watched) {
        s->watched = what;
        if (!s->ignored && s->fd >= 0) {
            io_watch(s->port.vm, s->fd, what, &s->watcher);
        }
    }
}

/* --- Deadlines ----------------------------------------------------------------------------------------------------- */

int64_t inet_deadline(Inet *s, uint32_t timeout) {
    return timeout == UINT32_MAX ? INT64_MAX : timers_after(s->port.vm, timeout);
}

void inet_set_alarm(Inet *s) {
    int64_t first = s->send_deadline;
    for (const InetAsked *a = s->asked; a != NULL; a = a->next) {
        first = MIN(first, a->deadline);
    }
    if (first == INT64_MAX) {
        alarm_cancel(s->port.vm, &s->alarm);
    } else if (!s->alarm.set || s->alarm.timer.at != first) {
        alarm_set(s->port.vm, &s->alarm, first);
    }
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

void inet_send(Inet *s, term to, term message, Heap *h) {
    message_send_built(vm_scheduler(s->port.vm), to, message, h);
}

term inet_error(Heap *h, term reason) {
    return TUPLE2(h, A_error, reason);
}

term inet_error_name(const Inet *s, int error) {
    return atom_from(s->port.vm, file_error_name(error));
}

void inet_deliver_event(Inet *s, term tag, term value) {
    Heap h;
    heap_init_detached(&h, s->port.vm);
    inet_send(s, s->port.owner, value == NONE ? TUPLE2(&h, tag, s->port.id) : TUPLE3(&h, tag, s->port.id, value), &h);
}

term inet_bytes(Heap *h, Bytes bytes, term rest) {
    while (bytes.size-- > 0) {
        rest = heap_cons(h, SMALL(bytes.at[bytes.size]), rest);
    }
    return rest;
}

term inet_data(Inet *s, Heap *h, Bytes data) {
    size_t header = (size_t)s->set.header;
    if (s->set.mode == 0 || header > data.size) {
        return heap_latin1_list(h, (const char *)data.at, data.size);
    }
    term t = bits_from(h, data.at + header, data.size - header);
    return t == NONE ? NONE : inet_bytes(h, (Bytes){data.at, header}, t);
}

void inet_delivered(Inet *s) {
    if (s->active == INET_ONCE) {
        s->active = INET_PASSIVE;
    } else if (s->active == INET_COUNTED && --s->active_left == 0) {
        s->active = INET_PASSIVE;
        inet_deliver_event(s, s->stream ? A_tcp_passive : A_udp_passive, NONE);
    }
}

/* --- Those who have asked ------------------------------------------------------------------------------------------ */

bool inet_ask(Inet *s, term caller, uint32_t timeout, uint16_t *id) {
    InetAsked *a = MEM_NEW(&s->port.vm->mem, MEM_SYSTEM, InetAsked), **at = &s->asked;
    if (a == NULL) {
        return false;
    }
    *id = s->next_id++;
    *a = (InetAsked){NULL, caller, inet_deadline(s, timeout), *id};
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = a;
    inet_set_alarm(s);
    return true;
}

void inet_unask(Inet *s, InetAsked **at) {
    InetAsked *a = *at;
    *at = a->next;
    MEM_DELETE(&s->port.vm->mem, MEM_SYSTEM, a);
    inet_set_alarm(s);
}

void inet_answer(Inet *s, term to, uint16_t id, term result, Heap *h) {
    inet_send(s, to, TUPLE4(h, A_inet_async, s->port.id, SMALL(id), result), h);
}

void inet_answer_first(Inet *s, term result, Heap *h) {
    if (s->asked != NULL) {
        inet_answer(s, s->asked->caller, s->asked->id, result, h);
        inet_unask(s, &s->asked);
    } else {
        heap_free_fragments(s->port.vm, heap_detach(h));
    }
}

void inet_answer_error(Inet *s, term reason) {
    Heap h;
    heap_init_detached(&h, s->port.vm);
    inet_answer_first(s, inet_error(&h, reason), &h);
}

void inet_answer_all(Inet *s, term reason) {
    while (s->asked != NULL) {
        inet_answer_error(s, reason);
    }
}

/* --- Those who send ------------------------------------------------------------------------------------------------ */

int inet_release(const Inet *s) {
    return atoi(s->port.vm->otp_release(s->port.vm));
}

bool inet_read_tag(Inet *s, Bytes *data) {
    VM *vm = s->port.vm;
    s->caller = (InetCaller){.pid = s->port.caller};
    if (inet_release(s) < 26) {
        return true;
    }
    if (data->size < 2 || data->size - 2 < read_be16(data->at)) {
        return false;
    }
    Heap h;
    heap_init_detached(&h, vm);
    size_t size = read_be16(data->at);
    term t = external_decode(&h, (Bytes){data->at + 2, size}, EXTERNAL_SAFE, NULL);
    if (t != NONE && is_local_ref(t)) {
        s->caller.tagged = true;
        s->caller.tag[0] = ref_low(t), s->caller.tag[1] = ref_high(t);
    }
    heap_free_fragments(vm, heap_detach(&h));
    data->at += 2 + size, data->size -= 2 + size;
    return s->caller.tagged;
}

void inet_reply(Inet *s, term reason) {
    InetCaller c = s->caller;
    s->caller.pid = NONE;
    if (c.pid == NONE) {
        return;
    }
    Heap h;
    heap_init_detached(&h, s->port.vm);
    term result = reason == NONE ? A_ok : inet_error(&h, reason);
    term message = TUPLE3(&h, A_inet_reply, s->port.id, result);
    if (c.tagged) {
        message = TUPLE4(&h, A_inet_reply, s->port.id, result, ref_write(heap_alloc(&h, REF_WORDS), c.tag[0], c.tag[1]));
    }
    inet_send(s, c.pid, message, &h);
}

void inet_queue_empty(Inet *s) {
    for (uint32_t i = 0; i < s->subscriber_count; i++) {
        Heap h;
        heap_init_detached(&h, s->port.vm);
        inet_send(s, s->subscribers[i], TUPLE2(&h, A_empty_out_q, s->port.id), &h);
    }
    inet_forget_subscribers(s);
}

void inet_forget_subscribers(Inet *s) {
    mem_free(&s->port.vm->mem, MEM_SYSTEM, s->subscribers, s->subscriber_count * sizeof *s->subscribers);
    s->subscribers = NULL;
    s->subscriber_count = 0;
}

void inet_count(InetMeter *m, size_t bytes) {
    m->count++;
    m->bytes += bytes;
    m->largest = MAX(m->largest, bytes);
    m->average += ((double)bytes - m->average) / (double)m->count;
    m->deviation += ((double)bytes - m->average - m->deviation) / (double)m->count;
}
