%% Code of the standard library.
-module(b_library).
-export([programs/0]).

programs() ->
    [{scan_parse, fun() -> scan(200) end},
     {io_format, fun() -> format(40000) end},
     {gb_trees, fun() -> trees(150000) end},
     {dict_sets, fun() -> sets(200000) end},
     {strings, fun() -> strings(12000) end},
     {term_to_binary, fun() -> external(300) end},
     {ets_table, fun() -> table(600000) end},
     {queue_array, fun() -> queue_array(300000) end}].

scan(0) -> 0;
scan(N) ->
    Text = lists:append(lists:duplicate(40, "f(X, [H|T]) when X > 10 -> {ok, lists:map(fun(Y) -> Y * 2.5 + X end, T), \"text\"}; ")) ++ "f(_, _) -> error.",
    {ok, Tokens, _} = erl_scan:string(Text),
    {ok, Form} = erl_parse:parse_form(Tokens),
    size(Form) + scan(N - 1).

format(0) -> 0;
format(N) ->
    L = io_lib:format("~p ~w ~s ~.3f ~10..0b~n", [{N, [a, "b", <<"c">>]}, #{k => N}, "str", N / 3, N]),
    iolist_size(L) + format(N - 1) band 16#ffff.

trees(N) ->
    T = lists:foldl(fun(I, A) -> gb_trees:enter(I * 7919 rem 100003, I, A) end, gb_trees:empty(), lists:seq(1, N)),
    lists:sum([case gb_trees:lookup(I, T) of {value, _} -> 1; none -> 0 end || I <- lists:seq(1, N)]).

sets(N) ->
    D = lists:foldl(fun(I, A) -> dict:update_counter(I rem 5000, 1, A) end, dict:new(), lists:seq(1, N)),
    O = ordsets:from_list([I * 31 rem 7001 || I <- lists:seq(1, N)]),
    dict:size(D) + ordsets:size(O).

strings(0) -> 0;
strings(N) ->
    S = string:uppercase("the quick brown fox jumps over the lazy dog"),
    W = string:split(S, " ", all),
    J = string:join([string:reverse(X) || X <- W], "-"),
    length(string:trim(string:pad(J, 60))) + strings(N - 1) band 16#ffff.

external(0) -> 0;
external(N) ->
    T = [{I, <<I:64>>, "a string", #{a => I, b => [I]}, 1.5 * I} || I <- lists:seq(1, 500)],
    B = term_to_binary(T),
    length(binary_to_term(B)) + external(N - 1).

table(N) ->
    T = ets:new(t, [set, public]),
    _ = [ets:insert(T, {I band 16383, I}) || I <- lists:seq(1, N)],
    S = lists:sum([ets:lookup_element(T, I band 16383, 2) band 1 || I <- lists:seq(1, N)]),
    _ = ets:update_counter(T, 1, 5),
    S + length(ets:select(T, [{{'$1', '$2'}, [{'<', '$1', 1000}], ['$2']}])).

queue_array(N) ->
    Q = lists:foldl(fun queue:in/2, queue:new(), lists:seq(1, N)),
    A = lists:foldl(fun(I, X) -> array:set(I rem 1000, I, X) end, array:new(), lists:seq(1, N)),
    drain(Q, 0) + array:get(77, A).

drain(Q, S) ->
    case queue:out(Q) of
        {{value, V}, R} -> drain(R, (S + V) band 16#ffff);
        {empty, _} -> S
    end.
