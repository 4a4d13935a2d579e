/* Tracing that is not there: tags of dynamic trace probes (no such probes), as OTP built without them answers. */
#include "bif/bif.h"

BIF(erlang, dt_get_tag, 0) {
    return A_undefined;
}

BIF(erlang, dt_get_tag_data, 0) {
    return A_undefined;
}

BIF(erlang, dt_put_tag, 1) {
    return A_undefined;
}

BIF(erlang, dt_spread_tag, 1) {
    return A_true;
}

BIF(erlang, dt_restore_tag, 1) {
    return A_true;
}

BIF(erlang, dt_append_vm_tag_data, 1) {
    return a[0];
}

BIF(erlang, dt_prepend_vm_tag_data, 1) {
    return a[0];
}
