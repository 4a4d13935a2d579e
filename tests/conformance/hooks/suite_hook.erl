%% A hook of Common Test that writes each case's result as suite_driver does: SUITE_RESULTS in the environment names the file.
-module(suite_hook).
-export([run/2, init/2, post_end_per_testcase/5, on_tc_skip/4]).

%% Runs a suite by Common Test, and ends the VM.
run(Folder, Suite) ->
    {ok, Here} = file:get_cwd(),
    Result = ct:run_test([{dir, Folder}, {suite, list_to_atom(Suite)}, {logdir, Here}, {auto_compile, false},
                          {ct_hooks, [suite_hook]}, {abort_if_missing_suites, true}]),
    halt(case Result of {_, _, {_, _}} -> 0; _ -> 1 end).

init(_, _) -> {ok, #{}}.

post_end_per_testcase(_Suite, Case, _Config, Result, State) ->
    write(Case, case Result of
        {error, {timetrap_timeout, _}} -> {timeout, ""};
        {timetrap_timeout, _} -> {timeout, ""};
        {skip, Reason} -> {skipped, Reason};
        {error, Reason} -> {failed, Reason};
        {failed, Reason} -> {failed, Reason};
        _ -> {ok, ""}
    end),
    {Result, State}.

on_tc_skip(_Suite, {Case, _Group}, Reason, State) -> on_tc_skip(none, Case, Reason, State);
on_tc_skip(_Suite, Case, Reason, State) ->
    write(Case, {skipped, Reason}),
    State.

write(Case, {Result, Reason}) ->
    Text = case Reason of "" -> ""; _ -> io_lib:format("~0tP", [Reason, 30]) end,
    Line = unicode:characters_to_binary(io_lib:format("0\t~w\t~w\t0\t~ts\n", [Case, Result, Text])),
    ok = file:write_file(os:getenv("SUITE_RESULTS"), Line, [append]).
