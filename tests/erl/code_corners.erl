%% Code that the verifier or an instruction once treated wrongly: each case stands for a defect that OTP's own suites showed.
-module(code_corners).
-export([main/0]).

main() ->
    t:show("guard results used where the compiler knows that they are set", fun() ->
        [maps_in_guards(M) || M <- [#{abc => 1, def => 2}, #{jkl => 1, def => 2}, #{abc => 1, mno => 2}, #{jkl => 1}, #{}]] end),
    t:show("the matched term named in badmatch", fun() -> {rest(<<1, 2, 3, 4, 5, 6, 7, 8, 9>>), class_of(fun() -> rest(id(<<1>>)) end)} end),
    t:show("a tail of more than 64 bits' number of bits", fun() -> [tail(<<0:N>>) || N <- [0, 1, 8, 64]] end),
    t:show("first missing key", fun() ->
        M = #{a => 1, 1 => x},
        [class_of(F) || F <- [fun() -> M#{42.0 := v, 42 := v2} end, fun() -> M#{z := 1, b := 2, a := 3} end,
                              fun() -> M#{1.0 := v, 1 := v2} end, fun() -> M#{{id(1)} := 1, [1] := 2} end]] end),
    t:show("raise with a class that is none", fun() -> raise_badly(fun() -> abs(id(x)) end) end),
    t:show("hibernate with bad arguments", fun() ->
        [class_of(fun() -> erlang:hibernate(M, F, A) end)
         || {M, F, A} <- [{x, y, lists:duplicate(5122, z)}, {42, name, [0]}, {xx, 42, [1]}, {xx, 42, glurf}, {xx, yy, {}}]] end),
    t:show("apply with bad arguments", fun() ->
        [class_of(fun() -> apply(id(M), F, A) end) || {M, F, A} <- [{x, y, lists:duplicate(5122, z)}, {42, name, [0]}, {xx, yy, [a | b]}]] end).

id(X) -> X.

class_of(F) ->
    try F() catch C:R -> {C, R} end.

maps_in_guards(#{} = Map) ->
    case case Abc = is_map_key(abc, Map) of false -> false; _ -> is_map_key(def, Map) end of
        true -> {def, abc};
        false ->
            case case Jkl = is_map_key(jkl, Map) of false -> false; _ -> is_map_key(def, Map) end of
                true -> {def, jkl};
                false ->
                    case case Abc of false -> false; _ -> is_map_key(mno, Map) end of
                        true -> {mno, abc};
                        false ->
                            case Jkl of
                                true -> jkl;
                                false -> error
                            end
                    end
            end
    end.

rest(A) when is_binary(A) ->
    <<Bin:8/binary, _/binary>> = A,
    Bin.

tail(<<_:0, _:18446744073709551616>>) -> huge;
tail(<<_:0, _:4294967297>>) -> large;
tail(<<_:8>>) -> byte;
tail(<<>>) -> empty;
tail(_) -> other.

raise_badly(F) ->
    try F() catch _:E:Stk -> erlang:raise(bad_class, E, Stk) end.
