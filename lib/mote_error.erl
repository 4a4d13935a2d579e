%% Shows what went wrong: uncaught exceptions with their stack and the source line, and the emulator's own reports.
-module(mote_error).
-export([print/3, print_exit/1, serve/0, write/1]).

%% An uncaught exception, on standard error.
print(Class, Reason, Trace) ->
    write([paint(red, "** "), text(Class, Reason, Trace), "\n", source(Trace)]).

print_exit(Reason) ->
    write([paint(red, "** "), io_lib:format("exit: ~tp~n", [Reason])]).

text(Class, Reason, Trace) ->
    try
        erl_error:format_exception(Class, Reason, Trace, #{
            column => 4,
            stack_trim_fun => fun(M, _, _) -> M =:= mote_kernel end,
            format_fun => fun(Term, I) -> io_lib:format("~." ++ integer_to_list(I) ++ "tP", [Term, 50]) end
        })
    catch
        _:_ -> io_lib:format("~w: ~tp~n  ~tp", [Class, Reason, Trace])
    end.

%% The source line of the innermost frame whose file is at hand.
source([{_, _, _, Location} | Rest]) ->
    case {proplists:get_value(file, Location), proplists:get_value(line, Location)} of
        {File, Line} when is_list(File), is_integer(Line) ->
            case line_of(File, Line) of
                none -> source(Rest);
                Text -> [io_lib:format("~ts:~w:~n", [File, Line]), paint(bold, ["  ", string:trim(Text, trailing)]), "\n"]
            end;
        _ ->
            source(Rest)
    end;
source([_ | Rest]) ->
    source(Rest);
source([]) ->
    [].

line_of(File, Line) ->
    case prim_file:read_file(File) of
        {ok, Binary} -> nth_line(Line, binary:split(Binary, <<"\n">>, [global]));
        _ -> none
    end.

nth_line(1, [Line | _]) -> unicode:characters_to_list(Line);
nth_line(N, [_ | Rest]) -> nth_line(N - 1, Rest);
nth_line(_, []) -> none.

paint(Colour, Text) ->
    case mote:is_terminal(2) of
        true -> [code(Colour), Text, "\e[0m"];
        false -> Text
    end.

code(red) -> "\e[1;31m";
code(bold) -> "\e[1m".

write(Text) ->
    case unicode:characters_to_binary(Text) of
        Binary when is_binary(Binary) -> mote:write(2, Binary);
        _ -> mote:write(2, list_to_binary(io_lib:format("~p~n", [Text])))
    end.

%% The loop of the process registered as logger: the emulator reports to it that a process has died.
serve() ->
    receive
        {log, Level, Format, Args, _} ->
            show(Level, io_lib:format(Format, Args)),
            serve();
        {log, Level, Report, _} ->
            show(Level, io_lib:format("~tp", [Report])),
            serve();
        _ ->
            serve()
    end.

show(Level, Text) ->
    write(["=", string:uppercase(atom_to_list(Level)), " REPORT====\n", Text, "\n"]).
