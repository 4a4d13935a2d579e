# Bare mode prints what OTP's logger prints: crashes of plain processes, of behaviours, supervisors' reports, and what is logged.
cd "$WORK" || exit 1
cat > reports.erl <<'END'
-module(reports).
-behaviour(gen_server).
-export([main/0, main/1, start_link/0, init/1, handle_call/3, handle_cast/2]).

main(_) -> main().

main() ->
    process_flag(trap_exit, true),
    [begin F(), timer:sleep(200) end || F <- steps()],
    io:format(standard_error, "to standard error~n", []),
    io:format(user, "to user~n", []).

steps() ->
    [
        fun() -> spawn(fun() -> error(plain) end) end,
        fun() -> spawn(fun() -> exit(quietly) end) end,
        fun() -> spawn(fun() -> throw(ball) end) end,
        fun() -> proc_lib:spawn(fun() -> error(with_proc_lib) end) end,
        fun() -> {ok, _} = gen_server:start({local, server}, ?MODULE, [], []), gen_server:cast(server, die) end,
        fun() -> {ok, _} = supervisor:start_link(?MODULE, supervisor) end,
        fun() -> gen_server:cast(reports, die) end,
        fun() -> gen_server:cast(reports, die) end,
        fun() -> logger:error("hello ~p", [1]), logger:warning("warning"), logger:notice("notice"), logger:info("silent") end,
        fun() -> error_logger:error_msg("message ~p~n", [x]), error_logger:info_msg("information~n") end,
        fun() -> error_logger:warning_report([{a, 1}, {b, 2}]), error_logger:error_report("text") end,
        fun() -> logger:critical(#{only => "one"}), logger:set_primary_config(level, debug), logger:debug("debug") end
    ].

start_link() -> gen_server:start_link({local, reports}, ?MODULE, [], []).

init(supervisor) -> {ok, {#{intensity => 1, period => 5}, [#{id => child, start => {reports, start_link, []}}]}};
init([]) -> {ok, state}.

handle_call(_, _, S) -> {reply, ok, S}.

handle_cast(die, _) -> error(dead).
END
erlc reports.erl || exit 1
same() {
    sed -E 's/[0-9]+-[A-Z][a-z]+-20[0-9:.]+/DATE/; s/<0\.[0-9]+\.0>/PID/g; s/(heap_size|stack_size|reductions): [0-9]+/\1: N/'
}
erl -noshell -eval 'reports:main(), init:stop().' 2> expected.errors | same > expected
"$MOTE" reports.beam 2> got.errors | same > got
diff expected got
diff expected.errors got.errors
