%% re: patterns, options of both kinds, what is captured, mistakes, and what OTP's own Erlang code makes of it.
-module(regular_expressions).
-export([main/0]).

main() ->
    matches(),
    captures(),
    options(),
    newlines(),
    wholes(),
    unicode(),
    characters(),
    literals(),
    limits(),
    mistakes(),
    compiled(),
    bad_arguments().

run(S, P) -> run(S, P, []).
run(S, P, O) -> show({S, P, O}, fun() -> re:run(S, P, O) end).

%% Compiled patterns differ.
show({S, P, O}, F) when is_tuple(P) -> show({S, pattern, O}, F);
show(Label, F) -> t:show(io_lib:format("~0p", [Label]), F).

matches() ->
    [run("abcdefgABC 123_x.y\n", P) || P <- ["c", "C", "[c-f]+", "(b)(c)(zz)?", "\\d+", "\\w+$", "^a.*?3", "(?i)abc.*(abc)", "(?<n>\\d)(?<m>\\d)",
                                               "x\\.y", "^b", "\\babc\\b", "(a|ab)(c|bcd)(d*)", "(?=.*\\d)\\w", "(?<!a)b", "(?<=a)b", "a++b", "(?>a+)b",
                                               "(.)(.)(?2)", "(?|(a)|(b))(c)?", "\\Aabc", "y$", "y\\z", "y\\Z", "\\G.", "[^a-z]", "[[:upper:]]+", "\\x41", "\\101", "(x)?(y)?(a)"]],
    [run(S, "(a*)(b|c)?") || S <- ["", "b", "aab", "ccc", <<>>, <<"aac">>, [$a, <<"a">>, ["b"]], [[[]]]]].

captures() ->
    S = "one two three four",
    P = "(?<first>\\w+) (\\w+) (?<third>zz)?(?<last>\\w+)",
    [run(S, P, [{capture, V, T}]) || V <- [all, all_but_first, all_names, first, none, [], [0], [1, 2, 3, 4, 9], [last, first, third, nope], ["last", <<"first">>, 2], [-1, 1]],
                                     T <- [index, list, binary]],
    [run(list_to_binary(S), P, [{capture, all, T}]) || T <- [index, list, binary]],
    [run(S, P, [{capture, V}]) || V <- [all, first, [2, 1]]],
    [run("ab", "(?<x>a)|(?<x>b)", [dupnames, {capture, [x], list}, {offset, N}]) || N <- [0, 1]],
    [run("ab", "(?<x>q)?(?<y>b)(?<x>c)?", [dupnames, {capture, all_names, T}]) || T <- [index, binary]],
    run("ab", "a", [{capture, all_names, list}]),
    [run("abc", "(a)(b)?(z)?", [{capture, V, T}]) || V <- [all, [1, 2, 3]], T <- [index, list, binary]].

options() ->
    S = "Foo\nbar foo\n",
    [run(S, P, O) || P <- ["foo", "^bar", "o$", "F.*r", "f o o # x"],
                     O <- [[], [caseless], [multiline], [dotall], [extended], [anchored], [dollar_endonly], [firstline], [{offset, 4}], [notbol], [noteol],
                           [caseless, {offset, 2}], [multiline, dotall], [ungreedy], [no_start_optimize], [ucp], [never_utf]]],
    [run("aaa", P, O) || P <- ["a*", "a*?", "(a)(a)", "$"], O <- [[notempty], [notempty_atstart], [ungreedy], [no_auto_capture], [noteol], [{offset, 3}]]],
    [run("(ab)", "(a)(b)", O) || O <- [[no_auto_capture], [anchored], [{offset, 1}, anchored]]].

newlines() ->
    S = "a\rb\nc\r\nd\x{85}e\vf",
    [run(S, P, [{newline, N} | O]) || P <- ["^.+$", "b$", "a.b", "^d"] , N <- [cr, lf, crlf, any, anycrlf], O <- [[], [multiline]]],
    [run(S, "\\R", [global, B]) || B <- [bsr_anycrlf, bsr_unicode]],
    {ok, C} = re:compile("^.+$", [multiline]),
    [run(S, C, O) || O <- [[], [{newline, cr}], [{newline, crlf}, {offset, 2}]]],
    [run("x\r\ny", "$", [global, multiline, {newline, N}]) || N <- [cr, lf, crlf, any]].

wholes() ->
    [run("a,b;;c", P, [global | O]) || P <- ["[,;]", "\\w", "(\\w)([,;])?", "", "x*", "zz"], O <- [[], [{capture, all, list}], [{capture, first, binary}], [{capture, none}], [{capture, all_but_first, list}]]],
    [show({split, P, O}, fun() -> re:split("a,b;;c", P, O) end) || P <- ["[,;]", "([,;])", "", "b*"], O <- [[], [{return, list}], [trim], [{parts, 2}], [group], [{return, binary}, {parts, 3}, group]]],
    [show({replace, P, R, O}, fun() -> re:replace("a,b;;c", P, R, O) end) || P <- ["[,;]", "(\\w)", ""], R <- ["-", "<&>", "\\1\\1", "\\g{1}x", ""], O <- [[], [global], [global, {return, list}], [{return, binary}]]].

unicode() ->
    S = "åäö €uro " ++ [16#1F600],
    B = unicode:characters_to_binary(S),
    [run(X, P, [unicode | O]) || X <- [S, B], P <- ["ä", "€", "\\w+", "(.)(.)", "\\p{Lu}", "\\p{Ll}+", "[à-ö]", "\\x{20ac}"], O <- [[], [{capture, all, list}], [{capture, all, binary}], [caseless], [ucp], [global, {capture, first, list}]]],
    [run(<<255, 254>>, "a", [unicode | O]) || O <- [[], [global]]],
    run(<<"å"/utf8>>, "å", []),
    run("å", "Å", [caseless]),
    run([1024], "a", []),
    run(<<"aå"/utf8>>, ".", [unicode, {offset, 2}]),
    show(ureplace, fun() -> re:replace(S, "€", "$", [unicode, {return, list}]) end),
    show(usplit, fun() -> re:split(S, " ", [unicode, {return, list}]) end).

%% Which characters of Latin-1 are in which class.
characters() ->
    [show({C, O}, fun() -> [X || X <- lists:seq(0, 255), re:run([X], C, [{capture, none} | O]) =:= match] end)
     || C <- ["\\w", "\\s", "\\d", "[[:upper:]]", "[[:lower:]]", "[[:punct:]]", "[[:graph:]]", "[[:print:]]", "[[:cntrl:]]", "[[:space:]]", "[[:alpha:]]", "[[:xdigit:]]", "\\h", "\\v", "[^\\W]"], O <- [[], [unicode]]],
    show(cases, fun() -> [{X, Y} || X <- lists:seq(128, 255), Y <- lists:seq(128, 255), X =/= Y, re:run([X], [$\\, Y], [caseless, {capture, none}]) =:= match] end).

%% What the regular expressions of OTP 25 take as literal.
literals() ->
    [run("ajy8-d9z", P) || P <- ["\\j", "\\y", "[\\d-z]+", "[\\w-]+", "[a\\-z]+", "\\8", "[\\z]", "[\\B]", "a{,3}", "a{1", "]", "}", "[]]", "\\-", "\\Qj.\\E", "\\Q.", "[[:digit:]-d]"]].

limits() ->
    Hard = lists:duplicate(28, $a) ++ "b",
    [run(Hard, "^(a+)+$", O) || O <- [[{match_limit, 100}], [{match_limit, 100}, report_errors], [report_errors, {match_limit, 1000}, {capture, none}]]],
    run("aaaa", "(a|b)*", [{match_limit, 1000000}]),
    show(others_go_on, fun others_go_on/0),
    Long = binary:copy(<<"abcdefghij">>, 20000),
    [show(P, fun() -> re:run(Long, P) end) || P <- ["j$", "zz", "(abcdefghij)+", "^(?:[a-j])*$", "ij(?=$)", "x?y?j$"]],
    show(many, fun() -> {match, L} = re:run(Long, "c", [global]), length(L) end).

%% A run that takes long does not stop other processes.
others_go_on() ->
    Hard = lists:duplicate(26, $a) ++ "b",
    Me = self(),
    Ticker = spawn(fun() -> ticks(0) end),
    Runs = [spawn_link(fun() -> Me ! {self(), re:run(Hard, "^(a+)+$", [report_errors])} end) || _ <- [1, 2]],
    Answers = [receive {R, A} -> A end || R <- Runs],
    Ticker ! {Me, stop},
    receive {ticks, N} -> {Answers, N > 5} end.

ticks(N) ->
    receive
        {P, stop} -> P ! {ticks, N}
    after 1 -> ticks(N + 1)
    end.

mistakes() ->
    Bad = ["(", ")", "a)", "[", "[a", "[b-a]", "*a", "a**", "a{2,1}", "a{99999}", "\\", "(?", "(?z)", "(?<", "(?<a", "(?<a>", "(?<1>a)", "(?<a>x)(?<a>y)", "(?P", "(?P=a)", "(?P=name)", "(?P<a",
           "\\1", "(?1)", "(?<=a*)b", "(?<=a+)", "x(?<!ab|c*)d", "[[:foo:]]", "[[.a.]]", "[:alpha:]", "\\p{Foo}", "\\pX", "\\p", "(?(", "(?(1", "(?(1)a|b|c)", "(?(2)a)", "(?(nm)a)", "(?(?a)b)",
           "\\x{110000}", "\\x{zz}", "\\x{", "\\o{9}", "\\o", "\\o{", "\\g{", "\\g{a}", "\\k", "\\k{ab}", "\\k<a", "\\c", "(?C256)", "(?C1", "(?R", "(?+", "(?+0)", "(?-1)", "(*FOO)", "(*MARK)",
           "\\N{a}", "\\u0041", "\\L", "[a-\\d]", "[\\N]", "(?#", "(?i-z)", "(?&a)", "(?'a", "x{65536}", "(?(<a>)b)", "\\400", "[\\400]", "[\\x{100}]", "[z-\\w]", "(?{a})", "((((", "a|*"],
    [show({B, O}, fun() -> {error, _} = re:compile(B, O) end) || B <- Bad, O <- [[], [caseless]]],
    [run("a", B, O) || B <- ["(", "[z"], O <- [[], [report_errors], [report_errors, global]]],
    show(never, fun() -> element(1, re:compile("a", [unicode, never_utf])) end).

compiled() ->
    {ok, {re_pattern, 2, 0, 0, Bin} = P} = re:compile("(a)(?<n>b)"),
    show(inspect, fun() -> re:inspect(P, namelist) end),
    show(inspect, fun() -> {ok, Q} = re:compile("(?<b>.)(?<a>.)(?<b>.)", [dupnames]), re:inspect(Q, namelist) end),
    show(none, fun() -> {ok, Q} = re:compile("x"), re:inspect(Q, namelist) end),
    show(flags, fun() -> [begin {ok, R} = re:compile("(a)", O), erlang:delete_element(5, R) end || O <- [[], [unicode], [{newline, crlf}], [{newline, any}], [{newline, anycrlf}], [{newline, lf}]]] end),
    [show(run, fun() -> re:run("xab", P, O) end) || O <- [[], [{capture, [n], list}], [global], [anchored], [{offset, 1}, anchored]]],
    show(sent, fun() -> re:run("xab", binary_to_term(term_to_binary(P))) end),
    show(damaged, fun() -> try re:run("ab", setelement(5, P, <<>>)) catch error:badarg -> refused end end),
    show(size, fun() -> is_binary(Bin) end).

bad_arguments() ->
    [show(Label, fun() -> apply(re, F, A), fine end) ||
        {Label, F, A} <- [{compile, compile, [a]}, {list, compile, [[1024]]}, {opt, compile, ["a", [bla]]}, {opt, compile, ["a", [global]]}, {opt, compile, ["a", [{offset, 1}]]}, {opt, compile, ["a", a]},
                          {run, run, [a, "a"]}, {run, run, ["a", a]}, {opt, run, ["a", "a", [bla]]}, {opt, run, ["a", "a", [{offset, -1}]]}, {opt, run, ["a", "a", [{capture, foo}]]},
                          {opt, run, ["a", "a", [{capture, all, foo}]]}, {opt, run, ["a", "a", [{newline, x}]]}, {opt, run, ["a", "a", [a | b]]}, {inspect, inspect, [a, namelist]},
                          {pattern, run, ["a", {re_pattern, 1, 2, 3, 4}]}, {bits, run, [<<1:3>>, "a"]}, {replace, replace, [a, "a", "b"]}, {split, split, ["a", "("]}]],
    {ok, P} = re:compile("a"),
    Refused = fun(F) -> fun() -> try F() catch error:badarg -> refused end end end,
    [show(inspect, Refused(fun() -> re:inspect(P, foo) end)), show(run, Refused(fun() -> re:run("a", P, [caseless]) end)), show(internal, Refused(fun() -> re:internal_run("a", P, [], maybe) end))].
