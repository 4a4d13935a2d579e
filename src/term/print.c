/* Terms as text, without recursion. */
#include "term/print.h"

#include <stdio.h>

#include "base/dtoa.h"
#include "base/stack.h"
#include "base/utf8.h"
#include "term/atom.h"
#include "term/bitstring.h"
#include "term/fun.h"
#include "term/ref.h"

typedef struct {
    Text *out;
    VM *vm;
    PrintOptions options;
    Stack todo; /* see below */
    size_t end; /* of the text, where a limit is set */
} Printer;

/* What waits: pairs of words; the second is one of these, or, above LAST_OF, how many elements of an array there are. */
enum { TERM, TEXT, REST_OF_LIST, PAIRS, LAST_OF };

static void later(Printer *p, uintptr_t what, uintptr_t kind) {
    uintptr_t *r = stack_room(&p->todo, 2);
    r[0] = what, r[1] = kind;
}
static void later_text(Printer *p, const char *s) {
    later(p, (uintptr_t)s, TEXT);
}

/* Atoms. Letters are Latin-1's; a continuation byte passes for one, as in OTP. */

static int atom_char(const uint8_t *p, const uint8_t *end) {
    if (*p < 0x80) {
        return *p;
    }
    if ((*p & 0xe0) == 0xc0) {
        return (*p & 0x1f) << 6 | (p + 1 < end ? p[1] & 0x3f : 0);
    }
    return (*p & 0xc0) == 0x80 ? 'a' : 0;
}

static bool is_lower(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 0xdf && c <= 0xff && c != 0xf7);
}

static bool is_name_char(int c) {
    return is_lower(c) || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || c == '_' || c == '@';
}

static bool is_reserved(Bytes text) {
    static const char *const words[] = {"after", "and",   "andalso", "band",   "begin",   "bnot", "bor", "bsl",  "bsr", "bxor",
                                        "case",  "catch", "cond",    "div",    "else",    "end",  "fun", "if",   "let", "maybe",
                                        "not",   "of",    "or",      "orelse", "receive", "rem",  "try", "when", "xor"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (text.size == strlen(words[i]) && memcmp(words[i], text.at, text.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool needs_quotes(Bytes text, bool as_display) {
    const uint8_t *p = text.at, *end = p + text.size;
    if (p == end || !is_lower(atom_char(p, end))) {
        return true;
    }
    for (p++; p < end; p++) {
        int c = atom_char(p, end);
        if (!is_name_char(c) || (c == '@' && as_display)) {
            return true;
        }
    }
    return !as_display && is_reserved(text);
}

static void print_escaped(Text *out, uint32_t c, uint32_t quote) {
    // clang-format off
    static const char escapes[] = "\b" "b\f" "f\n" "n\r" "r\t" "t\v" "v";
    // clang-format on
    if (c == quote || c == '\\') {
        text_byte(out, '\\');
    }
    for (const char *e = escapes; *e != 0; e += 2) {
        if (c == (uint8_t)*e) {
            text_byte(out, '\\');
            text_byte(out, (uint8_t)e[1]);
            return;
        }
    }
    if (c < ' ' || (c >= 0x80 && c < 0xa0)) {
        text_format(out, "\\%03o", c);
    } else {
        text_char(out, c);
    }
}

static void print_atom(Text *out, Bytes text, bool as_display) {
    bool quotes = needs_quotes(text, as_display);
    if (!quotes) {
        text_add(out, text.at, text.size);
        return;
    }
    text_byte(out, '\'');
    for (const uint8_t *p = text.at, *end = p + text.size; p < end;) {
        uint32_t c;
        p += utf8_read(p, end, &c);
        print_escaped(out, c, '\'');
    }
    text_byte(out, '\'');
}

void atom_print(Text *out, VM *vm, term atom) {
    print_atom(out, atom_text(vm, atom), false);
}

/* Numbers. */

static void print_big(Text *out, term t) {
    const term *p = boxed(t);
    size_t n = HEADER_WORDS(p[0]) * (sizeof(term) / 4), digits = 0;
    uint32_t *half = mem_alloc(out->mem, MEM_TEMPORARY, n * 4);
    size_t room = n * 10 + 10;
    uint8_t *text = mem_alloc(out->mem, MEM_TEMPORARY, room);
    if (half == NULL || text == NULL) {
        out->failed = true;
    } else {
        for (size_t i = 0; i < n; i++) {
            half[i] = (uint32_t)((uint64_t)p[1 + i * 4 / sizeof(term)] >> 32 * (i % (sizeof(term) / 4)));
        }
        for (size_t left = n; left > 0;) { /* nine digits at a time, the last ones first */
            uint64_t rest = 0;
            for (size_t i = left; i > 0; i--) {
                rest = rest << 32 | half[i - 1];
                half[i - 1] = (uint32_t)(rest / 1000000000);
                rest %= 1000000000;
            }
            while (left > 0 && half[left - 1] == 0) {
                left--;
            }
            for (int i = 0; i < 9 && (left > 0 || rest > 0); i++, rest /= 10) {
                text[room - ++digits] = (uint8_t)('0' + rest % 10);
            }
        }
        if (HEADER_KIND(p[0]) == KIND_NEG_BIG) {
            text_byte(out, '-');
        }
        text_add(out, text + room - digits, digits);
    }
    mem_free(out->mem, MEM_TEMPORARY, half, half == NULL ? 0 : n * 4);
    mem_free(out->mem, MEM_TEMPORARY, text, text == NULL ? 0 : room);
}

static void print_float(Printer *p, double d) {
    if (p->options.as_display) {
        text_format(p->out, "%.6e", d);
        return;
    }
    char text[DTOA_SHORT_MAX];
    text_add(p->out, text, dtoa_short(d, text));
}

/* Identifiers. Those of other nodes show a number instead of 0: which one says nothing, but tells them apart. */

static unsigned node_number(term t) {
    return is_kind(t, KIND_EXTERNAL) ? atom_index(((External *)boxed(t))->node) : 0;
}

static void print_ref(Printer *p, term t) {
    uint32_t words[5];
    text_format(p->out, "#Ref<%u", node_number(t));
    for (size_t n = ref_words(t, words); n > 0; n--) {
        text_format(p->out, ".%u", words[n - 1]);
    }
    text_byte(p->out, '>');
}

static void print_fun(Printer *p, term t) {
    const ExternalHooks *hooks = p->vm->external;
    if (hooks == NULL) {
        text_string(p->out, "#Fun<>");
    } else if (kind_of(t) == KIND_EXPORT) {
        term module, name;
        uint32_t arity;
        hooks->describe_export(p->vm, fun_code(t), &module, &name, &arity);
        text_string(p->out, "fun ");
        print_atom(p->out, atom_text(p->vm, module), p->options.as_display);
        text_byte(p->out, ':');
        print_atom(p->out, atom_text(p->vm, name), p->options.as_display);
        text_format(p->out, "/%u", arity);
    } else {
        FunDescription d;
        hooks->describe_lambda(p->vm, fun_code(t), &d);
        Bytes module = atom_text(p->vm, d.module);
        text_string(p->out, "#Fun<");
        text_add(p->out, module.at, module.size);
        text_format(p->out, ".%u.%d>", d.old_index, (int)d.old_uniq);
    }
}

/* Strings. */

static bool is_printable(uint32_t c) {
    return (c >= ' ' && c < 127) || c >= 160 || c == '\n' || c == '\t' || c == '\r';
}

static bool is_string(term t, uint32_t max) {
    for (; is_cons(t); t = tail(t)) {
        term c = head(t);
        if (!is_small(c) || (uintptr_t)small_value(c) > max || !is_printable((uint32_t)small_value(c)) ||
            !is_character((uint32_t)small_value(c))) {
            return false;
        }
    }
    return t == NIL;
}

static void print_string(Printer *p, term t) {
    text_byte(p->out, '"');
    for (; is_cons(t) && p->out->size < p->end; t = tail(t)) {
        uint32_t c = (uint32_t)small_value(head(t));
        if (!p->options.as_display) {
            print_escaped(p->out, c, '"');
        } else if (c == '\n') {
            text_string(p->out, "\\n");
        } else {
            if (c == '"') {
                text_byte(p->out, '\\');
            }
            text_byte(p->out, (uint8_t)c);
        }
    }
    text_byte(p->out, '"');
}

static uint32_t bits_byte(Bits b, size_t i) {
    return (uint32_t)bitrun_read(b.at, b.start + 8 * i, 8);
}

static bool is_printable_bits(const Printer *p, Bits b) {
    bool printable = b.size > 0 && b.size % 8 == 0 && (p->options.strings || p->options.as_display);
    for (size_t i = 0; i < b.size / 8 && printable; i++) {
        uint32_t c = bits_byte(b, i);
        printable = (c >= ' ' && c < 127) || (!p->options.as_display && (c == '\n' || c == '\t' || c == '\r'));
    }
    return printable;
}

static void print_bits(Printer *p, Bits b) {
    Text *out = p->out;
    size_t bytes = b.size / 8;
    unsigned rest = b.size % 8;
    text_string(out, "<<");
    if (is_printable_bits(p, b)) {
        text_byte(out, '"');
        for (size_t i = 0; i < bytes && out->size < p->end; i++) {
            uint32_t c = bits_byte(b, i);
            if (!p->options.as_display) {
                print_escaped(out, c, '"');
                continue;
            }
            if (c == '"') {
                text_byte(out, '\\');
            }
            text_byte(out, (uint8_t)c);
        }
        text_byte(out, '"');
    } else {
        for (size_t i = 0; i < bytes && out->size < p->end; i++) {
            text_format(out, i == 0 ? "%u" : ",%u", bits_byte(b, i));
        }
        if (rest > 0) {
            text_format(out, bytes == 0 ? "%u:%u" : ",%u:%u", (unsigned)bitrun_read(b.at, b.start + 8 * bytes, rest), rest);
        }
    }
    text_string(out, ">>");
}

/* Compound terms. */

static void print_array(Printer *p, const term *at, size_t n, const char *close) {
    later_text(p, close);
    if (n > 0) {
        later(p, (uintptr_t)at, LAST_OF + n - 1);
    }
}

/* As erlang:display shows it: a node's bitmap, then its children, where a pair is a list cell. */
static void print_trie(Printer *p, const term *node) {
    bool root = HEADER_KIND(node[0]) == KIND_HASH_MAP;
    size_t skip = root ? 2 : 1;
    text_format(p->out, "%s<%lx>{", root ? "#" : "", (unsigned long)small_value(node[skip]));
    print_array(p, node + 1 + skip, HEADER_WORDS(node[0]) - skip, "}");
}

/* The pairs of a node, with a comma behind each; `last`: but the last. */
static void print_pairs(Printer *p, const term *node) {
    size_t skip = HEADER_KIND(node[0]) == KIND_HASH_MAP ? 2 : 1, n = HEADER_WORDS(node[0]) - skip;
    for (const term *child = node + skip + n; n > 0; n--, child--) {
        if (is_cons(*child)) {
            later(p, tail(*child), TERM);
            later_text(p, p->options.as_display ? "=>" : " => ");
            later(p, head(*child), TERM);
        } else {
            later(p, *child, PAIRS);
        }
        if (n > 1) {
            later_text(p, p->options.as_display ? "," : ", ");
        }
    }
}

static void print_map(Printer *p, const term *map) {
    if (HEADER_KIND(map[0]) == KIND_HASH_MAP) {
        if (p->options.as_display) {
            print_trie(p, map);
            return;
        }
        text_string(p->out, "#{");
        later_text(p, "}");
        print_pairs(p, map);
        return;
    }
    const term *keys = boxed(map[1]);
    text_string(p->out, "#{");
    later_text(p, "}");
    for (size_t i = HEADER_WORDS(map[0]) - 1; i > 0; i--) {
        later(p, map[1 + i], TERM);
        later_text(p, p->options.as_display ? "=>" : " => ");
        later(p, keys[i], TERM);
        if (i > 1) {
            later_text(p, p->options.as_display ? "," : ", ");
        }
    }
}

static void print_record(Printer *p, term t) {
    term definition = record_definition(t);
    text_byte(p->out, '#');
    print_atom(p->out, atom_text(p->vm, element(definition, RECORD_MODULE)), p->options.as_display);
    text_byte(p->out, ':');
    print_atom(p->out, atom_text(p->vm, element(definition, RECORD_NAME)), p->options.as_display);
    text_byte(p->out, '{');
    later_text(p, "}");
    for (size_t i = record_size(t); i-- > 0;) {
        later(p, record_values(t)[i], TERM);
        later_text(p, p->options.as_display ? "=" : " = ");
        later(p, record_keys(definition)[i], TERM);
        if (i > 0) {
            later_text(p, ",");
        }
    }
}

static void print_cell(Printer *p, term t) {
    term rest = tail(t);
    if (is_cons(rest)) {
        later(p, rest, REST_OF_LIST);
        later_text(p, ",");
    } else if (rest != NIL) {
        later(p, rest, TERM);
        later_text(p, "|");
    }
    later(p, head(t), TERM);
}

static void print_immediate(Printer *p, term t) {
    if (is_small(t)) {
        text_format(p->out, "%lld", (long long)small_value(t));
    } else if (is_atom(t)) {
        print_atom(p->out, atom_text(p->vm, t), p->options.as_display);
    } else if (t == NIL) {
        text_string(p->out, "[]");
    } else if (is_local_pid(t)) {
        text_format(p->out, "<0.%u.%u>", pid_number(t), pid_serial(t));
    } else if (is_local_port(t)) {
        text_format(p->out, "#Port<0.%llu>", (unsigned long long)port_number(t));
    } else {
        text_string(p->out, "<catch>");
    }
}

static void print_boxed(Printer *p, term t) {
    const term *o = boxed(t);
    Text *out = p->out;
    switch (HEADER_KIND(o[0])) {
    case KIND_TUPLE:
        text_byte(out, '{');
        print_array(p, o + 1, HEADER_WORDS(o[0]), "}");
        break;
    case KIND_RECORD: print_record(p, t); break;
    case KIND_MAP:
    case KIND_HASH_MAP: print_map(p, o); break;
    case KIND_HASH_NODE: print_trie(p, o); break;
    case KIND_FUN:
    case KIND_EXPORT: print_fun(p, t); break;
    case KIND_BIG:
    case KIND_NEG_BIG: print_big(out, t); break;
    case KIND_FLOAT: print_float(p, float_value(t)); break;
    case KIND_BITS:
    case KIND_VIEW: print_bits(p, bits_of(t)); break;
    case KIND_MATCH: text_string(out, "#MatchState"); break;
    case KIND_REF: print_ref(p, t); break;
    case KIND_EXTERNAL:
        if (is_pid(t)) {
            text_format(out, "<%u.%u.%u>", node_number(t), ((External *)o)->number[0], ((External *)o)->number[1]);
        } else if (is_port(t)) {
            text_format(out, "#Port<%u.%llu>", node_number(t), (unsigned long long)port_number(t));
        } else {
            print_ref(p, t);
        }
        break;
    default: text_string(out, "<unknown>");
    }
}

static void print_one(Printer *p, term t) {
    if (is_cons(t)) {
        if (p->options.as_display ? is_string(t, 255) : p->options.strings && is_string(t, 0x10ffff)) {
            print_string(p, t);
        } else {
            text_byte(p->out, '[');
            later_text(p, "]");
            print_cell(p, t);
        }
    } else if (is_immediate(t)) {
        print_immediate(p, t);
    } else {
        print_boxed(p, t);
    }
}

void term_print(Text *out, VM *vm, term t, const PrintOptions *options) {
    Printer p = {.out = out, .vm = vm, .options = options == NULL ? (PrintOptions){0} : *options};
    size_t start = out->size;
    p.end = p.options.max_chars == 0 ? SIZE_MAX : start + p.options.max_chars;
    stack_init(&p.todo);
    later(&p, t, TERM);
    while (!stack_is_empty(&p.todo) && out->size < p.end && !out->failed) {
        uintptr_t *r = p.todo.top -= 2;
        uintptr_t what = r[0], kind = r[1];
        switch (kind) {
        case TERM: print_one(&p, what); break;
        case TEXT: text_string(out, (const char *)what); break;
        case REST_OF_LIST: print_cell(&p, what); break;
        case PAIRS: print_pairs(&p, boxed(what)); break;
        default:
            if (kind > LAST_OF) {
                later(&p, what + sizeof(term), kind - 1);
                later_text(&p, ",");
            }
            later(&p, *(const term *)what, TERM);
        }
    }
    if (out->size > p.end || (!stack_is_empty(&p.todo) && !out->failed)) {
        out->size = MIN(out->size, p.end);
        while (out->size > start && (out->at[out->size - 1] & 0xc0) == 0x80) { /* no half characters */
            out->size--;
        }
        if (out->size > start && out->at[out->size - 1] >= 0xc0) {
            out->size--;
        }
        text_string(out, "...");
    }
    stack_done(&p.todo);
}
