%% Exceptions: try, catch, after, raise, stack traces.
-module(exceptions).
-export([main/0, id/1]).

main() ->
    t:all([
        {"catch value", fun() -> catch id(1) end},
        {"catch throw", fun() -> catch throw(x) end},
        {"catch exit", fun() -> catch exit(x) end},
        {"catch error", fun() -> {'EXIT', {R, [{M, F, A, _} | _]}} = (catch error(boom)), {R, M, F, A} end},
        {"catch badarith", fun() -> {'EXIT', {R, [_ | _]}} = (catch 1 + id(a)), R end},
        {"try of", fun() -> try id(5) of 5 -> five; _ -> other catch _:_ -> caught end end},
        {"try_clause", fun() -> try id(6) of 5 -> five catch _:_ -> caught end end},
        {"after", fun() -> try id(1) after self() ! done end, receive done -> ok after 0 -> no end end},
        {"after with error", fun() -> try try error(x) after put(after_ran, yes) end catch error:x -> get(after_ran) end end},
        {"nested", fun() -> try try throw(inner) catch throw:inner -> throw(outer) end catch throw:X -> X end end},
        {"class filter", fun() -> try try exit(e) catch throw:_ -> wrong end catch exit:Y -> {right, Y} end end},
        {"rethrow raise", fun() -> try try error(first) catch C:R:S -> erlang:raise(C, R, S) end catch error:first -> same end end},
        {"raise exit", fun() -> try erlang:raise(exit, why, []) catch exit:why:St -> St end end},
        {"raise bad class", fun() -> erlang:raise(id(no), why, []) end},
        {"error/2", fun() -> error(reason, [a, b]) end},
        {"error/3", fun() -> error(reason, [a], [{error_info, #{cause => because}}]) end},
        {"badmatch", fun() -> {a, _} = id({b, 1}) end},
        {"badmatch tuple", fun() -> {_, _} = id({b, 1, 2}) end},
        {"case_clause", fun() -> case id(3) of 1 -> a; 2 -> b end end},
        {"if_clause", fun() -> X = id(3), if X > 5 -> a; X < 0 -> b end end},
        {"function_clause", fun() -> f(id(3), x) end},
        {"badarith", fun() -> id(1) / id(0) end},
        {"badarith div", fun() -> id(1) div id(0) end},
        {"badarg element", fun() -> element(id(3), id({1, 2})) end},
        {"badarg hd", fun() -> hd(id([])) end},
        {"badarg length", fun() -> length(id([1 | 2])) end},
        {"badarg atom", fun() -> atom_to_list(id(1)) end},
        {"badmap", fun() -> (id(3))#{a => 1} end},
        {"badkey", fun() -> (id(#{}))#{a := 1} end},
        {"maps:get", fun() -> maps:get(a, id(#{b => 1})) end},
        {"guards do not raise", fun() -> g(id(x)) end},
        {"or else", fun() -> (id(false)) orelse id(x) end},
        {"bad boolean", fun() -> id(x) andalso true end},
        {"not", fun() -> not id(3) end},
        {"throw in fun", fun() -> lists:foreach(fun(X) -> X > 2 andalso throw({found, X}) end, [1, 2, 3]) end},
        {"deep", fun() -> try deep(10000) catch throw:bottom -> reached end end},
        {"nocatch", fun() -> {P, R} = spawn_monitor(fun() -> group_leader(spawn(fun() -> ok end), self()), exit({nocatch_like, 1}) end), receive {'DOWN', R, _, P, Why} -> Why end end}
    ]),
    t:trace("trace error", fun() -> outer(1) end),
    t:trace("trace throw", fun() -> lists:map(fun(X) -> throw({X, here}) end, [1]) end),
    t:trace("trace arith", fun() -> arith(a) end),
    t:trace("trace clause", fun() -> f(9, [y]) end),
    t:trace("trace bif", fun() -> bif(x) end),
    t:trace("trace undef", fun() -> undef_call() end),
    ok.

id(X) -> X.

f(1, _) -> one;
f(2, _) -> two.

g(X) when X + 1 > 0 -> positive;
g(X) when length(X) > 1 -> list;
g(X) when element(1, X) =:= a -> tuple;
g(_) -> none.

deep(0) -> throw(bottom);
deep(N) -> 1 + deep(N - 1).

outer(X) -> [middle(X), 1].

middle(X) -> {inner(X), 2}.

inner(X) -> error({inner, X}).

arith(X) -> {X + 1}.

bif(X) -> {atom_to_list(X), list_to_atom(X)}.

undef_call() -> [foo_bar_baz:quux(1)].
