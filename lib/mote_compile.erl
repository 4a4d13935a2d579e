%% Runs Erlang's compiler: for `make run`, for FILE.erl on the command line, and to compare its output with that of erl.
-module(mote_compile).
-export([file/1, digests/1]).

%% -s mote_compile file SOURCE DIR: compiles SOURCE into DIR.
file([Source, Dir]) ->
    case compile:file(atom_to_list(Source), [report, {outdir, atom_to_list(Dir)}]) of
        {ok, Module} ->
            io:format("~ts -> ~ts/~ts.beam~n", [Source, Dir, Module]);
        _ ->
            erlang:halt(1)
    end.

%% -s mote_compile digests FILE...: the MD5 of what the compiler makes of each source, one line each.
digests(Sources) ->
    _ = [digest(atom_to_list(S)) || S <- Sources],
    ok.

digest(Source) ->
    Include = [{d, 'COMPILER_VSN', ""} | [{i, filename:join(filename:dirname(Source), D)} || D <- [".", "../include"]] ++
        [{i, filename:join(code:lib_dir(App), "include")} || App <- [kernel, stdlib]]],
    Result =
        case compile:file(Source, [binary, deterministic, debug_info, no_docs | Include]) of
            {ok, _, Binary} -> hex(erlang:md5(Binary));
            Other -> io_lib:format("~p", [Other])
        end,
    io:format("~ts ~ts~n", [filename:basename(Source), Result]).

hex(Binary) -> [io_lib:format("~2.16.0b", [B]) || <<B>> <= Binary].
