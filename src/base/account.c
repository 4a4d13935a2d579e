/* Accounts: see the header. */
#include "base/account.h"

_Thread_local Account *account_here;

Account *account_new(Mem *m, Account *outer, const uint64_t limit[ACCOUNT_ITEMS]) {
    Account *a = MEM_NEW(m, MEM_PROCESS, Account);
    if (a != NULL) {
        a->outer = account_keep(outer);
        a->refs = 1;
        a->over = ACCOUNT_NOTHING;
        memcpy(a->limit, limit, sizeof a->limit);
    }
    return a;
}

Account *account_keep(Account *a) {
    if (a != NULL) {
        __atomic_fetch_add(&a->refs, 1, __ATOMIC_RELAXED);
    }
    return a;
}

void account_release(Mem *m, Account *a) {
    while (a != NULL && __atomic_sub_fetch(&a->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        Account *outer = a->outer;
        MEM_DELETE(m, MEM_PROCESS, a);
        a = outer;
    }
}

bool account_add(Account *a, AccountItem item, uint64_t by) {
    bool exceeded = false;
    for (; a != NULL && by != 0; a = a->outer) {
        uint64_t is = __atomic_add_fetch(&a->used[item], by, __ATOMIC_RELAXED);
        exceeded |= is > a->limit[item] && is - by <= a->limit[item];
    }
    return exceeded;
}

static Account *exceeded(Account *a, AccountItem item) {
    while (a != NULL && __atomic_load_n(&a->used[item], __ATOMIC_RELAXED) <= a->limit[item]) {
        a = a->outer;
    }
    return a;
}

bool account_exceeds(Account *a, AccountItem item) {
    return exceeded(a, item) != NULL;
}

/* The first limit that is overrun stays the one. */
static void overrun(Account *a, AccountItem item) {
    int32_t nothing = ACCOUNT_NOTHING;
    if (a != NULL) {
        __atomic_compare_exchange_n(&a->over, &nothing, (int32_t)item, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
}

void account_judge(Account *a, AccountItem item) {
    overrun(exceeded(a, item), item);
}

Account *account_over(Account *a) {
    while (a != NULL && __atomic_load_n(&a->over, __ATOMIC_SEQ_CST) == ACCOUNT_NOTHING) {
        a = a->outer;
    }
    return a;
}

bool account_refuses(size_t bytes) {
    Account *a = account_here;
    while (a != NULL && bytes <= a->limit[ACCOUNT_MEMORY]) {
        a = a->outer;
    }
    overrun(a, ACCOUNT_MEMORY);
    return a != NULL;
}
