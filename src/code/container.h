/* The container of a .beam file: a gzip file perhaps, in it an IFF form of chunks. */
#ifndef MOTE_CODE_CONTAINER_H
#define MOTE_CODE_CONTAINER_H

#include "code/reader.h"

typedef struct {
    Mem *mem;
    Bytes form;           /* the whole of it, inflated */
    Bytes chunks[CHUNKS]; /* of those that are there: where; the others: at NULL */
    uint8_t *inflated;    /* a block for a file that was compressed; else NULL */
    size_t inflated_room;
} Container;

/* Finds the chunks. The bytes must stay. `name` is what messages call the file; *error is cleared first. */
bool container_open(Container *c, Mem *mem, const char *name, Bytes file, LoadError *error);
void container_close(Container *c);

/* Reads a .beam file but for what running it never needs (debug information, documentation ...): the form with the other chunks,
   in a block of MEM_CODE. False: it is not a plain .beam file, or cannot be read. */
bool container_gather(Mem *mem, int fd, Bytes *form);

/* The table of literals: a count, then sizes and external terms. Inflated into *block of *size bytes if it is compressed (else
   *block is NULL). table->at is NULL if the file has no literals. */
bool container_literals(const Bytes chunks[CHUNKS], Mem *mem, Bytes *table, uint8_t **block, size_t *size, LoadError *error);

#endif
