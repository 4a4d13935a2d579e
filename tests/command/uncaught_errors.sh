# An uncaught error: class, reason, stack with source lines, and the source line itself; colours on a terminal only.
. tests/lib/command.sh

module boom <<'.'
-export([main/1]).
main(["arith"]) -> first(0);
main(["throw"]) -> throw({ball, "text"});
main(["exit"]) -> exit(enough);
main(["match"]) -> {a, _} = lists:reverse([b, c]);
main(["case"]) -> case length("abc") of 2 -> two end;
main(["bif"]) -> X = atom_to_list(list_to_integer("5")), {X};
main(["key"]) -> maps:get(key, #{});
main(["undef"]) -> nothing:here(1, 2);
main(["fun"]) -> (fun(a) -> b end)(list_to_atom("c"));
main(["large"]) -> error({large, lists:seq(1, 10000)});
main(["unicode"]) -> error({"äöü", <<"€"/utf8>>}).
first(X) -> {ok, 1 / X}.
.
says() { # WORD TEXT...
    mote boom.beam "$1"
    out_is ""; status_is 127
    shift
    for text in "$@"; do err_has "$text"; done
    err_lacks mote_kernel
}
says arith "exception error" "arithmetic expression" "boom:first/1 (boom.erl, line 14)" "boom.erl:14:" "  first(X) -> {ok, 1 / X}."
says throw "exception throw" '{ball,"text"}' "boom.erl:4:"
says exit "exception exit" enough
says match "no match of right hand side value" "[c,b]" 'main(["match"]) ->'
says case "no case clause matching 3" "boom.erl:7:"
says bif "bad argument" "atom_to_list(5)" "not an atom"
says key "bad key: key" "map_get(key,#{})"
says undef "undefined function nothing:here/2"
says fun "no function clause matching" "boom.erl:11:"
says large "large"
[ "${#err}" -lt 2000 ] || echo "the large term is not cut"
says unicode "äöü"
mote boom.beam
err_has "no function clause matching" ; err_has "boom:main([])"; status_is 127
rm boom.erl
says arith "boom:first/1 (boom.erl, line 14)"
err_lacks "first(X)"

# On a terminal in colour.
run script -qec "$MOTE boom.beam arith" /dev/null
out_has "$(printf '\033[1;31m')"

# A process that dies by an error is reported, and the program goes on.
module child <<'.'
-export([start/0]).
start() ->
    {_, R} = spawn_monitor(fun() -> error(bad_child) end),
    receive {'DOWN', R, process, _, {bad_child, _}} -> timer:sleep(500) end.
.
mote child.beam
out_has bad_child; out_has "Return value: ok"; status_is 0
