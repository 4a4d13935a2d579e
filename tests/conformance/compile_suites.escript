#!/usr/bin/env escript
%% compile_suites.escript TOP SOURCE OUT [SUITE...]: OTP's suites of an application (all, or those named), compiled into OUT with what they share, and
%% the folders of data beside them.
main([Top, Source, Relative | Names]) ->
    Out = filename:absname(Relative),
    ok = filelib:ensure_dir(Out ++ "/x"),
    Include = [{i, filename:join(Top, D)} || D <- ["lib/common_test/include", "lib/kernel/include", "lib/stdlib/include", "lib/kernel/src",
                                                   "lib/stdlib/src", "lib/compiler/src"]],
    Options = [{outdir, Out}, debug_info, nowarn_export_all | Include],
    ok = file:set_cwd(Source), % cases look at the names of their files
    Failed = [F || F <- filelib:wildcard("*.erl"), wanted(F, "_SUITE.erl", Names), compile:file(F, Options) =:= error],
    Failed =:= [] orelse io:format("not compiled: ~tp~n", [Failed]),
    [copy(D, filename:join(Out, D)) || D <- filelib:wildcard("*_data") ++ filelib:wildcard("property_test"), wanted(D, "_SUITE_data", Names)],
    ok.

%% Everything if no suite is named; otherwise what no suite is called after, and what one of those named is.
wanted(File, Suffix, Names) ->
    Names =:= [] orelse not lists:suffix(Suffix, File) orelse lists:member(filename:rootname(lists:flatten(string:replace(File, "_data", ""))), Names).

copy(From, To) ->
    case file:read_link_info(From) of
        {ok, Info} when element(3, Info) =:= directory ->
            ok = filelib:ensure_dir(To ++ "/x"),
            {ok, Names} = file:list_dir_all(From),
            [copy(filename:join(From, N), filename:join(To, N)) || N <- Names];
        _ ->
            {ok, _} = file:copy(From, To)
    end.
