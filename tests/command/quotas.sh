# The option `quota` of spawn_opt (docs/quotas.md): each limit ends the whole group, and nobody else, with {quota, Item}; with one scheduler and with four.
. tests/lib/command.sh

module quotas <<'.'
-export([start/0]).

start() ->
    [show(Name, F) || {Name, F} <- tests()],
    ok.

show(Name, F) ->
    Before = erlang:system_info(process_count),
    Result = F(),
    io:format("~s: ~0p~n", [Name, Result]),
    gone(Name, Before, 200).

gone(Name, Before, N) -> %% all that was spawned has ended
    case erlang:system_info(process_count) of
        Before -> ok;
        Now when N =:= 0 -> io:format("~s: ~p processes left~n", [Name, Now - Before]);
        _ -> timer:sleep(5), gone(Name, Before, N - 1)
    end.

%% What a group ends with.
group(Quota, F) -> group(Quota, F, []).
group(Quota, F, More) ->
    {P, M} = spawn_opt(F, [monitor, {quota, Quota} | More]),
    down(P, M).
waits(P) -> process_info(P, status) =:= {status, waiting} orelse begin erlang:yield(), waits(P) end.

down(P, M) ->
    receive {'DOWN', M, process, P, R} -> R after 20000 -> exit(P, kill), {late, process_info(P)} end.

one() -> byte_size(term_to_binary(self())).
wait() -> receive stop -> ok end.
spin() -> spin().
grow(L) -> grow([make_ref() | L]).

tests() ->
    Alive = spawn(fun wait/0),
    [
     {"no quota", fun() -> {quota, Q} = process_info(self(), quota), Q end},
     {"within", fun() -> group(#{memory => 1000000, reductions => 100000, messages => 10, processes => 3}, fun() -> exit(lists:sum(lists:seq(1, 1000))) end) end},
     {"no limits", fun() -> group(#{}, fun() -> exit(lists:sum(lists:seq(1, 100000))) end) end},
     {"heap", fun() -> group(#{memory => 1000000}, fun() -> grow([]) end) end},
     {"one large object", fun() -> group(#{memory => 1000000}, fun() -> lists:seq(1, 10000000) end) end},
     {"one large integer", fun() -> group(#{memory => 100000}, fun() -> one() bsl 5000000 end) end},
     {"caught", fun() -> group(#{memory => 1000000}, fun() -> catch lists:seq(1, 10000000), wait() end) end},
     {"stack", fun() -> group(#{memory => 1000000}, fun() -> deep(1) end) end},
     {"binaries", fun() -> group(#{memory => 5000000}, fun() -> binaries([]) end) end},
     {"one large binary", fun() -> group(#{memory => 1000000}, fun() -> binary:copy(<<0>>, 100000000) end) end},
     {"an appended binary", fun() -> group(#{memory => 1000000}, fun() -> append(<<>>) end) end},
     {"garbage does not count", fun() -> group(#{memory => 1000000}, fun() -> garbage(20000), exit(done) end) end},
     {"garbage binaries do not count", fun() -> group(#{memory => 1000000}, fun() -> garbage_binaries(1000), exit(done) end) end},
     {"a table", fun() -> group(#{memory => 2000000}, fun() -> fill(ets:new(t, [set]), 1) end) end},
     {"an ordered table", fun() -> group(#{memory => 2000000}, fun() -> fill(ets:new(t, [ordered_set]), 1) end) end},
     {"a deleted table does not count", fun() -> group(#{memory => 2000000}, fun() -> tables(20), exit(done) end) end},
     {"a table that others fill", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> Me ! {t, ets:new(t, [public])}, wait() end, [monitor, {quota, #{memory => 2000000}}]),
          T = receive {t, X} -> X end,
          catch fill(T, 1),
          down(P, M)
      end},
     {"a table that was given away counts elsewhere", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> T = ets:new(t, []), fill_to(T, 5000), ets:give_away(T, Me, x), exit(beside_heap() < 100000) end,
                             [monitor, {quota, #{memory => 2000000}}]),
          R = down(P, M),
          receive {'ETS-TRANSFER', T, _, _} -> ets:delete(T) end,
          R
      end},
     {"a table that was given to it", fun() ->
          T = ets:new(t, []), fill_to(T, 30000),
          {P, M} = spawn_opt(fun wait/0, [monitor, {quota, #{memory => 1000000}}]),
          ets:give_away(T, P, x),
          down(P, M)
      end},
     {"the dictionary", fun() -> group(#{memory => 1000000}, fun() -> dictionary(1) end) end},
     {"a mailbox", fun() ->
          {P, M} = spawn_opt(fun wait/0, [monitor, {quota, #{memory => 1000000}}]),
          [P ! lists:seq(1, 100) || _ <- lists:seq(1, 1000)],
          down(P, M)
      end},
     {"a mailbox of one that is suspended", fun() ->
          {P, M} = spawn_opt(fun wait/0, [monitor, {quota, #{memory => 1000000}}]),
          erlang:suspend_process(P),
          [P ! lists:seq(1, 100) || _ <- lists:seq(1, 1000)],
          down(P, M)
      end},
     {"a mailbox of one that waits and is suspended", fun() ->
          {P, M} = spawn_opt(fun wait/0, [monitor, {quota, #{memory => 1000000}}]),
          waits(P),
          erlang:suspend_process(P),
          [P ! lists:seq(1, 100) || _ <- lists:seq(1, 1000)],
          down(P, M)
      end},
     {"monitors", fun() -> group(#{memory => 1000000}, fun() -> monitors(Alive) end) end},
     {"timers", fun() -> group(#{memory => 1000000}, fun() -> timers() end) end},
     {"reductions", fun() -> group(#{reductions => 100000}, fun spin/0) end},
     {"reductions of many", fun() -> group(#{reductions => 100000}, fun() -> [spawn(fun() -> lists:foreach(fun(_) -> ok end, lists:seq(1, 1000)) end) || _ <- lists:seq(1, 1000)], wait() end) end},
     {"messages", fun() -> group(#{messages => 100}, fun() -> [self() ! x || _ <- lists:seq(1, 101)], wait() end) end},
     {"messages from outside", fun() ->
          {P, M} = spawn_opt(fun wait/0, [monitor, {quota, #{messages => 100}}]),
          [P ! x || _ <- lists:seq(1, 101)],
          down(P, M)
      end},
     {"messages that were received do not count", fun() ->
          {P, M} = spawn_opt(fun() -> receive_all(1000), exit(done) end, [monitor, {quota, #{messages => 100}}]),
          [begin P ! {x, self()}, receive ok -> ok after 5000 -> late end end || _ <- lists:seq(1, 1000)],
          down(P, M)
      end},
     {"processes", fun() -> group(#{processes => 10}, fun() -> [spawn(fun wait/0) || _ <- lists:seq(1, 10)], wait() end) end},
     {"as many as allowed", fun() -> group(#{processes => 10}, fun() -> L = [spawn(fun wait/0) || _ <- lists:seq(1, 9)], [X ! stop || X <- L], exit(length(L)) end) end},
     {"those that have ended do not count", fun() -> group(#{processes => 3}, fun() -> [begin {Q, N} = spawn_monitor(fun() -> ok end), down(Q, N), alone(5000) end || _ <- lists:seq(1, 100)], exit(done) end) end},
     {"a fork bomb", fun() -> group(#{processes => 1000}, fun bomb/0) end},
     {"inherited", fun() -> group(#{memory => 1000000}, fun() -> spawn(fun() -> spawn_link(fun() -> {_, _} = spawn_monitor(fun() -> grow([]) end), wait() end), wait() end), wait() end) end},
     {"the sum counts", fun() -> group(#{memory => 5000000}, fun() -> [spawn(fun() -> L = lists:seq(1, 20000), wait(), L end) || _ <- lists:seq(1, 50)], wait() end) end},
     {"who traps exits", fun() -> group(#{reductions => 100000}, fun() -> process_flag(trap_exit, true), spin() end) end},
     {"links see it", fun() ->
          process_flag(trap_exit, true),
          P = spawn_opt(fun() -> spin() end, [link, {quota, #{reductions => 100000}}]),
          receive {'EXIT', P, R} -> process_flag(trap_exit, false), R after 20000 -> late end
      end},
     {"links end by it", fun() ->
          {P, M} = spawn_monitor(fun() -> spawn_opt(fun spin/0, [link, {quota, #{reductions => 100000}}]), wait() end),
          down(P, M)
      end},
     {"the others live", fun() -> is_process_alive(Alive) end},
     {"a group in a group ends alone", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> Me ! group(#{memory => 1000000}, fun() -> grow([]) end), wait() end, [monitor, {quota, #{memory => 100000000}}]),
          R = receive X -> X after 20000 -> late end,
          L = is_process_alive(P),
          P ! stop,
          {R, L, down(P, M)}
      end},
     {"a group in a group counts in both", fun() -> group(#{memory => 1000000}, fun() -> group(#{memory => 100000000}, fun() -> grow([]) end) end) end},
     {"who is in both ends with it", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> Me ! {inner, spawn_opt(fun wait/0, [{quota, #{messages => 10}}])}, spin() end, [monitor, {quota, #{reductions => 1000000}}]),
          Inner = receive {inner, I} -> I end,
          N = monitor(process, Inner),
          {down(P, M), case down(Inner, N) of noproc -> {quota, reductions}; R -> R end}
      end},
     {"what is left of it", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> spawn_opt(fun() -> Me ! process_info(self(), quota), wait() end, [link, {quota, #{processes => 5}}]), wait() end,
                             [monitor, {quota, #{memory => 100000, messages => 100}}]),
          {quota, [#{limits := L1, used := U1}, #{limits := L2, used := U2}]} = receive X -> X end,
          exit(P, kill),
          down(P, M),
          {L1, maps:get(processes, U1), L2, maps:get(processes, U2), lists:sort(maps:keys(U1)),
           maps:get(memory, U1) > 300, maps:get(memory, U1) < 10000, maps:get(memory, U2) > maps:get(memory, U1)}
      end},
     {"nothing is left over", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> leftovers(), Me ! {beside_heap(), used()}, wait() end, [monitor, {quota, #{memory => 10000000}}]),
          {B, #{messages := 0, processes := 1}} = receive X -> X after 20000 -> late end,
          P ! stop, down(P, M),
          B < 5000
      end},
     {"a binary belongs to who made it", fun() ->
          Me = self(),
          {P, M} = spawn_opt(fun() -> B = binary:copy(<<1>>, 1000000), Me ! B, wait(), byte_size(B) end, [monitor, {quota, #{memory => 2000000}}]),
          B = receive X -> X end,
          {quota, [#{used := #{memory := U}}]} = process_info(P, quota),
          P ! stop, down(P, M),
          {byte_size(B), U > 1000000}
      end},
     {"and then to who holds it alone", fun() ->
          {P, M} = spawn_opt(fun() -> receive B -> wait(), byte_size(B) end end, [monitor, {quota, #{memory => 2000000}}]),
          spawn(fun() -> P ! binary:copy(<<1>>, 1000000) end),
          timer:sleep(50),
          erlang:garbage_collect(P),
          {quota, [#{used := #{memory := U}}]} = process_info(P, quota),
          P ! stop, down(P, M),
          U > 1000000
      end},
     {"garbage_collect of another is his own affair", fun() ->
          {Q, N} = spawn_monitor(fun() -> L = lists:seq(1, 1000000), wait(), exit(length(L)) end),
          timer:sleep(20),
          R = group(#{memory => 1000000}, fun() -> exit(erlang:garbage_collect(Q)) end),
          Q ! stop,
          {R, down(Q, N)}
      end},
     {"spawn_request", fun() ->
          R = spawn_request(fun spin/0, [monitor, {quota, #{reductions => 10000}}]),
          receive {spawn_reply, R, ok, P} -> down(P, R) end
      end},
     {"proc_lib", fun() -> {P, M} = proc_lib:spawn_opt(fun spin/0, [monitor, {quota, #{reductions => 10000}}]), down(P, M) end},
     {"bad ones", fun() -> [{Q, try spawn_opt(fun wait/0, [{quota, Q}]) catch error:E -> E end} ||
          Q <- [x, 1, [], #{x => 1}, #{memory => 0}, #{memory => -1}, #{memory => x}, #{memory => 1.0}, #{reductions => 1 bsl 70},
                #{memory => 1000, other => 1}]] end},
     {"a bad one in a request", fun() -> R = spawn_request(fun wait/0, [{quota, 1}]), receive {spawn_reply, R, A, B} -> {A, B} end end},
     {"the others live still", fun() -> is_process_alive(Alive) end}
    ].

%% The caller is alone in its group again: the memory of those that have ended goes a little later with several schedulers.
alone(0) -> late;
alone(N) ->
    case process_info(self(), quota) of
        {quota, [#{used := #{processes := 1}}]} -> ok;
        _ -> erlang:yield(), alone(N - 1)
    end.
used() -> alone(100000), garbage_collect(), {quota, [#{used := U}]} = process_info(self(), quota), U.
beside_heap() ->
    alone(100000), garbage_collect(),
    [{quota, [#{used := #{memory := U}}]}, {total_heap_size, H}] = process_info(self(), [quota, total_heap_size]),
    U - 8 * H.
leftovers() ->
    T = ets:new(t, [public]), fill_to(T, 1000), ets:delete(T),
    U = ets:new(u, [ordered_set]), fill_to(U, 1000), ets:delete_all_objects(U), ets:delete(U),
    R = [erlang:start_timer(100000, self(), {x, N}) || N <- lists:seq(1, 100)],
    [erlang:cancel_timer(X) || X <- R],
    [demonitor(M, [flush]) || M <- [monitor(process, self()) || _ <- lists:seq(1, 100)] ++ [monitor(process, erlang:group_leader()) || _ <- lists:seq(1, 100)]],
    L = [spawn_monitor(fun() -> [put(N, lists:seq(1, N)) || N <- lists:seq(1, 50)], self() ! binary:copy(<<1>>, 10000), wait_for(20) end) || _ <- lists:seq(1, 50)],
    [down(P, M) || {P, M} <- L],
    [self() ! {x, lists:seq(1, 100), binary:copy(<<1>>, 1000)} || _ <- lists:seq(1, 100)],
    receive_some(100),
    ok.
wait_for(T) -> receive stop -> ok after T -> ok end.
receive_some(0) -> ok;
receive_some(N) -> receive {x, _, _} -> receive_some(N - 1) end.
receive_all(0) -> ok;
receive_all(N) -> receive {x, P} -> P ! ok, receive_all(N - 1) end.
bomb() -> spawn(fun bomb/0), spawn(fun bomb/0), wait().
deep(0) -> 0;
deep(N) -> 1 + deep(N + 1).
binaries(L) -> binaries([binary:copy(<<1>>, 10000) | L]).
append(B) -> append(<<B/binary, 0:800>>).
garbage(0) -> ok;
garbage(N) -> lists:seq(1, 1000), garbage(N - 1).
garbage_binaries(0) -> ok;
garbage_binaries(N) -> binary:copy(<<1>>, 100000), garbage_binaries(N - 1).
fill(T, N) -> ets:insert(T, {N, N, N}), fill(T, N + 1).
fill_to(T, N) -> [ets:insert(T, {I, I, I}) || I <- lists:seq(1, N)].
tables(0) -> ok;
tables(N) -> T = ets:new(t, []), fill_to(T, 5000), ets:delete(T), tables(N - 1).
dictionary(N) -> put(N, N), dictionary(N + 1).
monitors(P) -> monitor(process, P), monitors(P).
timers() -> erlang:send_after(1000000, self(), {x, x}), timers().
.

expected='no quota: []
within: 500500
no limits: 5000050000
heap: {quota,memory}
one large object: {quota,memory}
one large integer: {quota,memory}
caught: {quota,memory}
stack: {quota,memory}
binaries: {quota,memory}
one large binary: {quota,memory}
an appended binary: {quota,memory}
garbage does not count: done
garbage binaries do not count: done
a table: {quota,memory}
an ordered table: {quota,memory}
a deleted table does not count: done
a table that others fill: {quota,memory}
a table that was given away counts elsewhere: true
a table that was given to it: {quota,memory}
the dictionary: {quota,memory}
a mailbox: {quota,memory}
a mailbox of one that is suspended: {quota,memory}
a mailbox of one that waits and is suspended: {quota,memory}
monitors: {quota,memory}
timers: {quota,memory}
reductions: {quota,reductions}
reductions of many: {quota,reductions}
messages: {quota,messages}
messages from outside: {quota,messages}
messages that were received do not count: done
processes: {quota,processes}
as many as allowed: 9
those that have ended do not count: done
a fork bomb: {quota,processes}
inherited: {quota,memory}
the sum counts: {quota,memory}
who traps exits: {quota,reductions}
links see it: {quota,reductions}
links end by it: {quota,reductions}
the others live: true
a group in a group ends alone: {{quota,memory},true,normal}
a group in a group counts in both: {quota,memory}
who is in both ends with it: {{quota,reductions},{quota,reductions}}
what is left of it: {#{processes => 5},1,#{memory => 100000,messages => 100},2,[memory,messages,processes,reductions],true,true,true}
nothing is left over: true
a binary belongs to who made it: {1000000,true}
and then to who holds it alone: true
garbage_collect of another is his own affair: {true,1000000}
spawn_request: {quota,reductions}
proc_lib: {quota,reductions}
bad ones: [{x,badarg},{1,badarg},{[],badarg},{#{x => 1},badarg},{#{memory => 0},badarg},{#{memory => -1},badarg},{#{memory => x},badarg},{#{memory => 1.0},badarg},{#{reductions => 1180591620717411303424},badarg},{#{memory => 1000,other => 1},badarg}]
a bad one in a request: {error,badopt}
the others live still: true'

mote -pa . -s quotas
out_is "$expected"; status_is 0
mote --native -pa . -s quotas
out_is "$expected"; status_is 0
run env MOTE_SCHEDULERS=4 "$MOTE" -pa . -s quotas
out_is "$expected"; status_is 0
