%% process_flag(error_handler, Module): whom a process calls for functions that are not there.
-module(error_handlers).
-export([main/0, undefined_function/3, undefined_lambda/3]).

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
    io:format("~p~n", [try process_flag(error_handler, 1) catch error:R1:S1 -> {R1, hd(S1)} end]).
