/* The atom table: constant atoms in read-only memory, the others in pages that never move. Looking up needs no lock: an atom is there
   before its place in the hash table says so, and a hash table that has become too small is kept, as somebody may be reading it.
   All the old ones together are smaller than the one in use. */
#include "term/atom.h"

#include "base/lock.h"
#include "base/utf8.h"
#include "gen/atoms.inc"

/* Page k has room for FIRST_PAGE << k atoms. */
enum { FIRST_PAGE = 256, PAGES = 14, TEXT_BLOCK = 4000, FIRST_TABLE = 1024, NUMBER = 2 * ATOM_LIMIT - 1 };
_Static_assert((FIRST_PAGE << PAGES) - FIRST_PAGE >= ATOM_LIMIT, "all atoms have a place");

typedef struct {
    const uint8_t *text;
    uint32_t size;
    uint32_t hash; /* 0: not asked for yet */
} Atom;

/* Texts are cut from blocks, linked for the day the VM ends. */
typedef struct TextBlock {
    struct TextBlock *next;
    size_t size;
    uint8_t bytes[];
} TextBlock;

/* Open addressing by the hash of the text. */
typedef struct AtomTable {
    struct AtomTable *older;
    uint32_t size;
    uint32_t places[]; /* (atomic) number of the dynamic atom + 1, and in the bits above NUMBER those of the hash; 0: free */
} AtomTable;

typedef struct Atoms {
    Lock lock;        /* of who adds one */
    uint32_t count;   /* dynamic ones (atomic) */
    uint32_t limit;   /* of all */
    AtomTable *table; /* atomic */
    TextBlock *texts;
    size_t text_left; /* in the newest block */
    Atom *pages[PAGES];
} Atoms;

/* Fewer than eight bytes as one number. */
static inline uint64_t few_bytes(const uint8_t *p, size_t n) {
    if (n >= 4) { /* bytes that are there twice come to the same place */
        return (uint64_t)read_be32(p) << 8 * (n - 4) | read_be32(p + n - 4);
    }
    return n == 0 ? 0 : (uint64_t)p[0] << 8 * (n - 1) | (uint64_t)p[n / 2] << 8 * (n - 1 - n / 2) | p[n - 1];
}

/* Eight bytes at a time; the last eight may be there twice. tools/gen_atoms.py does the same. */
static uint32_t text_hash(const uint8_t *p, size_t n) {
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t h = n;
    if (n < 8) {
        h = (h << 8 * n | few_bytes(p, n)) * factor;
        return (uint32_t)(h ^ h >> 32);
    }
    const uint8_t *last = p + n - 8;
    for (;; p += 8) {
        p = p < last ? p : last;
        h = (h ^ read_be64(p)) * factor;
        h ^= h >> 32;
        if (p == last) {
            return (uint32_t)h;
        }
    }
}

/* hashpjw over the characters, where those of two bytes that fit Latin-1 count as one: part of phash2. */
static uint32_t pjw(const uint8_t *p, size_t n) {
    uint32_t h = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t v = p[i];
        if (i + 1 < n && (v & 0xfe) == 0xc2 && (p[i + 1] & 0xc0) == 0x80) {
            v = (uint8_t)(v << 6 | (p[++i] & 0x3f));
        }
        h = (h << 4) + v;
        uint32_t g = h & 0xf0000000;
        if (g != 0) {
            h ^= g >> 24;
            h ^= g;
        }
    }
    return h;
}

bool atoms_init(VM *vm) {
    _Static_assert((int)STATIC_ATOMS < (int)STATIC_HASH_SIZE && (int)STATIC_HASH_SIZE < UINT16_MAX, "their hash table has 16 bits");
    vm->atoms = MEM_NEW(&vm->mem, MEM_ATOM, Atoms);
    atoms_set_limit(vm, ATOM_LIMIT);
    return vm->atoms != NULL;
}

void atoms_set_limit(VM *vm, uint32_t limit) {
    if (vm->atoms != NULL) {
        vm->atoms->limit = MIN(MAX(limit, STATIC_ATOMS), ATOM_LIMIT);
    }
}
uint32_t atoms_limit(const VM *vm) {
    return vm->atoms->limit;
}

static size_t table_bytes(uint32_t size) {
    return sizeof(AtomTable) + size * sizeof(uint32_t);
}

void atoms_done(VM *vm) {
    Atoms *a = vm->atoms;
    if (a == NULL) {
        return;
    }
    for (TextBlock *b = a->texts, *next; b != NULL; b = next) {
        next = b->next;
        mem_free(&vm->mem, MEM_ATOM, b, sizeof *b + b->size);
    }
    for (size_t i = 0; i < PAGES && a->pages[i] != NULL; i++) {
        mem_free(&vm->mem, MEM_ATOM, a->pages[i], ((size_t)FIRST_PAGE << i) * sizeof(Atom));
    }
    for (AtomTable *t = a->table, *older; t != NULL; t = older) {
        older = t->older;
        mem_free(&vm->mem, MEM_ATOM, t, table_bytes(t->size));
    }
    MEM_DELETE(&vm->mem, MEM_ATOM, a);
    vm->atoms = NULL;
}

static inline uint32_t page_of(uint32_t n) {
    return 31 - (uint32_t)__builtin_clz(n / FIRST_PAGE + 1);
}

static inline Atom *dynamic_atom(const Atoms *a, uint32_t n) {
    uint32_t k = page_of(n);
    return &a->pages[k][n + FIRST_PAGE - ((uint32_t)FIRST_PAGE << k)];
}

static inline bool same_text(const uint8_t *p, size_t n, const uint8_t *q, size_t m) {
    if (n != m) {
        return false;
    }
    if (n < 8) {
        return few_bytes(p, n) == few_bytes(q, n);
    }
    for (size_t i = 0; i + 8 < n; i += 8) {
        if (read_be64(p + i) != read_be64(q + i)) {
            return false;
        }
    }
    return read_be64(p + n - 8) == read_be64(q + n - 8);
}

static inline Bytes static_text(uint32_t i) {
    uint32_t start = static_starts[i];
    return (Bytes){(const uint8_t *)static_texts + start, static_starts[i + 1] - start - 1u};
}

static term find_static(const uint8_t *p, size_t n, uint32_t hash) {
    const uint32_t index = STATIC_HASH_SIZE - 1, tag = 0xffff & ~index;
    for (uint32_t k = hash;; k += hash >> 20 | 1) {
        uint32_t found = static_hash[k & index], i = found & index;
        if (i == 0) {
            return NONE;
        }
        if ((found & tag) == (hash >> 16 & tag)) {
            Bytes text = static_text(i - 1);
            if (same_text(p, n, text.at, text.size)) {
                return ATOM(i - 1);
            }
        }
    }
}

static inline term find_dynamic(const Atoms *a, const uint8_t *p, size_t n, uint32_t hash) {
    const AtomTable *table = __atomic_load_n(&a->table, __ATOMIC_ACQUIRE);
    if (table == NULL) {
        return NONE;
    }
    for (uint32_t k = hash;; k++) {
        uint32_t found = __atomic_load_n(&table->places[k & (table->size - 1)], __ATOMIC_ACQUIRE), i = found & NUMBER;
        if (i == 0) {
            return NONE;
        }
        if ((found ^ hash) <= NUMBER) {
            const Atom *atom = dynamic_atom(a, i - 1);
            if (same_text(p, n, atom->text, atom->size)) {
                return ATOM(STATIC_ATOMS + i - 1);
            }
        }
    }
}

/* The atom is there from now on. */
static void put(AtomTable *table, uint32_t number, uint32_t hash) {
    uint32_t k = hash & (table->size - 1);
    while (table->places[k] != 0) {
        k = (k + 1) & (table->size - 1);
    }
    __atomic_store_n(&table->places[k], (number + 1) | (hash & ~(uint32_t)NUMBER), __ATOMIC_RELEASE);
}

static bool grow_table(VM *vm, Atoms *a, uint32_t size) {
    AtomTable *table = mem_zalloc(&vm->mem, MEM_ATOM, table_bytes(size));
    if (table == NULL) {
        return false;
    }
    table->older = a->table;
    table->size = size;
    for (uint32_t i = 0; i < a->count; i++) {
        const Atom *atom = dynamic_atom(a, i);
        put(table, i, text_hash(atom->text, atom->size));
    }
    __atomic_store_n(&a->table, table, __ATOMIC_RELEASE);
    return true;
}

void atoms_expect(VM *vm, uint32_t count) {
    Atoms *a = vm->atoms;
    uint32_t size = FIRST_TABLE;
    while (size < 2 * count) {
        size *= 2;
    }
    lock_take(&a->lock);
    if (a->table == NULL || a->table->size < size) {
        grow_table(vm, a, size); /* no memory: it grows when it must */
    }
    lock_give(&a->lock);
}

/* Room for one more. */
static bool make_room(VM *vm, Atoms *a) {
    return a->table == NULL ? grow_table(vm, a, FIRST_TABLE)
                            : 2 * (a->count + 1) <= a->table->size || grow_table(vm, a, 2 * a->table->size);
}

static const uint8_t *keep_text(VM *vm, Atoms *a, const uint8_t *p, size_t n) {
    if (a->text_left < n) {
        TextBlock *b = mem_alloc(&vm->mem, MEM_ATOM, sizeof *b + TEXT_BLOCK);
        if (b == NULL) {
            return NULL;
        }
        b->size = a->text_left = TEXT_BLOCK;
        b->next = a->texts, a->texts = b;
    }
    if (n == 0) {
        return (const uint8_t *)"";
    }
    uint8_t *to = a->texts->bytes + a->texts->size - a->text_left;
    a->text_left -= n;
    return memcpy(to, p, n);
}

/* Adds an atom that is not there; the text has been checked. */
static term add_atom(VM *vm, Atoms *a, const uint8_t *p, size_t n, uint32_t hash) {
    if (a->count >= a->limit - STATIC_ATOMS) {
        return NONE;
    }
    uint32_t k = page_of(a->count);
    if (a->pages[k] == NULL && (a->pages[k] = mem_alloc(&vm->mem, MEM_ATOM, ((size_t)FIRST_PAGE << k) * sizeof(Atom))) == NULL) {
        return NONE;
    }
    if (!make_room(vm, a)) {
        return NONE;
    }
    const uint8_t *text = keep_text(vm, a, p, n);
    if (text == NULL) {
        return NONE;
    }
    *dynamic_atom(a, a->count) = (Atom){text, (uint32_t)n, 0};
    put(a->table, a->count, hash);
    __atomic_store_n(&a->count, a->count + 1, __ATOMIC_RELEASE);
    return ATOM(STATIC_ATOMS + a->count - 1);
}

/* NONE: this can be an atom; else why not. A mistake in the first 255 characters counts before the length. */
static term check_text(const uint8_t *p, size_t n) {
    uint64_t all = n < 8 ? few_bytes(p, n) : read_be64(p + n - 8);
    for (size_t i = 0; i + 8 < n; i += 8) {
        all |= read_be64(p + i);
    }
    if ((all & 0x8080808080808080u) == 0 && n <= ATOM_MAX_CHARS) { /* nearly always */
        return NONE;
    }
    const uint8_t *end = p + n;
    for (int chars = 0; p < end; chars++) {
        uint32_t c;
        int size = utf8_read(p, end, &c);
        if (chars == ATOM_MAX_CHARS) {
            return A_system_limit;
        }
        if (size < 0) {
            return A_badarg;
        }
        p += size;
    }
    return NONE;
}

term atom_find(VM *vm, const uint8_t *utf8, size_t size) {
    if (size > UTF8_MAX * ATOM_MAX_CHARS) {
        return NONE;
    }
    uint32_t hash = text_hash(utf8, size);
    term t = find_static(utf8, size, hash);
    return t != NONE ? t : find_dynamic(vm->atoms, utf8, size, hash);
}

/* It was not there when there were `count` of them; another thread may have added it in the meantime. */
static term find_or_add(VM *vm, const uint8_t *utf8, size_t size, uint32_t hash, uint32_t count) {
    Atoms *a = vm->atoms;
    lock_take(&a->lock);
    term t = a->count == count ? NONE : find_dynamic(a, utf8, size, hash);
    if (t == NONE) {
        t = add_atom(vm, a, utf8, size, hash);
    }
    lock_give(&a->lock);
    return t;
}

term atom_intern(VM *vm, const uint8_t *utf8, size_t size, term *reason) {
    term why = A_system_limit;
    if (size <= UTF8_MAX * ATOM_MAX_CHARS) {
        uint32_t hash = text_hash(utf8, size);
        term t = find_static(utf8, size, hash);
        if (t != NONE) {
            return t;
        }
        uint32_t count = __atomic_load_n(&vm->atoms->count, __ATOMIC_ACQUIRE);
        if ((t = find_dynamic(vm->atoms, utf8, size, hash)) != NONE) {
            return t;
        }
        if ((why = check_text(utf8, size)) == NONE) {
            if ((t = find_or_add(vm, utf8, size, hash, count)) != NONE) {
                return t;
            }
            why = A_system_limit;
        }
    }
    if (reason != NULL) {
        *reason = why;
    }
    return NONE;
}

term atom_from(VM *vm, const char *text) {
    return atom_intern(vm, (const uint8_t *)text, strlen(text), NULL);
}

Bytes atom_text(const VM *vm, term atom) {
    uint32_t i = atom_index(atom);
    if (i < STATIC_ATOMS) {
        return static_text(i);
    }
    assert(i - STATIC_ATOMS <= __atomic_load_n(&vm->atoms->count, __ATOMIC_RELAXED)); /* one may have been found before it was counted */
    const Atom *a = dynamic_atom(vm->atoms, i - STATIC_ATOMS);
    return (Bytes){a->text, a->size};
}

int atom_compare(const VM *vm, term a, term b) {
    if (a == b) {
        return 0;
    }
    Bytes x = atom_text(vm, a), y = atom_text(vm, b);
    int order = memcmp(x.at, y.at, MIN(x.size, y.size));
    return order != 0 ? order : x.size < y.size ? -1 : 1;
}

uint32_t atom_hash(const VM *vm, term atom) {
    uint32_t i = atom_index(atom);
    if (i < STATIC_ATOMS) {
        Bytes text = static_text(i);
        return pjw(text.at, text.size);
    }
    Atom *dynamic = dynamic_atom(vm->atoms, i - STATIC_ATOMS);
    uint32_t hash = __atomic_load_n(&dynamic->hash, __ATOMIC_RELAXED);
    if (hash == 0) {
        hash = pjw(dynamic->text, dynamic->size);
        __atomic_store_n(&dynamic->hash, hash, __ATOMIC_RELAXED);
    }
    return hash;
}

size_t atom_count(const VM *vm) {
    return STATIC_ATOMS + __atomic_load_n(&vm->atoms->count, __ATOMIC_RELAXED);
}
