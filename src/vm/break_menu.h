/* What ^C in the terminal leads to: OTP's menu. */
#ifndef MOTE_VM_BREAK_MENU_H
#define MOTE_VM_BREAK_MENU_H

#include "term/vm.h"

/* Shows the menu and does what is chosen; all schedulers stand still meanwhile. Returns, or ends the process. */
void break_menu(VM *vm);

#endif
