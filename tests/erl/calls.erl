%% Calls: local, external, tail, funs of all kinds, apply, undefined functions.
-module(calls).
-export([main/0, add/2, loop/2, mf/1]).

main() ->
    t:all([
        {"local", fun() -> add(1, 2) end},
        {"deep", fun() -> deep(100000) end},
        {"tail", fun() -> loop(1000000, 0) end},
        {"mutual", fun() -> {even(10001), odd(10001)} end},
        {"external", fun() -> ?MODULE:add(3, 4) end},
        {"apply", fun() -> apply(?MODULE, add, [5, 6]) end},
        {"apply var", fun() -> M = mf(?MODULE), F = mf(add), M:F(7, 8) end},
        {"apply bif", fun() -> M = mf(erlang), F = mf(length), M:F([1, 2, 3]) end},
        {"fun", fun() -> (fun(X) -> X * 2 end)(21) end},
        {"closure", fun() -> A = mf(1), B = mf(two), C = mf("three"), (fun(X) -> {A, B, C, X} end)(4) end},
        {"named fun", fun() -> (fun F(0) -> 0; F(N) -> N + F(N - 1) end)(100) end},
        {"fun local", fun() -> (fun add/2)(1, 1) end},
        {"fun external", fun() -> (fun ?MODULE:add/2)(1, 2) end},
        {"fun external bif", fun() -> (fun erlang:abs/1)(-3) end},
        {"apply fun", fun() -> apply(fun(A, B) -> A - B end, [5, 3]) end},
        {"map over", fun() -> lists:map(fun(X) -> X + 1 end, [1, 2, 3]) end},
        {"fun in fun", fun() -> F = fun(X) -> fun(Y) -> X + Y end end, (F(1))(2) end},
        {"equal external", fun() -> {fun lists:map/2 =:= fun lists:map/2, fun lists:map/2 == fun lists:foldl/3} end},
        {"is_function", fun() -> F = fun(_) -> ok end, {is_function(F), is_function(F, 1), is_function(F, 2), is_function(fun lists:map/2, 2), is_function(x)} end},
        {"fun_info", fun() -> {arity, A} = erlang:fun_info(fun(_, _) -> ok end, arity), {erlang:fun_info(fun lists:map/2, name), A} end},
        {"many args", fun() -> many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) end},
        {"badarity", fun() -> try (mf(fun(X) -> X end))(1, 2) catch error:{badarity, {F, A}} -> {is_function(F, 1), A} end end},
        {"badfun", fun() -> (mf(not_a_fun))(1) end},
        {"badfun number", fun() -> (mf(17))() end},
        {"undef function", fun() -> ?MODULE:nothing(1, 2) end},
        {"undef module", fun() -> no_such_module:f(a) end},
        {"undef apply", fun() -> apply(mf(lists), mf(no_such), [1, 2]) end},
        {"apply bad args", fun() -> apply(?MODULE, add, mf([1 | 2])) end},
        {"apply bad module", fun() -> apply(mf(1), add, [1, 2]) end},
        {"function_clause", fun() -> only_atoms(mf(1)) end},
        {"exported", fun() -> [erlang:function_exported(?MODULE, add, 2), erlang:function_exported(?MODULE, deep, 1), erlang:function_exported(erlang, abs, 1)] end},
        {"module_info", fun() -> {?MODULE:module_info(module), lists:sort(?MODULE:module_info(exports))} end}
    ]).

mf(X) -> X.
add(A, B) -> A + B.

deep(0) -> 0;
deep(N) -> 1 + deep(N - 1).

loop(0, A) -> A;
loop(N, A) -> loop(N - 1, A + 1).

even(0) -> true;
even(N) -> odd(N - 1).
odd(0) -> false;
odd(N) -> even(N - 1).

many(A, B, C, D, E, F, G, H, I, J, K, L) -> [A, B, C, D, E, F, G, H, I, J, K, L, lists:sum([A, B, C, D, E, F, G, H, I, J, K, L])].

only_atoms(A) when is_atom(A) -> A.
