%% Conversions between encodings, and modules that rest on them.
-module(unicode_text).
-export([main/0]).

main() ->
    conversions(),
    large(),
    t:all(failures()),
    strings(),
    ok.

print(Label, V) -> io:format("~ts: ~w~n", [Label, V]).

conversions() ->
    Data = ["plain", "äöü€𝄞", <<"binary">>, <<"grün"/utf8>>, ["a", [<<"b">> | <<"ü"/utf8>>], 16#20ac], [], [[]], <<200, 201>>, [<<195>>, <<188>>], [<<195>>], [<<195>>, 65],
            [$a, 16#d800, $b], [$a, 16#110000], ["x", [["y", <<255>>], "z"]], [1 bsl 70], <<16#e2, 16#82>>, ["ok" | <<16#e2, 16#82>>]],
    [print("to " ++ atom_to_list(F), [try unicode:F(D, E) catch error:R -> R end || E <- [latin1, utf8, unicode, {utf16, big}, utf16, {utf16, little}, utf32, {utf32, little}, nothing]])
     || F <- [characters_to_list, characters_to_binary], D <- Data],
    [print("to " ++ lists:flatten(io_lib:format("~w", [Out])), [try unicode:characters_to_binary(D, In, Out) catch error:R -> R end
                                                               || D <- ["aü€", <<"aü€"/utf8>>, <<200>>, "plain", <<"ü">>], In <- [latin1, utf8]]) || Out <- [latin1, utf8, utf16, {utf32, little}]],
    print("nf", [{unicode:characters_to_nfd_list(S), unicode:characters_to_nfc_list(S), unicode:characters_to_nfc_binary(S)} || S <- ["ä", [97, 776], <<"é"/utf8>>]]),
    print("bom", [unicode:bom_to_encoding(B) || B <- [<<239, 187, 191, 65>>, <<254, 255>>, <<255, 254>>, <<0, 0, 254, 255>>, <<"x">>]]).

large() ->
    T = lists:flatten(lists:duplicate(20000, "Zwölf Boxkämpfer € ")),
    B = unicode:characters_to_binary(T),
    print("there and back", {length(T), byte_size(B), erlang:md5(B), unicode:characters_to_list(B) =:= T}),
    Nested = lists:foldl(fun(I, A) -> [I, <<"ß"/utf8>>, A] end, [], lists:seq(1, 30000)),
    NB = unicode:characters_to_binary(Nested),
    print("nested", {byte_size(NB), erlang:md5(NB), length(unicode:characters_to_list(Nested)), length(unicode:characters_to_list([NB, NB], latin1))}),
    {error, Good, _} = unicode:characters_to_binary([B, 255, <<255>>, B]),
    print("late error", byte_size(Good)),
    {error, GoodList, Rest} = unicode:characters_to_list(<<B/binary, 255, B/binary>>),
    print("late error in a binary", {length(GoodList), byte_size(Rest)}),
    <<_:2, U/bits>> = <<0:2, B/binary>>,
    print("unaligned", {unicode:characters_to_list(U) =:= T, unicode:characters_to_binary(U) =:= B, unicode:characters_to_binary([U, "x"]) =:= <<B/binary, "x">>}).

failures() ->
    [{"atom", fun() -> unicode:characters_to_binary(a) end},
     {"atom inside", fun() -> unicode:characters_to_binary(["abc", [x]], utf8) end},
     {"list", fun() -> unicode:characters_to_list(["abc" | x], latin1) end},
     {"bits", fun() -> unicode:characters_to_list(<<1:1>>) end},
     {"encoding", fun() -> unicode:characters_to_list("abc", foo) end},
     {"large bad", fun() -> try unicode:characters_to_binary([lists:duplicate(100000, $a), b]) catch C:R -> {C, R} end end}].

strings() ->
    print("string", [string:length(<<"häß€"/utf8>>), string:uppercase(<<"straße"/utf8>>), string:lowercase("ÄÖÜ"), string:titlecase("über"), string:reverse("añb"),
                     string:split(<<"a, b, c">>, <<", ">>, all), string:trim("  x  "), string:pad("ab", 5), string:find("hello", "ll"), string:replace("hello", "l", "L", all),
                     string:lexemes("a b  c", " "), string:slice("abcdef", 2, 3), string:equal("Å", [$A, 778], true, nfc), string:to_graphemes("e" ++ [769, $x]), string:casefold("GROẞ")]),
    print("formatted", lists:flatten(io_lib:format("~ts ~tp ~w ~s~n", ["ü€", <<"ü€"/utf8>>, "ü", <<"latin">>]))).
