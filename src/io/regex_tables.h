/* What the characters of Latin-1 are, in the form that PCRE2 wants it: OTP up to 27 has these tables built in. */
#ifndef MOTE_IO_REGEX_TABLES_H
#define MOTE_IO_REGEX_TABLES_H

#include "base/base.h"

enum { REGEX_TABLES_SIZE = 1088 };
void regex_tables_latin1(uint8_t tables[REGEX_TABLES_SIZE]);

#endif
