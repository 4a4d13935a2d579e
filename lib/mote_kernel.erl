%% Bare mode's first process. It starts the services that programs expect (group leader, code loader, and others when they
%% are first used), runs what the command line asks for, and answers what OTP's init answers.
-module(mote_kernel).
-export([start/3, sleep/1, become/1, init/1, run/2]).

%% Actions, in order: {file, Path, Module} | {apply, M, F, Args} | {eval, Text} | {eunit, Module}; Args: what follows on the command line.
start(Actions, Args, Encoding) ->
    register(init, self()),
    Io = mote_io:start(Encoding),
    register(user, Io),
    true = erts_internal:group_leader(Io, self()),
    _ = [service(Name) || Name <- [standard_error, code_server, file_server_2, logger, erl_prim_loader, kernel_sup, kernel_safe_sup]],
    {Main, Ref} = erlang:spawn_opt(?MODULE, run, [Actions, Args], [monitor]),
    loop(Main, Ref).

%% A service that sleeps until somebody sends it a message, and only then loads its code: it costs a few hundred bytes.
service(Name) ->
    register(Name, spawn(?MODULE, sleep, [Name])).

sleep(Name) ->
    erlang:hibernate(?MODULE, become, [Name]).

become(standard_error) ->
    mote_io:serve_errors();
become(code_server) ->
    mote_code:serve();
become(logger) ->
    mote_logger:become();
become(erl_prim_loader) ->
    mote_code:serve_loader();
become(file_server_2) ->
    enter(file_server_2, file_server, []);
become(Supervisor) ->
    enter(Supervisor, supervisor, {{local, Supervisor}, ?MODULE, []}).

enter(Name, Module, Args) ->
    process_flag(trap_exit, true),
    put('$ancestors', [init]), % what proc_lib would have left there
    put('$initial_call', {Module, init, 1}),
    {ok, State} = Module:init(Args),
    gen_server:enter_loop(Module, [], State, {local, Name}).

%% The supervisors of OTP's kernel, here with none but those that are started when they are needed (timer, dets, pg).
init([]) -> {ok, {#{}, []}}.

loop(Main, Ref) ->
    receive
        {'DOWN', Ref, process, Main, {mote_done, Status}} -> halt_now(Status);
        Other -> loop(Other, Main, Ref)
    end.

loop({'DOWN', Ref, process, Main, Reason}, Main, Ref) ->
    {Printer, Printing} = spawn_monitor(mote_error, print_exit, [Reason]), % it may need answers from here, and memory
    halt_after(Printer, Printing);
loop({stop, {stop, Status}}, _, _) ->
    halt_now(Status);
loop({stop, stop}, _, _) ->
    halt_now(0);
loop({From, Request}, Main, Ref) when is_pid(From) ->
    From ! {init, answer(Request)},
    loop(Main, Ref);
loop(_, Main, Ref) ->
    loop(Main, Ref).

halt_after(Printer, Ref) ->
    receive
        {'DOWN', Ref, process, Printer, _} -> halt_now(1);
        {From, Request} when is_pid(From) -> From ! {init, answer(Request)}, halt_after(Printer, Ref);
        _ -> halt_after(Printer, Ref)
    end.

halt_now(Status) ->
    is_idle(whereis(logger)) orelse mote_logger:flush(),
    erlang:halt(Status, []).

%% Has nothing been logged? Then the process still sleeps.
is_idle(undefined) -> true;
is_idle(Logger) -> process_info(Logger, [status, message_queue_len]) =:= [{status, waiting}, {message_queue_len, 0}] andalso whereis(mote_logger) =:= undefined.

answer({get_argument, root}) -> {ok, [[mote:otp_root()]]};
answer({get_argument, home}) ->
    case os:getenv("HOME") of
        false -> error;
        Home -> {ok, [[Home]]}
    end;
answer({get_argument, progname}) -> {ok, [["mote"]]};
answer({get_argument, _}) -> error;
answer(get_arguments) -> [];
answer(get_plain_arguments) -> mote:arguments();
answer(get_status) -> {started, started};
answer(script_id) -> {"Mote", "bare"};
answer({get_flag, Flag}) -> answer({get_argument, Flag});
answer(_) -> error.

%% Runs in a process of its own; its exit reason is the result.
run([], _) ->
    exit({mote_done, 0});
run([Action | Rest], Args) ->
    try act(Action, Args) of
        {done, Status} when Rest =:= [] -> exit({mote_done, Status});
        Result -> go_on(Result, Rest, Args)
    catch
        exit:{mote_done, Status} -> exit({mote_done, Status});
        Class:Reason:Trace -> failed(Class, Reason, Trace, Action)
    end.

go_on({done, 0}, Rest, Args) -> run(Rest, Args);
go_on({next, Next}, Rest, Args) -> run([Next | Rest], Args);
go_on({done, Status}, _, _) -> exit({mote_done, Status});
go_on(ok, Rest, Args) -> run(Rest, Args).

failed(Class, Reason, Trace, Action) ->
    mote_error:print(Class, Reason, Trace),
    exit({mote_done, failed(Action)}).

%% The status of an uncaught exception: 127 from main/1, as escript; else 1.
failed({file, _, M}) ->
    case erlang:function_exported(M, start, 0) of
        false -> 127;
        true -> 1
    end;
failed(_) ->
    1.

act({file, _, M}, Args) ->
    case erlang:function_exported(M, start, 0) of
        true -> start_result(M:start());
        false -> main(M, Args)
    end;
act(Action, _) ->
    other_action(Action).

start_result(Value) ->
    mote:print_value(<<"Return value: ">>, Value),
    if
        Value =:= ok; Value =:= 0 -> {done, 0};
        true -> {done, 1}
    end.

main(M, Args) ->
    M:main(Args),
    {done, 0}.

other_action({compile, Path}) ->
    case compile:file(Path, [binary, debug_info, report, return_errors]) of
        {ok, M, Binary} ->
            {module, M} = mote_code:load_compiled(M, Path, Binary),
            {next, {file, Path, M}};
        _ ->
            {done, 1}
    end;
other_action({apply, M, F, As}) ->
    apply(M, F, As),
    ok;
other_action({eunit, M}) ->
    case eunit:test(M) of
        ok -> ok;
        _ -> {done, 1}
    end;
other_action({eval, Text}) ->
    {ok, Tokens, _} = scanned(erl_scan:string(dotted(Text))),
    {ok, Exprs} = parsed(erl_parse:parse_exprs(Tokens)),
    {value, Value, _} = erl_eval:exprs(Exprs, erl_eval:new_bindings()),
    io:format("~tp~n", [Value]),
    ok.

dotted(Text) ->
    case lists:reverse(string:trim(Text, trailing)) of
        [$. | _] -> Text;
        _ -> Text ++ "."
    end.

scanned({error, {Location, M, Description}, _}) -> bad_expression(Location, M:format_error(Description));
scanned(Ok) -> Ok.

parsed({error, {Location, M, Description}}) -> bad_expression(Location, M:format_error(Description));
parsed(Ok) -> Ok.

bad_expression(Location, Text) ->
    mote_error:write(io_lib:format("-e:~w: ~ts~n", [line(Location), Text])),
    exit({mote_done, 1}).

line({Line, _}) -> Line;
line(Line) -> Line.
