%% Stands in for Common Test's module of the same name: what OTP's suites call of it at run time. There are no nodes here.
-module(test_server).
-export([timetrap/1, timetrap_cancel/1, timetrap_scale_factor/0, sleep/1, minutes/1, seconds/1, lookup_config/2, comment/1, is_cover/0,
         is_debug/0, is_valgrind/0, is_asan/0, get_progname/0, do_times/2, do_times/4, m_out_of_n/3, timecall/3, app_test/1, app_test/2,
         appup_test/1, stop_node/1, temp_name/1, messages_get/0, messages_get/1, is_release_available/1, memory_checker/0]).
-export(['$handle_undefined_function'/2]).

milliseconds({Unit, N}) -> round(apply(timer, Unit, [1]) * N);
milliseconds(N) -> N.
minutes(N) -> milliseconds({minutes, N}).
seconds(N) -> milliseconds({seconds, N}).

timetrap(Time) -> suite_driver:time_limit(milliseconds(Time)), make_ref().
timetrap_cancel(_) -> ok.
timetrap_scale_factor() -> 1.
sleep(Time) -> timer:sleep(milliseconds(Time)).
lookup_config(Key, Config) -> proplists:get_value(Key, Config).
comment(_) -> ok.
is_cover() -> false.
is_debug() -> false.
is_valgrind() -> false.
is_asan() -> false.
memory_checker() -> none.
is_release_available(_) -> false.
get_progname() -> case init:get_argument(progname) of {ok, [[Program | _] | _]} -> Program; _ -> "erl" end.

do_times(N, Fun) -> [Fun() || _ <- lists:seq(1, N)], ok.
do_times(N, M, F, A) -> do_times(N, fun() -> apply(M, F, A) end).
m_out_of_n(M, N, Fun) ->
    Good = [ok || _ <- lists:seq(1, N), (catch begin Fun(), ok end) =:= ok],
    length(Good) >= M orelse exit({suite_failed, {m_out_of_n, M, N}}),
    ok.
timecall(M, F, A) ->
    {Time, Value} = timer:tc(M, F, A),
    {Time / 1000000, Value}.
app_test(Application) -> app_test(Application, []).
app_test(Application, _) -> _ = application:load(Application), {ok, _} = application:get_all_key(Application), ok.
appup_test(_) -> ok.
temp_name(Start) -> Start ++ integer_to_list(erlang:unique_integer([positive])).
messages_get() -> messages_get([]).
messages_get(Before) -> receive M -> messages_get([M | Before]) after 0 -> lists:reverse(Before) end.
stop_node(_) -> true.

'$handle_undefined_function'(Function, Arguments) ->
    Nodes = [start_node, start_peer, run_on_shielded_node],
    lists:member(Function, Nodes) orelse error_handler:raise_undef_exception(test_server, Function, Arguments),
    throw({skip, "needs a node"}).
