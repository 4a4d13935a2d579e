/* The emulator's flags: whatever the words, as many are read as are there, or the complaint says why not. The input's words end
   with a zero byte each. */
#include "fuzz.h"

#include <string.h>

#include "vm/emu_flags.h"

enum { WORDS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *words[WORDS + 2] = {"emulator"};
    char *text = malloc(size + 1);
    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    int count = 1;
    for (size_t at = 0; at < size && count <= WORDS; at += strlen(text + at) + 1) {
        words[count++] = text + at;
    }
    EmuFlags flags;
    SystemFlags system;
    memset(&flags, 0, sizeof flags);
    memset(&system, 0, sizeof system);
    int read = emu_flags_read(&flags, &system, count, words);
    MUST(read >= 0 && read <= count && memchr(flags.complaint, '\0', sizeof flags.complaint) != NULL);
    MUST(read != 0 || flags.complaint[0] != '\0');
    MUST(memchr(flags.idle, '\0', sizeof flags.idle) != NULL);
    free(text);
    return 0;
}
