/* Match specifications: [{Pattern, [Guard], [Expression]}], as ets:select takes them, compiled to a small program that is run on
   one object after the other.

   The program of a clause has two parts. The pattern walks the object with a pointer to the element at hand, and a stack of
   pointers to compound elements that are to be walked later. Guards and body are expressions for a stack of values.

   Values are not copied as long as they are only looked at; what becomes part of a result is (see match_run). */
#ifndef MOTE_TABLE_MATCH_SPEC_H
#define MOTE_TABLE_MATCH_SPEC_H

#include "base/text.h"
#include "table/object.h"
#include "table/tables.h"

/* A function that guards and bodies may call. NONE: it failed. */
typedef term GuardFunction(Process *p, const term *args);
/* Finds one; NULL: there is none. Built-ins are in a room below: who compiles gives this. */
typedef GuardFunction *GuardLookup(VM *vm, term name, size_t arity);

typedef struct MatchSpec {
    Resource resource; /* so that Erlang code can hold it */
    uintptr_t *code;
    size_t code_size, code_room;
    size_t *starts; /* of the clauses, in code; and one more */
    size_t clauses;
    size_t values, pointers, stack; /* room that a run needs: variables and their like; pointers; values of expressions */
    Object *spec;                   /* {Spec}: a copy of its own, which constants point into */
} MatchSpec;

/* What a specification is for: objects of tables, or arguments of calls, as a list. A body for calls may be empty;
   what comes out there is always true. */
typedef enum { MATCH_TABLE, MATCH_TRACE } MatchDialect;
/* What only bodies of traces may have: enable_trace and the like. */
typedef struct {
    term name;
    uint8_t least, most;        /* arguments */
    bool in_guards, of_calls;   /* allowed in guards; only where the event is a call */
    GuardFunction *function[3]; /* with `least`, least + 1 ... arguments */
} MatchForm;
typedef struct {
    GuardLookup *lookup;
    MatchDialect dialect;
    bool at_least_one;      /* a specification without clauses is a mistake */
    const MatchForm *forms; /* of traces */
    size_t form_count;
    bool no_call;   /* the event is no call */
    Text *mistakes; /* all that are found, in words, each with a byte 0 behind it; NULL: the first one ends it */
} MatchOptions;

/* One reference. NULL: *reason says why: A_badarg, A_system_limit (too deep, or no memory). */
MatchSpec *match_compile(VM *vm, term spec, const MatchOptions *o, term *reason);
MatchSpec *match_spec_of(term ref); /* NULL: it is no compiled match specification */

/* Does what the body makes of what the pattern matches always have the same key? As far as a look at both can tell. */
bool match_keeps_key(VM *vm, size_t keypos, term clause);

static inline term match_source(const MatchSpec *m) { /* as it was given to match_compile */
    return m->spec->data[1];
}
/* The pattern of the i-th clause. */
term match_pattern(const MatchSpec *m, size_t clause);
bool is_match_variable(VM *vm, term t);    /* '$0', '$1' ... */
bool match_is_bound(VM *vm, term pattern); /* no variables: as a key it stands for exactly one value */
bool match_has_map(VM *vm, term pattern);  /* which matches other maps, too, where it is a part of a pattern */
/* The order of a key pattern without maps and a key, as far as it can be told: 0 where a variable comes before the first difference. */
int match_compare_partly(VM *vm, term pattern, term key);

/* Runs it on a term: the value of the first clause that matches, or NONE. The value may share parts of the term. */
term match_run(MatchSpec *m, Process *p, term t);
/* The same on an object of a table: the value is all on p's heap. With `look` it is not: good for comparing it only. */
term match_run_object(MatchSpec *m, Process *p, const Object *o, bool look);

/* The instructions; operands in the order they follow. */
typedef enum {
    /* Patterns. `at` is the element at hand; most go on to the one behind it. */
    MATCH_ANY,
    MATCH_BIND,  /* value */
    MATCH_SAME,  /* value */
    MATCH_WORD,  /* immediate */
    MATCH_TERM,  /* constant */
    MATCH_TUPLE, /* arity: to be walked later */
    MATCH_CONS,  /* to be walked later */
    MATCH_MAP,   /* value where to put it, least size */
    MATCH_KEY,   /* value with the map, key, value where to put what it finds, and go on there */
    MATCH_POP,   /* go on with what waits */
    /* Expressions. */
    EXPR_CONST,      /* constant */
    EXPR_COPY_CONST, /* constant, as part of a result */
    EXPR_VALUE,      /* value */
    EXPR_COPY_VALUE, /* value, as part of a result */
    EXPR_OBJECT,
    EXPR_COPY_OBJECT,
    EXPR_BINDINGS,   /* count, then so many values: a list of them, as part of a result if the first operand is not 0 */
    EXPR_LIST,       /* elements; the tail lies above them */
    EXPR_MAKE_TUPLE, /* elements */
    EXPR_MAKE_MAP,   /* pairs */
    EXPR_CALL,       /* function, arity */
    EXPR_COPY_CALL,  /* the same, as part of a result */
    EXPR_LENGTH,
    EXPR_SELF,
    EXPR_AND,      /* count */
    EXPR_OR,       /* count */
    EXPR_AND_ALSO, /* distance to jump when it is decided */
    EXPR_OR_ELSE,  /* the same */
    EXPR_DROP,
    EXPR_GUARD, /* must be true */
    EXPR_CATCH, /* the body begins: failures are values from here on */
    EXPR_RETURN,
} MatchOp;

#endif
