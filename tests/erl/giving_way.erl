%% Long operations give way: while one runs, another process gets its turns. Counted in turns, not in time; what is counted on
%% Erlang/OTP says nothing, as there several schedulers run. The results are the same as there.
-module(giving_way).
-export([main/0]).

main() ->
    _ = [run(Name, Turns, X, F) || {Name, Turns, X, F} <- lists() ++ terms() ++ integers() ++ maps() ++ tables()],
    ok.

run(Name, Turns, X, F) ->
    Me = self(),
    {Pid, Ref} = spawn_monitor(fun() -> Me ! count(F, X) end),
    receive
        {Pid, N, Result} ->
            Good = N >= Turns orelse n(20) < 20 orelse not erlang:function_exported(mote_kernel, start, 3)
                orelse erlang:system_info(schedulers) > 1,
            io:format("~ts: ~w ~ts~n", [Name, erlang:phash2(Result), if Good -> "gives way"; true -> ["only ", integer_to_list(N), " turns"] end]);
        {'DOWN', Ref, _, _, Reason} ->
            io:format("~ts: ~p~n", [Name, Reason])
    end.

%% Sizes. In slow builds they are too small for turns to be counted; there the results alone matter.
n(N) -> t:shrink(N).

%% How many turns another process has while F runs.
count(F, X) ->
    Counter = counters:new(1, []),
    Ticker = spawn_link(fun() -> tick(Counter) end),
    erlang:yield(),
    Before = counters:get(Counter, 1),
    Result = F(X),
    After = counters:get(Counter, 1),
    unlink(Ticker),
    exit(Ticker, kill),
    {self(), After - Before, Result}.

tick(Counter) ->
    counters:add(Counter, 1, 1),
    erlang:yield(),
    tick(Counter).

lists() ->
    L = lists:seq(1, n(200000)),
    [
        {"++", 1, L, fun(X) -> X ++ [a] end},
        {"--", 4, {L, lists:seq(1, n(200000), 2)}, fun({X, Y}) -> X -- Y end},
        {"-- of few", 1, {L, [5, 5, n(200000), x]}, fun({X, Y}) -> X -- Y end},
        {"-- of the same", 4, {lists:duplicate(n(100000), a) ++ [b], lists:duplicate(n(99999), a)}, fun({X, Y}) -> X -- Y end},
        {"reverse", 1, L, fun(X) -> lists:reverse(X) end},
        {"member", 2, L, fun(X) -> lists:member(x, X) end},
        {"sort", 20, [erlang:phash2(I) || I <- L], fun(X) -> lists:sort(X) end},
        {"list_to_binary", 1, lists:duplicate(n(500000), $a), fun(X) -> list_to_binary(X) end}
    ].

terms() ->
    L = [{I, #{I => x}, [I | "text"], <<I:32>>} || I <- lists:seq(1, n(50000))],
    Wide = list_to_tuple(lists:seq(1, n(200000))),
    [
        {"phash2 of a list", 5, L, fun(X) -> erlang:phash2(X) end},
        {"phash2 of a tuple", 2, Wide, fun(X) -> erlang:phash2(X, 1 bsl 32) end},
        {"phash2 of a binary", 3, binary:copy(<<"some bytes">>, n(1000000)), fun(X) -> erlang:phash2(X) end},
        {"phash2 of bits", 3, <<5:3, (binary:copy(<<"abcdefghijk">>, n(1000000)))/bits>>, fun(<<_, X/bits>>) -> {erlang:phash2(X), erlang:phash2([X, #{X => {X}}, a])} end},
        {"phash2 of many", 0, [binary:copy(<<"x">>, I) || I <- [98303, 98304, 98305, 98316, 196607, 196608, 196609]],
            fun(X) -> [erlang:phash2(B) || A <- X, B <- [A, <<A/bits, 1:1>>, {A, A}]] end},
        {"phash2 of text", 0, lists:duplicate(n(300001), $t), fun(X) -> erlang:phash2([a | X]) end},
        {"phash2 of a large map", 4, maps:from_list([{I, {I}} || I <- lists:seq(1, n(100000))]), fun(X) -> erlang:phash2(X) end},
        {"external_size", 3, L, fun(X) -> erlang:external_size(X) end},
        {"term_to_binary", 3, L, fun(X) -> erlang:phash2(term_to_binary(X)) end},
        {"term_to_binary, compressed", 10, L, fun(X) -> erlang:phash2(term_to_binary(X, [compressed])) end},
        {"binary_to_term", 3, term_to_binary(L), fun(X) -> binary_to_term(X) end},
        {"md5", 2, binary:copy(<<"abc">>, n(500000)), fun(X) -> erlang:md5(X) end}
    ].

integers() ->
    N = power(7, n(50000)),
    Text = integer_to_list(N),
    Binary = integer_to_binary(-N),
    [
        {"integer_to_list", 1, N, fun(X) -> integer_to_list(X) end},
        {"integer_to_binary", 1, -N, fun(X) -> integer_to_binary(X) end},
        {"integer_to_list in base 36", 1, N, fun(X) -> integer_to_list(X, 36) end},
        {"list_to_integer", 1, Text, fun(X) -> list_to_integer(X) end},
        {"binary_to_integer", 1, Binary, fun(X) -> binary_to_integer(X) end},
        {"what is behind", 1, Text ++ " more", fun(X) -> string:list_to_integer(X) end},
        {"no integer", 0, Text ++ "x", fun(X) -> {'EXIT', {badarg, _}} = (catch list_to_integer(X)) , badarg end},
        {"powers of ten", 0, [4095, 4096, 8191, 8192, 8193, 16384], fun(Es) -> [around(power(10, E)) || E <- Es] end}
    ].

around(N) ->
    [true = (list_to_integer(integer_to_list(X)) =:= X) || X <- [N - 1, N, N + 1, -N]],
    [integer_to_list(X) || X <- [N - 1, N, N + 1, -N]].

power(_, 0) -> 1;
power(B, E) when E rem 2 =:= 0 -> power(B * B, E div 2);
power(B, E) -> B * power(B, E - 1).

maps() ->
    Of = fun(From, To, V) -> maps:from_list([{I, V} || I <- lists:seq(From, To)]) end,
    [
        {"merge", 1, {Of(1, n(100000), a), Of(n(50000), n(150000), b)}, fun({X, Y}) -> maps:merge(X, Y) end},
        {"merge of the same", 0, Of(1, n(100000), a), fun(X) -> X =:= maps:merge(X, X) end},
        {"merge into a superset", 0, {Of(1, n(100000), a), Of(500, 600, a)}, fun({X, Y}) -> X =:= maps:merge(X, Y) end},
        {"from_list", 2, [{I, I} || I <- lists:seq(1, n(100000))], fun(X) -> maps:from_list(X) end},
        {"to_list", 5, Of(1, n(100000), a), fun(X) -> lists:sort(maps:to_list(X)) end}
    ].

tables() ->
    Rows = [{I rem n(20000), I} || I <- lists:seq(1, n(40000))],
    Insert = fun(Type, F) -> fun(X) -> T = ets:new(t, [Type]), {ets:F(T, X), lists:sort(ets:tab2list(T))} end end,
    [
        {"insert into a set", 4, Rows, Insert(set, insert)},
        {"insert into a bag", 4, Rows, Insert(bag, insert)},
        {"insert into an ordered set", 4, Rows, Insert(ordered_set, insert)},
        {"insert_new", 4, Rows, Insert(duplicate_bag, insert_new)},
        {"seen by others at once", 0, Rows, fun together/1},
        {"insert of what is no object", 0, Rows ++ [x], fun bad/1},
        {"match_delete", 3, filled(n(100000)), fun(T) -> {ets:match_delete(T, {'_', '_'}), ets:tab2list(T), ets:info(T, size), ets:insert(T, {a, 1}), ets:tab2list(T)} end},
        {"select_delete", 3, filled(n(100000)), fun(T) ->
            ets:safe_fixtable(T, true),
            N = ets:select_delete(T, [{{'$1', '_'}, [{'=<', '$1', n(10000)}], [true]}]),
            K = ets:first(T),
            ets:delete(T, K),
            M = ets:select_delete(T, [{{'$1', '_'}, [{'>', '$1', n(10000) + 20}], [true]}]),
            Next = ets:next(T, K),
            ets:safe_fixtable(T, false),
            {N, M, K, Next, ets:info(T, size), lists:sort(ets:tab2list(T))} end},
        {"delete", 1, Rows, fun(X) -> T = ets:new(t, []), ets:insert(T, X), ets:delete(T) end}
    ].

filled(N) ->
    T = ets:new(t, [public]),
    ets:insert(T, [{I, I} || I <- lists:seq(1, N)]),
    T.

%% Whoever looks sees nothing or everything.
together(Rows) ->
    T = ets:new(t, [duplicate_bag, public]),
    N = length(Rows),
    Watcher = spawn_link(fun() -> watch(T, N) end),
    true = ets:insert(T, Rows),
    Watcher ! {self(), done},
    receive {Watcher, Seen} -> Seen end.

watch(T, N) ->
    case length(ets:lookup(T, 1)) of
        0 -> ok;
        2 -> ok
    end,
    case ets:info(T, size) of
        0 -> ok;
        N -> ok
    end,
    receive
        {From, done} -> From ! {self(), ets:info(T, size)}
    after 0 ->
        erlang:yield(),
        watch(T, N)
    end.

bad(Rows) ->
    T = ets:new(t, []),
    {'EXIT', {badarg, [{ets, insert, [_, _], _} | _]}} = (catch ets:insert(T, Rows)),
    {'EXIT', {badarg, _}} = (catch ets:insert(T, [{1} | {2}])),
    ets:tab2list(T).
