/* mote pack create | list | extract | delete: AVM packs on the command line. */
#ifndef MOTE_VM_CMD_PACK_H
#define MOTE_VM_CMD_PACK_H

/* argv[0] is the word pack. The exit status. */
int cmd_pack(int argc, char **argv);

#endif
