%% Random expressions, compiled on the fly by the compiler (also a test of it) and evaluated: the same source must be the same
%% machine code and the same value, guards, exceptions and all.
-module(r_programs).
-export([main/0]).

main() ->
    N = max(5, t:count() div 60),
    run(N, t:seed() * 7919).

run(0, _) -> ok;
run(N, S0) ->
    {Forms, S1} = module(S0),
    {ok, M, Beam} = compile:forms(Forms, [binary, deterministic]),
    io:format("~w ~w~n", [N, erlang:md5(Beam)]),
    {module, M} = code:load_binary(M, "random", Beam),
    _ = [io:format("~w ~w ~w~n", [A, B, without_traces(try M:f(A, B, [B, A, 3]) catch C:R -> {C, R} end)]) || A <- args(), B <- args()],
    true = code:delete(M),
    code:purge(M),
    run(N - 1, S1).

%% What catch has made of an error, without its stack trace.
without_traces([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(A) orelse is_integer(A), is_list(L) -> trace;
without_traces([H | T]) -> [without_traces(H) | without_traces(T)];
without_traces(T) when is_tuple(T) -> list_to_tuple(without_traces(tuple_to_list(T)));
without_traces(M) when is_map(M) -> maps:from_list(without_traces(maps:to_list(M)));
without_traces(X) -> X.

args() -> [0, 1, -7, 1 bsl 64, 2.5, a, [1, 2], {x, 1}, <<1, 2, 3>>, #{k => 1}].

module(S0) ->
    {Clauses, S1} = clauses(3, S0),
    {[{attribute, 1, module, random_program}, {attribute, 1, export, [{f, 3}]}, {function, 1, f, 3, Clauses ++ [last()]}, helper()], S1}.

last() -> {clause, 1, [v('A'), v('B'), v('_')], [], [{tuple, 1, [v('A'), v('B')]}]}.

helper() -> {function, 2, g, 1, [{clause, 2, [{integer, 2, 0}], [], [{atom, 2, zero}]}, {clause, 2, [{cons, 2, v('H'), v('_')}], [], [v('H')]}, {clause, 2, [v('X')], [], [{tuple, 2, [v('X')]}]}]}.

clauses(0, S) -> {[], S};
clauses(N, S0) ->
    {G, S1} = guard(S0),
    {E, S2} = expr(4, ['A', 'B', 'C'], S1),
    {Cs, S3} = clauses(N - 1, S2),
    {[{clause, 1, [v('A'), v('B'), v('C')], [[G]], [E]} | Cs], S3}.

v(N) -> {var, 1, N}.

guard(S0) ->
    {K, S1} = t:rand(8, S0),
    {X, S2} = t:pick(['A', 'B'], S1),
    {I, S3} = t:rand(5, S2),
    G = case K of
        0 -> {call, 1, {atom, 1, is_integer}, [v(X)]};
        1 -> {op, 1, '>', v('A'), {integer, 1, I}};
        2 -> {op, 1, '=:=', {op, 1, '+', v(X), {integer, 1, I}}, v('B')};
        3 -> {call, 1, {atom, 1, is_list}, [v(X)]};
        4 -> {op, 1, '=<', v('A'), v('B')};
        5 -> {op, 1, 'andalso', {call, 1, {atom, 1, is_tuple}, [v(X)]}, {op, 1, '==', {call, 1, {atom, 1, element}, [{integer, 1, 1}, v(X)]}, {atom, 1, x}}};
        6 -> {op, 1, 'orelse', {call, 1, {atom, 1, is_map}, [v(X)]}, {call, 1, {atom, 1, is_binary}, [v('B')]}};
        7 -> {op, 1, '>=', {call, 1, {atom, 1, length}, [v('C')]}, {integer, 1, I}}
    end,
    {G, S3}.

expr(0, Vars, S0) ->
    {K, S1} = t:rand(6, S0),
    case K of
        0 -> {I, S2} = t:rand(100, S1), {{integer, 1, I}, S2};
        1 -> {A, S2} = t:pick([a, b, x, ok], S1), {{atom, 1, A}, S2};
        2 -> {I, S2} = t:rand(1 bsl 20, S1), {{float, 1, I / 16}, S2};
        _ -> {V, S2} = t:pick(Vars, S1), {v(V), S2}
    end;
expr(D, Vars, S0) ->
    {K, S1} = t:rand(16, S0),
    {A, S2} = expr(D - 1, Vars, S1),
    {B, S3} = expr(D - 1, Vars, S2),
    case K of
        0 -> {{op, 1, '+', A, B}, S3};
        1 -> {{op, 1, '*', A, B}, S3};
        2 -> {{op, 1, '-', A, B}, S3};
        3 -> {{tuple, 1, [A, B]}, S3};
        4 -> {{cons, 1, A, B}, S3};
        5 -> {{call, 1, {atom, 1, g}, [A]}, S3};
        6 -> {Op, S4} = t:pick(['<', '==', '=:=', '>=', '/='], S3), {{op, 1, Op, A, B}, S4};
        7 -> {{'case', 1, A, [{clause, 1, [{tuple, 1, [v('_'), v('_')]}], [], [B]}, {clause, 1, [{cons, 1, v('_'), v('_')}], [], [{atom, 1, list}]}, {clause, 1, [v('_')], [], [A]}]}, S3};
        8 -> {{map, 1, [{map_field_assoc, 1, A, B}, {map_field_assoc, 1, {atom, 1, k}, A}]}, S3};
        9 -> {{'catch', 1, {op, 1, 'div', A, B}}, S3};
        10 -> {{'try', 1, [{op, 1, 'rem', A, B}], [], [{clause, 1, [{tuple, 1, [{atom, 1, error}, v('_'), v('_')]}], [], [{tuple, 1, [{atom, 1, caught}, A]}]}], []}, S3};
        11 -> {{bin, 1, [{bin_element, 1, {integer, 1, D}, {integer, 1, 5}, default}, {bin_element, 1, A, {integer, 1, 11}, [integer, signed]}]}, S3};
        12 -> N = list_to_atom("V" ++ integer_to_list(S3)), {E, S4} = expr(D - 1, [N | Vars], S3), {{call, 1, {'fun', 1, {clauses, [{clause, 1, [v(N)], [], [E]}]}}, [A]}, S4};
        13 -> {{lc, 1, {tuple, 1, [v('L'), A]}, [{generate, 1, v('L'), v('C')}]}, S3};
        14 -> {{call, 1, {'fun', 1, {clauses, [{clause, 1, [v('F')], [], [{tuple, 1, [v('F'), B]}]}]}}, [A]}, S3};
        15 -> {Op, S4} = t:pick(['band', 'bor', 'bxor', 'bsl', 'bsr'], S3), {{op, 1, Op, A, {op, 1, 'band', B, {integer, 1, 31}}}, S4}
    end.
