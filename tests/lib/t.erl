%% What tests print with: a line per expression, its value or the exception it raised.
-module(t).
-export([show/2, all/1, trace/2, sorted/1, seed/0, count/0, shrink/1, rand/2, pick/2]).

%% Prints Label and what F() returns or raises (with the explanation that error_info leads to).
show(Label, F) ->
    io:format("~ts: ~0tp~n", [Label, result(F)]).

all(Rows) ->
    _ = [show(L, F) || {L, F} <- Rows],
    ok.

result(F) ->
    try
        F()
    catch
        throw:V -> {thrown, V};
        exit:R -> {exited, R};
        error:R:S -> {error, R, head(S)}
    end.

%% The top of a stack trace: the function that failed, with its arguments if they are known, and what error_info says.
head([{M, F, A, Info} | _]) ->
    case proplists:get_value(error_info, Info) of
        undefined -> {M, F, A};
        Map -> {M, F, A, Map}
    end;
head(_) ->
    none.

%% Prints the whole trace, without what concerns the test runner.
trace(Label, F) ->
    Text =
        try F() of
            V -> {ok, V}
        catch
            C:R:S -> {C, R, [frame(X) || X <- S, not lists:member(element(1, X), [t, init, erl_eval, mote_kernel])]}
        end,
    io:format("~ts: ~0tp~n", [Label, Text]).

frame({M, F, A, Info}) -> {M, F, A, lists:keydelete(error_info, 1, Info)}.

sorted(M) when is_map(M) -> lists:sort(maps:to_list(M)).

seed() -> number("SEED", 1).
count() -> number("COUNT", 100).

%% A size for this build: smaller where everything takes long.
shrink(N) -> max(1, N div number("SHRINK", 1)).

number(Name, Default) ->
    case os:getenv(Name) of
        false -> Default;
        Text -> list_to_integer(Text)
    end.

%% Random numbers that are the same everywhere: {0 .. N - 1, next state}.
rand(N, S0) ->
    S = (S0 * 6364136223846793005 + 1442695040888963407) band 16#ffffffffffffffff,
    {(S bsr 33) rem N, S}.

pick(List, S0) ->
    {I, S} = rand(length(List), S0),
    {lists:nth(I + 1, List), S}.
