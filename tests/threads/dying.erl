%% Every kind of signal between processes that die all the time, for SECONDS. What must hold is checked at the one who is told:
%% numbers of each sender come without a gap, a monitor or a link tells once and after all messages of the one that ended, what has
%% been taken back never tells, what asks is answered once. Each complaint is printed with how often it came.
%%
%% A slot holds a victim, which its keeper replaces when it has died; its numbers stand in an array of atomics: what it has got from
%% each worker, and what it has sent to each.
-module(dying).
-export([main/0, start/0, victim/1, none/0]).

start() -> main(), halt(0).

main() ->
    logger:set_primary_config(level, none), % those who die of an error are no news
    End = erlang:monotonic_time(millisecond) + 1000 * number("SECONDS", 1),
    Slots = number("SLOTS", 6),
    Workers = number("WORKERS", 4),
    ets:new(slots, [named_table, public]),
    ets:new(complaints, [named_table, public]),
    ets:new(reasons, [named_table, public]),
    Main = self(),
    Keepers = [spawn_monitor(fun() -> keeper(S, Slots, Workers, End) end) || S <- lists:seq(1, Slots)],
    Working = [spawn_monitor(fun() -> worker(W, Workers, Slots, End) end) || W <- lists:seq(1, Workers)],
    Main = self(),
    [receive {'DOWN', R, process, P, Why} -> Why =:= normal orelse complain({ended, Why}) after 1000 * number("SECONDS", 1) + 200000 -> complain(stuck) end
     || {P, R} <- Keepers ++ Working],
    io:format("~w slots, ~w workers~n~p~n", [Slots, Workers, lists:sort(ets:tab2list(complaints))]).

none() -> ok.

complain(What) ->
    ets:update_counter(complaints, What, 1, {What, 0}).

number(Name, Default) ->
    case os:getenv(Name) of
        false -> Default;
        Text -> list_to_integer(Text)
    end.

one_of(Tuple) -> element(rand:uniform(tuple_size(Tuple)), Tuple).
name(Slot) -> element(Slot, {slot1, slot2, slot3, slot4, slot5, slot6, slot7, slot8}).

%% --- Slots.

keeper(Slot, Slots, Workers, End) ->
    process_flag(trap_exit, true),
    Numbers = atomics:new(2 * Workers, []),
    Link = rand:uniform(2) =:= 1,
    {V, R} = spawn_opt(?MODULE, victim, [{Slot, Slots, Workers, Numbers}], [monitor | [link || Link]]),
    case rand:uniform(3) of
        1 -> receive after rand:uniform(8) -> exit(V, kill) end;
        _ -> ok
    end,
    receive
        {'DOWN', R, process, V, Why} -> ended(V, Why), gone(V, name(Slot))
    after 20000 ->
        complain({immortal, process_info(V, status), process_info(V, current_stacktrace)}), exit(V, kill)
    end,
    Link andalso receive {'EXIT', V, _} -> ok after 20000 -> complain(keeper_no_exit) end,
    receive Other -> complain({keeper_got, Other}) after 0 -> ok end,
    case erlang:monotonic_time(millisecond) < End of
        true -> keeper(Slot, Slots, Workers, End);
        false -> ets:insert(slots, {Slot, none})
    end.

%% Everybody is told the same reason; who asks too late is told noproc.
ended(_, noproc) -> ok;
ended(V, Why) ->
    case reason(Why) of
        true -> ok;
        false -> complain({reason, Why})
    end,
    ets:insert_new(reasons, {V, Why}) orelse ets:lookup(reasons, V) =:= [{V, Why}] orelse complain({other_reason, Why, ets:lookup(reasons, V)}).

reason(Why) when Why =:= killed; Why =:= normal; Why =:= die; Why =:= shutdown; Why =:= noproc -> true;
reason({bye, _}) -> true;
reason({numbered, _, _, _}) -> true;
reason(_) -> false.

%% What must be true of it once one has been told of its end.
gone(V, Name) ->
    is_process_alive(V) andalso complain(alive_after_down),
    process_info(V, messages) =:= undefined orelse complain(info_after_down),
    whereis(Name) =/= V orelse complain(name_after_down),
    lists:member(V, processes()) andalso complain(listed_after_down).

victim({Slot, _, _, Numbers} = Who) ->
    case get(started) of
        true -> ok; %% has slept in hibernate
        undefined ->
            put(started, true),
            put(trap, process_flag(trap_exit, false)),
            register(name(Slot), self()),
            ets:insert(slots, {Slot, self(), Numbers, alias()})
    end,
    loop(Who, 20 + rand:uniform(100)).

loop(_, 0) -> exit({bye, self()});
loop(Who, Left) ->
    receive Message -> got(Message, Who) after rand:uniform(3) - 1 -> ok end,
    live(rand:uniform(60), Who),
    loop(Who, Left - 1).

got({m, W, From, N, To, _}, {_, _, Workers, Numbers}) when To =:= self() ->
    case atomics:get(Numbers, W) + 1 of
        N -> atomics:put(Numbers, W, N);
        Expected -> complain({order, Expected, N})
    end,
    case N rem 3 of
        0 -> From ! {v, self(), atomics:add_get(Numbers, Workers + W, 1)};
        _ -> ok
    end;
got({'EXIT', _, {numbered, W, N, To}}, {_, _, _, Numbers}) when To =:= self() ->
    atomics:get(Numbers, W) =:= N orelse complain({overtaken, atomics:get(Numbers, W), N});
got({ask, Alias, Ref}, _) -> Alias ! {answer, Ref};
got(_, _) -> ok.

live(1, _) -> exit({bye, self()});
live(2, _) -> put(trap, process_flag(trap_exit, not get(trap) =:= true) =:= false);
live(3, {_, Slots, _, _}) ->
    case ets:lookup(slots, rand:uniform(Slots)) of
        [{_, Other, _, _}] -> catch link(Other), rand:uniform(2) =:= 1 andalso unlink(Other);
        _ -> ok
    end;
live(4, {_, Slots, _, _}) -> monitor(process, name(rand:uniform(Slots)));
live(5, _) -> spawn_link(fun() -> exit(one_of({normal, shutdown})) end);
live(6, Who) -> rand:uniform(4) =:= 1 andalso (self() ! awake) =:= awake andalso erlang:hibernate(?MODULE, victim, [Who]);
live(7, _) -> T = ets:new(mine, [public]), ets:insert(T, {a, self()});
live(8, _) -> erlang:send_after(rand:uniform(2), self(), tick);
live(9, _) -> process_flag(priority, one_of({low, normal, high}));
live(10, _) -> garbage_collect();
live(11, _) -> process_flag(message_queue_data, one_of({on_heap, off_heap}));
live(12, {Slot, _, _, _}) -> [{_, _, _, A}] = ets:lookup(slots, Slot), A ! to_myself;
live(13, _) -> erlang:yield();
live(14, _) -> exit(self(), one_of({die, shutdown}));
live(_, _) -> ok.

%% --- Workers. Their dictionary holds what they expect: {to, V} and {from, V}: numbers; {end_of, Ref}: V; {linked, V}; {answer, Ref}: of what.

worker(W, Workers, Slots, End) ->
    process_flag(trap_exit, true),
    put(me, {W, Workers}),
    work(Slots, End),
    %% All victims are dead now, or die soon.
    finish(erlang:monotonic_time(millisecond) + 60000).

work(Slots, End) ->
    case ets:lookup(slots, rand:uniform(Slots)) of
        [{Slot, V, Numbers, Alias}] ->
            get({to, V}) =:= undefined andalso ets:lookup(reasons, V) =:= [] andalso meet(V, Numbers),
            get({to, V}) =/= undefined andalso act(rand:uniform(24), V, Alias, name(Slot));
        _ -> ok
    end,
    drain(),
    erlang:monotonic_time(millisecond) < End andalso work(Slots, End).

meet(V, Numbers) ->
    put({to, V}, 0),
    put({from, V}, 0),
    put({numbers, V}, Numbers),
    put({end_of, monitor(process, V)}, {first, V}).

drain() -> receive M -> handle(M), drain() after 0 -> ok end.

expected() -> [still(Kind, Of, What) || {{Kind, Of}, What} <- get(), lists:member(Kind, [end_of, linked, answer])].

still(answer, R, timer) -> {timer, erlang:read_timer(R)}; %% false: it has fired, or is lost
still(answer, _, What) -> What;
still(end_of, _, {Which, V}) -> {end_of, Which, V, process_info(V, [status, current_function])};
still(Kind, V, _) -> {Kind, V}.

finish(Until) ->
    case expected() of
        [] -> receive M -> complain({left_over, M}) after 20 -> ok end;
        Left ->
            receive M -> handle(M) after 100 -> ok end,
            case erlang:monotonic_time(millisecond) > Until of
                true -> complain({never_came, Left, process_info(self(), [messages, status])});
                false -> finish(Until)
            end
    end.

%% Handles what comes until this has.
until(Key) ->
    case get(Key) of
        undefined -> ok;
        _ -> receive M -> handle(M), until(Key) after 20000 -> complain({no, Key}), erase(Key) end
    end.

handle({v, V, N}) ->
    case get({from, V}) of
        undefined -> complain(message_after_end);
        Before when Before + 1 =:= N -> put({from, V}, N);
        Before -> complain({order_back, Before, N})
    end;
handle({'DOWN', R, process, _, Why}) ->
    case erase({end_of, R}) of
        undefined -> complain(down_unasked);
        {first, V} -> ended(V, Why), last(V, Why);
        {more, V} -> ended(V, Why);
        named -> ok
    end;
handle({'EXIT', V, Why}) ->
    case erase({linked, V}) of
        undefined -> complain({exit_unasked, Why});
        true -> ended(V, Why)
    end;
handle({answer, R}) -> erase({answer, R}) =:= undefined andalso complain(answer_unasked);
handle({garbage_collect, R, Is}) when is_boolean(Is) -> handle({answer, R});
handle({check_process_code, R, Is}) when is_boolean(Is); Is =:= aborted -> handle({answer, R});
handle({timeout, R, _}) -> handle({answer, R});
handle({spawn_reply, R, ok, P}) ->
    handle({answer, R}),
    put({end_of, R}, {more, P});
handle(Other) -> complain({unknown, Other}).

%% It has ended: it has sent what it has counted, less what it was about to send when it was killed.
last(V, Why) ->
    {W, Workers} = get(me),
    erase({to, V}),
    Got = erase({from, V}),
    Sent = atomics:get(erase({numbers, V}), Workers + W),
    Got =:= Sent orelse (Got =:= Sent - 1 andalso element(1, {Why}) =/= {bye, V}) orelse Why =:= noproc orelse complain({lost_at_end, Got, Sent, Why}),
    is_process_alive(V) andalso complain(alive_after_down).

send(0, _, _, _) -> ok;
send(K, V, Alias, Name) ->
    {W, _} = get(me),
    N = get({to, V}) + 1,
    put({to, V}, N),
    M = {m, W, self(), N, V, one_of({a, lists:seq(1, K), binary:copy(<<K>>, 100), {N, make_ref()}})},
    case rand:uniform(6) of
        1 -> Alias ! M;
        2 -> case whereis(Name) of V -> catch Name ! M; _ -> V ! M end;
        3 -> erlang:send(V, M, [noconnect]);
        4 -> erlang:send_nosuspend(V, M);
        _ -> V ! M
    end,
    send(K - 1, V, Alias, Name).

act(A, V, Alias, Name) when A < 6 -> send(rand:uniform(20), V, Alias, Name);
act(6, V, _, _) -> R = monitor(process, V), rand:uniform(2) =:= 1 andalso erlang:yield(), demonitor(R, [flush]);
act(7, V, _, _) ->
    R = monitor(process, V),
    erlang:yield(),
    case demonitor(R, [info]) of
        true -> ok;
        false -> receive {'DOWN', R, process, V, Why} -> ended(V, Why) after 0 -> complain(no_down_after_info) end
    end;
act(8, V, _, _) -> put({end_of, monitor(process, V)}, {more, V});
act(9, _, _, Name) -> put({end_of, monitor(process, Name)}, named);
act(10, V, _, _) ->
    case get({linked, V}) of
        undefined ->
            put({linked, V}, true),
            try link(V) catch error:noproc -> erase({linked, V}) end;
        true -> ok
    end;
act(11, V, _, _) ->
    unlink(V),
    receive {'EXIT', V, Why} -> get({linked, V}) =:= true orelse complain(exit_unasked), ended(V, Why) after 0 -> ok end,
    erase({linked, V});
act(12, V, Alias, Name) ->
    send(3, V, Alias, Name),
    {W, _} = get(me),
    exit(V, {numbered, W, get({to, V}), V});
act(13, V, _, _) -> exit(V, one_of({normal, normal, normal, die, shutdown, kill}));
act(14, V, _, _) -> catch group_leader(one_of({self(), group_leader()}), V);
act(15, V, _, _) ->
    try erlang:suspend_process(V) of
        true ->
            case process_info(V, status) of
                {status, Status} when Status =/= suspended, Status =/= exiting, Status =/= garbage_collecting -> complain({suspended, Status});
                _ -> ok
            end,
            catch erlang:resume_process(V)
    catch error:Why when Why =:= badarg; Why =:= exited -> ok % gone before; while OTP waited
    end;
act(16, V, _, _) -> %% who has suspended it ends
    {P, R} = spawn_monitor(fun() -> catch erlang:suspend_process(V, [unless_suspending | one_of({[], [asynchronous]})]) end),
    put({end_of, R}, {more, P}),
    until({end_of, R});
act(17, V, _, _) ->
    case process_info(V, one_of({[message_queue_len, links, monitors, status], [dictionary, trap_exit, group_leader], [monitored_by, registered_name], [memory, current_stacktrace], [messages, suspending]})) of
        undefined -> is_process_alive(V) andalso complain(alive_without_info);
        [_ | _] -> ok
    end;
act(18, V, _, _) ->
    R = monitor(process, V, [{alias, reply_demonitor}]),
    V ! {ask, R, R},
    receive
        {answer, R} -> receive {'DOWN', R, _, _, _} -> complain(down_after_answer) after 0 -> ok end;
        {'DOWN', R, process, V, Why} -> ended(V, Why), receive {answer, R} -> complain(answer_after_down) after 0 -> ok end
    after 20000 -> complain({no_answer, process_info(V, status)})
    end;
act(19, V, _, _) ->
    R = spawn_request(fun() -> catch link(V), V ! hello, exit(one_of({normal, shutdown})) end, [monitor]),
    put({answer, R}, spawn_request),
    rand:uniform(4) =:= 1 andalso spawn_request_abandon(R) andalso erase({answer, R});
act(20, V, _, Name) ->
    T = erlang:start_timer(rand:uniform(3), one_of({V, Name}), x),
    rand:uniform(2) =:= 1 andalso erlang:cancel_timer(T),
    Mine = erlang:start_timer(rand:uniform(3) - 1, self(), x),
    put({answer, Mine}, timer),
    rand:uniform(2) =:= 1 andalso is_integer(erlang:cancel_timer(Mine)) andalso erase({answer, Mine});
act(21, V, _, _) -> asked(garbage_collect, fun(R) -> erlang:garbage_collect(V, [{async, R}, {type, one_of({major, minor})}]) end);
act(22, V, _, _) -> asked(check_process_code, fun(R) -> erlang:check_process_code(V, no_such_module, [{async, R}]) end);
act(23, V, _, _) -> _ = erlang:garbage_collect(V), _ = is_process_alive(V);
act(24, V, _, Name) -> %% one that ends with a link, a monitor and a suspension of it
    {P, R} = spawn_monitor(fun() -> catch link(V), monitor(process, V), V ! {self(), here}, catch link(whereis(Name)), exit(normal) end),
    put({end_of, R}, {more, P}).

asked(What, F) ->
    R = make_ref(),
    put({answer, R}, What),
    F(R).
