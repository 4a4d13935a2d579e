%% Raising by apply: the caller is in the stack trace, though the call is a tail call.
-module(applied_raises).
-export([main/0, tail/3, tail1/2, list/3, twice/2]).
main() ->
    [io:format("~p~n", [try F() catch C:R:S -> {C, R, lists:sublist(S, 2)} end]) || F <- [
      fun() -> tail(id(erlang), id(exit), oops) end, fun() -> tail(id(erlang), id(error), oops) end, fun() -> tail(id(erlang), throw, oops) end,
      fun() -> list(id(erlang), id(exit), [oops]) end, fun() -> list(id(erlang), error, [oops]) end, fun() -> list(erlang, id(throw), [oops]) end,
      fun() -> tail1(id(erlang), oops) end, fun() -> put(a, tail(id(erlang), id(exit), oops)) end,
      fun() -> list(id(erlang), id(error), [oops, [1,2]]) end, fun() -> tail(id(erlang), id(length), oops) end,
      fun() -> twice(id(erlang), [oops]) end, fun() -> twice(id(erlang), [oops, [1]]) end, fun() -> put(a, twice(id(erlang), oops)) end,
      fun() -> list(erlang, id(apply), [erlang, apply, [erlang, apply, [erlang, exit, [oops]]]]) end]].
id(X) -> X.
tail(M, F, A) -> M:F(A).
tail1(M, A) -> M:exit(A).
list(M, F, A) -> apply(M, F, A).
twice(M, A) -> M:apply(M, error, A).
