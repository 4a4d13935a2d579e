%% process_flag(error_handler, Module): whom a process calls for functions that are not there.
-module(error_handlers).
-export([main/0, undefined_function/3, undefined_lambda/3, breakpoint/3, public/2]).

undefined_function(M, F, Args) -> {called, M, F, Args}.
undefined_lambda(M, Fun, Args) -> {lambda, M, is_function(Fun), Args}.

main() ->
    Old = process_flag(error_handler, ?MODULE), % from here on nothing may be called that is not loaded
    Results = [nosuch:foo(1, 2), apply(nosuch, bar, [x]), (fun nosuch:baz/1)(3), nosuch:none()],
    Info = process_info(self(), error_handler),
    io:format("~p~n", [[Old, process_flag(error_handler, error_handler), Results, Info]]),
    {Pid, Ref} = spawn_monitor(fun() -> process_flag(error_handler, ?MODULE), exit(nosuch:q()) end),
    receive {'DOWN', Ref, _, Pid, Reason} -> io:format("~p~n", [Reason]) end,
    io:format("~p~n", [try nosuch:foo() catch error:R:S -> {R, hd(S)} end]),
    io:format("~p~n", [try process_flag(error_handler, 1) catch error:R1:S1 -> {R1, hd(S1)} end]),
    debugged().

%% erts_debug:breakpoint/2: calls of functions that are there go to the error handler, too.
breakpoint(M, F, Args) -> {broken, M, F, Args}.

public(A, B) -> {public, A, B}.
hidden(A) -> {hidden, A}.

debugged() ->
    process_flag(error_handler, ?MODULE),
    One = [erts_debug:breakpoint({?MODULE, hidden, 1}, true), hidden(1), public(1, 2), ?MODULE:public(3, 4)],
    All = [erts_debug:breakpoint({?MODULE, public, '_'}, true), hidden(1), public(1, 2), ?MODULE:public(3, 4), apply(?MODULE, public, [5, 6]),
           (fun public/2)(7, 8), (fun ?MODULE:public/2)(9, 10)],
    Plain = [erts_debug:breakpoint({?MODULE, '_', '_'}, false) > 4, hidden(1), public(1, 2), ?MODULE:public(3, 4)],
    process_flag(error_handler, error_handler),
    io:format("~p~n~p~n~p~n", [One, All, Plain]),
    io:format("~p~n", [[catch_reason(fun() -> erts_debug:breakpoint(What, How) end)
                        || {What, How} <- [{{?MODULE, '_', 1}, true}, {?MODULE, true}, {{?MODULE, public, 2}, 1}, {{1, '_', '_'}, true}]]]),
    io:format("~p~n", [[erts_debug:breakpoint(F, true) || F <- [{?MODULE, nosuch, '_'}, {nosuch, '_', '_'}]]]).

catch_reason(Fun) -> try Fun() catch Class:Reason -> {Class, Reason} end.
