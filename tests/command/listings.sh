# mote disasm: generic and specialised instructions, one function, machine code.
. tests/lib/command.sh

module code <<'.'
-export([start/0, f/1, f/2]).
start() -> f(1) + f(2, [x]).
f(X) -> X + 1.
f(X, [_ | _]) -> {X, "a literal", <<X:16>>, fun(Y) -> Y + X end}.
.
mote disasm code.beam
for word in "code:start/0" "code:f/1" "code:f/2" "func_info code f 1" "gc_bif" "put_tuple2" "a literal" "module_info/1" bs_create_bin make_fun3; do
    out_has "$word"
done
err_is ""; status_is 0
mote disasm code.beam code:f/1
out_has "code:f/1"; status_is 0
case $out in *code:f/2*) complain "should list f/1 only" ;; esac
mote disasm code.beam f/2
out_has "code:f/2"; status_is 0
mote disasm --native code.beam f/1
out_has "f/1: native"; status_is 0
mote disasm code.beam nosuch/7
out_is ""; one_line "$err"; err_has nosuch/7; status_is 1
mote disasm missing.beam
out_is ""; one_line "$err"; err_has "missing.beam: No such file"; status_is 1
echo x >text.beam
mote disasm text.beam
out_is ""; one_line "$err"; status_is 1
mote disasm
err_has usage; status_is 2
