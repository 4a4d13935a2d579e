%% Runs one suite of Common Test's kind without Common Test, for scripts/otp-suites.
%%
%%   erl -noshell -pa FOLDER_OF_STANDINS -pa FOLDER_OF_SUITES -run suite_driver main KEY=VALUE... SUITE
%%
%%   out=FILE     a line is added when a case begins and when it ends, fields between tabs: number, case, `begun`; number,
%%                case, ok | failed | skipped | timeout, milliseconds, reason. So a VM that dies names the case that killed it,
%%                and the next VM goes on with the number after it
%%   data=DIR     where SUITE_data is              priv=DIR     a folder for what the suite writes
%%   limit=MS     a case's time if it asks for none most=MS      the most it may ask for
%%   from=N       leave out the cases before       only=CASE    this case only
%%   show         what cases print is shown
%%
%% A case runs in a process of its own, between init_per_testcase and end_per_testcase. A group's properties are ignored but
%% for its name: cases run one after the other, once.
-module(suite_driver).
-export([main/1, time_limit/1]).

main(Arguments) ->
    register(suite_driver, self()),
    process_flag(trap_exit, true),
    _ = logger:remove_handler(default),
    {Settings, [Name]} = lists:partition(fun(A) -> A =:= "show" orelse lists:member($=, A) end, Arguments),
    Suite = list_to_atom(Name),
    O = maps:merge(#{limit => 60000, most => 120000, from => 1, priv => "/tmp"}, maps:from_list([setting(S) || S <- Settings])),
    Priv = filename:join(maps:get(priv, O), Name) ++ "/",
    ok = filelib:ensure_dir(Priv),
    Data = filename:join(maps:get(data, O), Name ++ "_data") ++ "/",
    Config = [{data_dir, Data}, {priv_dir, Priv}, {suite, Suite}, {watchdog, none}, {tc_logfile, Priv ++ "log"}],
    case plan(Suite) of
        {skip, Reason} -> ended(O, {1, all}, {skipped, Reason}, 0);
        Plan -> within(Suite, init_per_suite, end_per_suite, [], number(Plan), Config, O)
    end,
    halt(0).

setting("show") -> {show, true};
setting(Text) ->
    [Key, Value] = string:split(Text, "="),
    case list_to_atom(Key) of
        K when K =:= limit; K =:= most; K =:= from -> {K, list_to_integer(Value)};
        only -> {only, list_to_atom(Value)};
        K -> {K, Value}
    end.

%% What a case asks for with ct:timetrap/1, in milliseconds or infinity; called in its process.
time_limit(Time) ->
    catch suite_driver ! {time_limit, self(), Time},
    ok.

%% --- the plan: a list of {case, Name} and {group, Name, Plan}

plan(Suite) ->
    {module, Suite} = code:ensure_loaded(Suite),
    case Suite:all() of
        {skip, _} = Skip -> Skip;
        {skipped, Reason} -> {skip, Reason};
        All ->
            Groups = case erlang:function_exported(Suite, groups, 0) of true -> Suite:groups(); false -> [] end,
            [member(M, Groups) || M <- lists:flatten(All)]
    end.

member({group, Name}, Groups) -> group(Name, Groups);
member({group, Name, _}, Groups) -> group(Name, Groups);
member({testcase, Name, _}, _) -> {'case', Name};
member({Name, _, Members}, Groups) -> {group, Name, [member(M, Groups) || M <- Members]};
member(Name, _) when is_atom(Name) -> {'case', Name}.

group(Name, Groups) ->
    Group = lists:keyfind(Name, 1, Groups),
    {group, Name, [member(M, Groups) || M <- element(tuple_size(Group), Group)]}.

number(Plan) ->
    {Numbered, _} = lists:mapfoldl(fun number/2, 1, Plan),
    Numbered.
number({'case', Name}, N) -> {{'case', N, Name}, N + 1};
number({group, Name, Plan}, N) ->
    {Numbered, Next} = lists:mapfoldl(fun number/2, N, Plan),
    {{group, Name, Numbered}, Next}.

wanted(Plan, O) -> [M || M <- Plan, wants(M, O)].
wants({group, _, Plan}, O) -> wanted(Plan, O) =/= [];
wants({'case', N, _}, #{from := From}) when N < From -> false;
wants({'case', _, Name}, #{only := Only}) -> Name =:= Only;
wants(_, _) -> true.

cases(Plan) -> lists:flatmap(fun({group, _, Members}) -> cases(Members); ({'case', N, Name}) -> [{N, Name}] end, Plan).

%% --- running it

%% The members of a suite or a group, between what prepares and what cleans up.
within(Suite, Init, End, Name, Plan, Config, O) ->
    Wanted = wanted(Plan, O),
    case prepared(Suite, Init, Name, Config, O) of
        {ok, Mine} ->
            [run(Suite, M, Mine, O) || M <- Wanted],
            optional(Suite, End, Name ++ [Mine], O);
        {Result, Reason} ->
            [ended(O, C, {Result, {Init, Reason}}, 0) || C <- cases(Wanted)]
    end.

run(Suite, {group, Name, Plan}, Config, O) ->
    within(Suite, init_per_group, end_per_group, [Name], Plan, [{tc_group_properties, [{name, Name}]} | Config], O);
run(Suite, {'case', N, Name}, Config, O) ->
    line(O, [integer_to_list(N), $\t, atom_to_list(Name), "\tbegun"]),
    Began = erlang:monotonic_time(millisecond),
    Result = watched(fun() -> one_case(Suite, Name, Config) end, O),
    Result =:= timeout andalso optional(Suite, end_per_testcase, [Name, [{tc_status, {failed, timetrap_timeout}} | Config]], O),
    ended(O, {N, Name}, verdict(Result), erlang:monotonic_time(millisecond) - Began).

prepared(Suite, Init, Name, Config, O) ->
    case optional(Suite, Init, Name ++ [Config], O) of
        {value, List} when is_list(List) -> {ok, List};
        Other -> case verdict(Other) of ok -> {ok, Config}; Verdict -> Verdict end
    end.

optional(Suite, Function, Arguments, O) ->
    case erlang:function_exported(Suite, Function, length(Arguments)) of
        true -> watched(fun() -> apply(Suite, Function, Arguments) end, O);
        false -> {value, none}
    end.

one_case(Suite, Name, Config) ->
    Init = erlang:function_exported(Suite, init_per_testcase, 2),
    case if Init -> Suite:init_per_testcase(Name, Config); true -> Config end of
        Mine when is_list(Mine) ->
            try Suite:Name(Mine) of
                Value -> end_case(Suite, Name, [{tc_status, ok} | Mine], Value)
            catch
                Class:Reason:Stack ->
                    catch end_case(Suite, Name, [{tc_status, {failed, Reason}} | Mine], none),
                    erlang:raise(Class, Reason, Stack)
            end;
        NotRun -> NotRun
    end.

end_case(Suite, Name, Config, Value) ->
    case erlang:function_exported(Suite, end_per_testcase, 2) andalso Suite:end_per_testcase(Name, Config) of
        {fail, Reason} -> {fail, {end_per_testcase, Reason}};
        _ -> Value
    end.

verdict({value, {Skip, Reason}}) when Skip =:= skip; Skip =:= skipped -> {skipped, Reason};
verdict({value, {fail, Reason}}) -> {failed, Reason};
verdict({value, _}) -> ok;
verdict({raised, {_, {Skip, Reason}, _}}) when Skip =:= skip; Skip =:= skipped -> {skipped, Reason};
verdict({raised, {throw, _, _}}) -> ok;
verdict({raised, Reason}) -> {failed, Reason};
verdict(timeout) -> {timeout, none}.

%% Runs Fun in a process with a time limit: {value, V}, {raised, R} or timeout.
watched(Fun, O) ->
    Leader = case O of #{show := true} -> group_leader(); _ -> spawn(fun swallow/0) end,
    Me = self(),
    {Pid, Monitor} = spawn_monitor(fun() ->
        group_leader(Leader, self()),
        Me ! {self(), try {value, Fun()} catch Class:Reason:Stack -> {raised, {Class, Reason, Stack}} end}
    end),
    Result = await(Pid, Monitor, deadline(maps:get(limit, O), O), O),
    Leader =:= group_leader() orelse exit(Leader, kill),
    Result.

await(Pid, Monitor, Deadline, O) ->
    receive
        {Pid, Result} -> erlang:demonitor(Monitor, [flush]), exit(Pid, kill), Result;
        {'DOWN', Monitor, process, Pid, Reason} -> receive {Pid, Result} -> Result after 0 -> {raised, {exit, Reason, []}} end;
        {time_limit, Pid, Time} -> await(Pid, Monitor, deadline(Time, O), O);
        _ -> await(Pid, Monitor, Deadline, O)
    after max(0, Deadline - erlang:monotonic_time(millisecond)) ->
        erlang:demonitor(Monitor, [flush]),
        exit(Pid, kill),
        timeout
    end.

deadline(Time, #{most := Most}) -> erlang:monotonic_time(millisecond) + min(Time, Most).

%% A group leader that forgets what it is given and has nothing to read.
swallow() ->
    receive
        {io_request, From, As, Request} -> From ! {io_reply, As, reply(Request)}, swallow();
        _ -> swallow()
    end.

reply({requests, Requests}) -> lists:foldl(fun(R, _) -> reply(R) end, ok, Requests);
reply({put_chars, _, Module, Function, Arguments}) -> reply({put_chars, Module, Function, Arguments});
reply({put_chars, Module, Function, Arguments}) -> _ = (catch apply(Module, Function, Arguments)), ok;
reply(getopts) -> [{binary, false}, {encoding, unicode}];
reply(Request) when element(1, Request) =:= put_chars; element(1, Request) =:= setopts -> ok;
reply({get_geometry, _}) -> {error, enotsup};
reply(Request) when is_tuple(Request) -> eof;
reply(_) -> {error, request}.

%% --- what is told

ended(O, {N, Name}, Verdict, Ms) ->
    {Result, Reason} = case Verdict of ok -> {ok, ""}; {_, none} -> {element(1, Verdict), ""}; {R, Why} -> {R, short(Why)} end,
    line(O, [integer_to_list(N), $\t, atom_to_list(Name), $\t, atom_to_list(Result), $\t, integer_to_list(Ms), $\t, Reason]).

short(Term) ->
    Text = lists:flatten(io_lib:format("~0tP", [Term, 60])),
    [case C of $\n -> $\s; $\t -> $\s; _ -> C end || C <- lists:sublist(Text, 300)].

line(#{out := File}, Text) -> ok = file:write_file(File, [unicode:characters_to_binary(Text), $\n], [append]);
line(_, Text) -> io:format("~ts~n", [Text]).
