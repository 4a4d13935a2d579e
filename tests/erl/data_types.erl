%% Terms of every type: construction, matching, tests, order, printing.
-module(data_types).
-export([main/0, id/1]).

-record(r, {a = 1, b, c = []}).

main() ->
    Values = [0, -1, 1 bsl 59, -(1 bsl 59), 1 bsl 60, 1 bsl 64, -(1 bsl 64), 1 bsl 200, 1.0, -0.0, 1.5e300, 1.0e-300, 0.1, 100.0,
              1.0e22, 123456789.123, a, 'A b', '', 'é', [], [a], [a | b], "text", [1, 2, 3 | 4], {}, {1}, {a, b, c}, <<>>, <<1, 2>>,
              <<"hello">>, <<5:3>>, #{}, #{a => 1}, #{1 => #{2 => 3}}, fun lists:map/2, [[[]]], {[], {}}],
    _ = [io:format("~p ~w~n", [V, types(V)]) || V <- Values],
    io:format("~p~n", [lists:sort(Values)]),
    io:format("~w~n", [[[cmp(A, B) || B <- Values] || A <- Values]]),
    io:format("~w~n", [[erlang:phash2(V) || V <- Values]]),
    io:format("~w~n", [[erlang:phash2(V, 1000) || V <- Values]]),
    t:all([
        {"record", fun() -> R = #r{b = 2}, {R, R#r.b, R#r{a = x}, is_record(R, r), is_record(id({r, 1}), r)} end},
        {"tuple ops", fun() -> T = {a, b, c}, {element(2, T), setelement(2, T, x), tuple_size(T), erlang:append_element(T, d), erlang:delete_element(1, T), erlang:insert_element(2, T, y)} end},
        {"make_tuple", fun() -> {erlang:make_tuple(3, x), erlang:make_tuple(4, 0, [{2, b}, {4, d}]), tuple_to_list({1, 2}), list_to_tuple([a])} end},
        {"list ops", fun() -> L = [3, 1, 2], {hd(L), tl(L), length(L), L ++ [4], L -- [1], lists:sort(L), lists:reverse(L)} end},
        {"match", fun() -> [m(X) || X <- [{a, 1}, {b, [1, 2]}, [x, y | z], "abc", #{k => v}, <<1, 2, 3>>, 3.0, 3, other]] end},
        {"select", fun() -> [sel(X) || X <- [1, 5, 100, -3, a, b, foo, 1.0, {}, {1}, {1, 2}, 1 bsl 70]] end},
        {"big tuple", fun() -> T = list_to_tuple(lists:seq(1, 300)), {element(300, T), tuple_size(setelement(150, T, x))} end},
        {"atoms", fun() -> {atom_to_list(abc), list_to_atom("x y"), atom_to_binary(é), binary_to_atom(<<"ü"/utf8>>), list_to_existing_atom("abc")} end},
        {"no such atom", fun() -> list_to_existing_atom("no such atom here " ++ integer_to_list(id(77))) end},
        {"long atom", fun() -> list_to_atom(lists:duplicate(256, $a)) end},
        {"refs", fun() -> R = make_ref(), {is_reference(R), R =:= R, R =:= make_ref()} end},
        {"pids", fun() -> P = self(), {is_pid(P), P =:= self(), P =:= list_to_pid(pid_to_list(P))} end},
        {"min max", fun() -> {min(1, a), max({}, []), min(1.0, 1), max(1, 1.0)} end},
        {"compare mixed", fun() -> {1 == 1.0, 1 =:= 1.0, 1 < a, a < make_ref(), {1, 2} < {0, 0, 0}, [1, 2] < [1, 3], #{a => 1} < #{b => 0}, <<1>> < <<1, 0>>} end},
        {"big float compare", fun() -> {(1 bsl 64) == float(1 bsl 64), (1 bsl 64) + 1 > float(1 bsl 64), 9007199254740993 == 9007199254740992.0} end}
    ]).

id(X) -> X.

types(V) ->
    [T || {T, true} <- [{integer, is_integer(V)}, {float, is_float(V)}, {number, is_number(V)}, {atom, is_atom(V)}, {boolean, is_boolean(V)}, {list, is_list(V)},
                        {tuple, is_tuple(V)}, {binary, is_binary(V)}, {bitstring, is_bitstring(V)}, {map, is_map(V)}, {function, is_function(V)}]].

cmp(A, B) when A < B -> -1;
cmp(A, B) when A > B -> 1;
cmp(A, B) when A =:= B -> 0;
cmp(_, _) -> same.

m({a, X}) -> {one, X};
m({b, [X | T]}) -> {two, X, T};
m([x, y | T]) -> {three, T};
m("ab" ++ T) -> {four, T};
m(#{k := V}) -> {five, V};
m(<<A, R/binary>>) -> {six, A, R};
m(3.0) -> seven;
m(3) -> eight;
m(_) -> nine.

sel(1) -> one;
sel(5) -> five;
sel(100) -> hundred;
sel(-3) -> minus;
sel(a) -> a;
sel(b) -> bb;
sel(foo) -> bar;
sel(1.0) -> float;
sel({}) -> t0;
sel({_}) -> t1;
sel({_, _}) -> t2;
sel(_) -> other.
