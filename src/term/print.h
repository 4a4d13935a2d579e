/* Terms as text, as erlang:display/1 and ~p (without line breaks) write them: for messages, dumps and the command line. */
#ifndef MOTE_TERM_PRINT_H
#define MOTE_TERM_PRINT_H

#include "base/text.h"
#include "term/vm.h"

typedef struct {
    size_t max_chars; /* then "..." ; 0: no limit */
    bool strings;     /* lists of printable characters as "text", binaries of them as <<"text">> */
    bool as_display;  /* to the byte what erlang:display/1 prints (implies strings; large maps show their trie) */
} PrintOptions;

/* options NULL: none of them. */
void term_print(Text *out, VM *vm, term t, const PrintOptions *options);
void atom_print(Text *out, VM *vm, term atom); /* quoted where Erlang needs it */

#endif
