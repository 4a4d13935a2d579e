# A module of a program's own whose name is that of one that only a later OTP has: its functions are the program's, not built-ins.
. tests/lib/command.sh

module records <<'.'
-export([create/4, get/2, main/1]).
create(A, B, C, D) -> {mine, A, B, C, D}.
get(A, B) -> {got, A, B}.
main(_) -> io:format("~w ~w ~w~n", [create(1, 2, 3, 4), (fun get/2)(a, b), apply(?MODULE, create, [1, 2, 3, 4])]).
.
ask='io:format("~w~n", [{records:create(a, b, c, d), erlang:is_builtin(records, create, 4), catch ets:first_lookup(x)}]), halt().'

run erl -noshell -eval 'halt(list_to_integer(erlang:system_info(otp_release)))'
[ "$status" -lt 27 ] || exit 0
mote records.beam
out_is '{mine,1,2,3,4} {got,a,b} {mine,1,2,3,4}'; err_is ""; status_is 0
mote -pa . -e 'records:get(1, 2)'
out_is '{got,1,2}'; status_is 0
mote erl -noshell -pa . -eval "$ask"
out_has '{{mine,a,b,c,d},false,{'; out_has undef; status_is 0
