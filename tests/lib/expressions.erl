%% Evaluates a file of expressions, one a line, and prints what each gives or raises. Bindings stay; `* E` prints each element of
%% the list E on a line of its own; an expression may go on in lines that begin with a space; a line of % is a comment.
-module(expressions).
-export([main/0]).

main() ->
    {ok, Bin} = file:read_file(os:getenv("FILE")),
    Lines = string:split(unicode:characters_to_list(Bin), "\n", all),
    lists:foldl(fun line/2, erl_eval:new_bindings(), joined(Lines)),
    ok.

joined([First, [$\s | More] | Rest]) -> joined([First ++ "\n " ++ More | Rest]);
joined([First | Rest]) -> [First | joined(Rest)];
joined([]) -> [].

line("", Bindings) -> Bindings;
line("%" ++ _, Bindings) -> Bindings;
line("* " ++ Text, Bindings) -> evaluate(Text, Bindings, fun(L) -> [io:format("    ~0tp~n", [X]) || X <- L] end);
line(Text, Bindings) -> evaluate(Text, Bindings, fun(V) -> io:format("    ~0tp~n", [V]) end).

evaluate(Text, Bindings, Print) ->
    io:format("~ts~n", [Text]),
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Es} = erl_parse:parse_exprs(Tokens),
    try
        {value, V, New} = erl_eval:exprs(Es, Bindings),
        Print(V),
        New
    catch
        Class:Reason:Stack ->
            io:format("    ~w ~0tp ~0tp~n", [Class, Reason, [outline(F) || F <- lists:sublist(Stack, 2)]]),
            Bindings
    end.

outline({M, F, A, Info}) -> {M, F, A, proplists:get_value(error_info, Info)}.
