/* Where in the source an address of code comes from, as Erlang sees it. */
#include "base/utf8.h"
#include "code/module.h"
#include "term/atom.h"

static term module_file(Heap *h, term module) {
    Bytes name = atom_text(h->vm, module);
    term list = heap_latin1_list(h, ".erl", 4);
    uint32_t chars[ATOM_MAX_CHARS];
    int n = 0;
    for (const uint8_t *at = name.at, *end = at + name.size; at < end && n < ATOM_MAX_CHARS;) {
        int size = utf8_read(at, end, &chars[n++]);
        assert(size > 0);
        at += size;
    }
    while (n > 0) {
        list = heap_cons(h, SMALL(chars[--n]), list);
    }
    return list;
}

uint32_t code_place(Heap *h, ModuleCode *code, const Module *module, const Function *f, const void *at, term *file) {
    BeamLine line;
    if (!code_line(h->vm, code, f, at, &line)) {
        return 0;
    }
    *file = line.file < code->file_count ? code->files[line.file] : NIL;
    if (line.file == 0 || *file == NIL) {
        *file = module_file(h, module->name);
    }
    return line.line;
}
