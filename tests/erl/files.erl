%% Files and folders through OTP's file and prim_file: every operation, every mode, and the errors.
-module(files).
-export([main/0]).
-include_lib("kernel/include/file.hrl").

main() ->
    Dir = "/tmp/mote_files_" ++ os:getpid(),
    ok = file:make_dir(Dir),
    erlang:system_flag(system_logger, undefined), % names that are not Unicode are logged
    put(dir, Dir),
    try
        whole_files(), open_files(), modes(), folders(), links(), info(), large(), names(), many(), closed(), raw()
    after
        file:del_dir_r(Dir)
    end.

f(Name) -> filename:join(get(dir), Name).

show(Label, F) ->
    io:format("~0p: ~0p~n", [Label, hide(try F() catch error:E:S -> {error, E, element(2, hd(S))}; C:R -> {C, R} end)]).

all(Rows) -> [show(L, F) || {L, F} <- Rows].

hide(P) when is_pid(P) -> a_pid;
hide(#file_descriptor{}) -> a_descriptor;
hide(T) when is_tuple(T) -> list_to_tuple(hide(tuple_to_list(T)));
hide([H | T]) -> [hide(H) | hide(T)];
hide(T) -> T.

whole_files() ->
    io:format("--- whole files~n"),
    all([{write, fun() -> file:write_file(f("a"), "hello") end}, {read, fun() -> file:read_file(f("a")) end},
         {append, fun() -> file:write_file(f("a"), [" ", <<"world">>, [[$!]]], [append]) end}, {read_2, fun() -> file:read_file(f("a")) end},
         {empty, fun() -> file:write_file(f("empty"), <<>>) end}, {read_empty, fun() -> file:read_file(f("empty")) end},
         {exclusive, fun() -> file:write_file(f("a"), "x", [exclusive]) end}, {missing, fun() -> file:read_file(f("no")) end},
         {folder, fun() -> file:read_file(get(dir)) end}, {below_file, fun() -> file:read_file(f("a/b")) end},
         {copy, fun() -> file:copy(f("a"), f("b")) end}, {copy_part, fun() -> file:copy(f("a"), f("c"), 5) end}, {read_3, fun() -> file:read_file(f("c")) end},
         {proc, fun() -> {ok, B} = file:read_file("/proc/self/status"), byte_size(B) > 100 end},
         {device, fun() -> file:read_file("/dev/null") end}, {bad_name, fun() -> file:read_file([$a, 0, $b]) end}, {bad_name_2, fun() -> file:read_file(17) end},
         {empty_name, fun() -> file:read_file("") end}, {bad_data, fun() -> file:write_file(f("d"), [bad]) end},
         {rename, fun() -> file:rename(f("b"), f("e")) end}, {rename_missing, fun() -> file:rename(f("b"), f("e")) end}, {delete, fun() -> file:delete(f("e")) end},
         {delete_missing, fun() -> file:delete(f("e")) end}, {delete_folder, fun() -> file:delete(get(dir)) end},
         {big, fun() -> B = binary:copy(<<"0123456789abcdef">>, 100000), ok = file:write_file(f("big"), B), {ok, C} = file:read_file(f("big")), B =:= C end},
         {terms, fun() -> ok = file:write_file(f("terms"), "{a, 1}.\n\"x\".\n[1,2|3].\n"), file:consult(f("terms")) end},
         {consult_bad, fun() -> ok = file:write_file(f("terms2"), "{a, 1}.\n{b.\n"), file:consult(f("terms2")) end}]).

open_files() ->
    io:format("--- open files~n"),
    [begin
         io:format("~p~n", [Modes]),
         file:write_file(f("o"), "line one\nline two\r\nthird\n\nlast"),
         {ok, F} = file:open(f("o"), [read, write | Modes]),
         all([{read, fun() -> file:read(F, 4) end}, {read_0, fun() -> file:read(F, 0) end}, {line, fun() -> file:read_line(F) end}, {line_2, fun() -> file:read_line(F) end},
              {line_3, fun() -> file:read_line(F) end}, {line_4, fun() -> file:read_line(F) end}, {line_5, fun() -> file:read_line(F) end}, {eof, fun() -> file:read_line(F) end},
              {eof_2, fun() -> file:read(F, 10) end}, {position, fun() -> file:position(F, 5) end}, {cur, fun() -> file:position(F, {cur, 2}) end}, {cur_2, fun() -> file:position(F, cur) end},
              {'end', fun() -> file:position(F, {eof, -4}) end}, {read_last, fun() -> file:read(F, 100) end}, {before_start, fun() -> file:position(F, {cur, -1000}) end},
              {bad_position, fun() -> file:position(F, foo) end}, {pread, fun() -> file:pread(F, 3, 6) end}, {pread_list, fun() -> file:pread(F, [{0, 4}, {1000, 1}, {5, 3}]) end},
              {pread_bad, fun() -> file:pread(F, -1, 6) end}, {pwrite, fun() -> file:pwrite(F, 5, "ONE") end}, {pwrite_list, fun() -> file:pwrite(F, [{0, <<"LINE">>}, {9, "LI"}]) end},
              {write, fun() -> file:position(F, eof), file:write(F, [" more", $\n]) end}, {datasync, fun() -> file:datasync(F) end}, {sync, fun() -> file:sync(F) end},
              {content, fun() -> file:read_file(f("o")) end}, {truncate, fun() -> file:position(F, 7), file:truncate(F) end}, {content_2, fun() -> file:sync(F), file:read_file(f("o")) end},
              {advise, fun() -> file:advise(F, 0, 0, sequential) end}, {advise_bad, fun() -> file:advise(F, 0, 0, foo) end}, {allocate, fun() -> file:allocate(F, 0, 100) end},
              {gap, fun() -> file:pwrite(F, 20, "gap"), file:position(F, 0), file:read(F, 100) end}, {write_bad, fun() -> file:write(F, [foo]) end}, {read_bad, fun() -> file:read(F, -1) end},
              {big_write, fun() -> file:position(F, 0), ok = file:write(F, [binary:copy(<<"x">>, 100000), "y", binary:copy(<<"z">>, 5000)]), file:position(F, cur) end},
              {big_read, fun() -> file:position(F, 99999), file:read(F, 3) end}, {huge_read, fun() -> file:position(F, 0), {ok, D} = file:read(F, 1 bsl 30), iolist_size(D) end},
              {close, fun() -> file:close(F) end}, {after_close, fun() -> element(1, file:read(F, 1)) end}])
     end || Modes <- [[], [binary], [raw], [raw, binary], [raw, read_ahead], [raw, delayed_write, binary], [raw, binary, {read_ahead, 10}, {delayed_write, 100, 50}], [read_ahead], [delayed_write]]].

modes() ->
    io:format("--- modes~n"),
    Open = fun(Name, Modes) -> fun() -> case file:open(f(Name), Modes) of {ok, F} -> R = {file:read(F, 3), file:write(F, "abc"), file:close(F)}, {ok, R, file:read_file(f(Name))}; E -> E end end end,
    file:write_file(f("m"), "0123456789"),
    all([{{N, M}, Open(N, M)} || {N, M} <- [{"m", [raw, read]}, {"m", [raw]}, {"m", [raw, append]}, {"m", [raw, read, append]}, {"m", [raw, exclusive]}, {"n1", [raw, exclusive]}, {"n2", [raw, read]}, {"n3", [raw, read, write]},
         {"m", [raw, read, write]}, {"m", [raw, write]}, {"m", [raw, write, sync]}, {"no/dir", [raw, write]}, {".", [raw, read]}, {".", [raw, read, directory]}, {"m", [raw, directory]}, {"m", [nonsense]}, {"m", [raw, nonsense]},
         {"z", [read, compressed]}, {"z", [read, raw, compressed]}, {"z", [read, write, compressed]}, {"l1", [write, {encoding, latin1}]}, {"u8", [write, read, {encoding, utf8}]}, {"x", [write, {encoding, foo}]}]]),
    all([{compressed, fun() -> {ok, F} = file:open(f("gz"), [write, raw, compressed]), [ok = file:write(F, integer_to_list(I)) || I <- lists:seq(1, 1000)], ok = file:close(F), {ok, B} = file:read_file(f("gz")),
             {ok, G} = file:open(f("gz"), [read, raw, compressed, binary]), {ok, D} = file:read(G, 1000000), file:close(G), {byte_size(B) < 2000, byte_size(D), erlang:md5(zlib:gunzip(B)) =:= erlang:md5(D)} end},
         {utf8, fun() -> {ok, F} = file:open(f("utf"), [write, {encoding, utf8}]), io:put_chars(F, [229, 228, 8364, $\n]), file:close(F), file:read_file(f("utf")) end},
         {utf8_read, fun() -> {ok, F} = file:open(f("utf"), [read, {encoding, utf8}]), L = io:get_line(F, ''), file:close(F), L end}]).

folders() ->
    io:format("--- folders~n"),
    all([{make, fun() -> file:make_dir(f("d")) end}, {again, fun() -> file:make_dir(f("d")) end}, {deep, fun() -> file:make_dir(f("d/e/f")) end}, {list_empty, fun() -> file:list_dir(f("d")) end},
         {fill, fun() -> [ok = file:write_file(f("d/" ++ [C]), "") || C <- "cab"], {ok, L} = file:list_dir(f("d")), lists:sort(L) end}, {list_all, fun() -> {ok, L} = file:list_dir_all(f("d")), lists:sort(L) end},
         {not_empty, fun() -> file:del_dir(f("d")) end}, {list_file, fun() -> file:list_dir(f("a")) end}, {list_missing, fun() -> file:list_dir(f("nothing")) end}, {del_missing, fun() -> file:del_dir(f("nothing")) end},
         {del_file, fun() -> file:del_dir(f("a")) end}, {cwd, fun() -> {ok, Old} = file:get_cwd(), ok = file:set_cwd(f("d")), {ok, New} = file:get_cwd(), R = file:read_file_info("a") =/= {error, enoent}, ok = file:set_cwd(Old), {New =:= f("d"), R} end},
         {cwd_missing, fun() -> file:set_cwd(f("nothing")) end}, {cwd_file, fun() -> file:set_cwd(f("a")) end}, {drive, fun() -> file:get_cwd("C:") end}, {altname, fun() -> file:altname(f("a")) end},
         {ensure, fun() -> {filelib:ensure_dir(f("x/y/z/file")), filelib:is_dir(f("x/y/z"))} end}, {wildcard, fun() -> [filename:basename(N) || N <- filelib:wildcard(f("d/*"))] end}, {del_r, fun() -> file:del_dir_r(f("d")) end},
         {rename_dir, fun() -> {file:rename(f("x"), f("w")), filelib:is_dir(f("w/y/z"))} end}, {rename_into, fun() -> file:rename(f("w"), f("w/y/q")) end}, {rename_over, fun() -> file:rename(f("a"), f("w")) end}]).

links() ->
    io:format("--- links~n"),
    all([{soft, fun() -> file:make_symlink(f("a"), f("soft")) end}, {again, fun() -> file:make_symlink(f("a"), f("soft")) end}, {read, fun() -> {ok, L} = file:read_link(f("soft")), L =:= f("a") end}, {read_all, fun() -> element(1, file:read_link_all(f("soft"))) end},
         {through, fun() -> file:read_file(f("soft")) end}, {not_link, fun() -> file:read_link(f("a")) end}, {hard, fun() -> file:make_link(f("a"), f("hard")) end}, {links, fun() -> {ok, I} = file:read_file_info(f("hard")), I#file_info.links end},
         {link_info, fun() -> {ok, I} = file:read_link_info(f("soft")), I#file_info.type end}, {followed, fun() -> {ok, I} = file:read_file_info(f("soft")), I#file_info.type end}, {dangling, fun() -> ok = file:make_symlink("nowhere", f("dang")), {file:read_file(f("dang")), file:read_link(f("dang"))} end},
         {loop, fun() -> ok = file:make_symlink(f("loop"), f("loop")), file:read_file(f("loop")) end}, {hard_missing, fun() -> file:make_link(f("nothing"), f("h2")) end}]).

info() ->
    io:format("--- information~n"),
    file:write_file(f("i"), "12345"),
    Time = {{2020, 2, 29}, {12, 30, 45}},
    all([{info, fun() -> {ok, I} = file:read_file_info(f("i")), I#file_info{atime = x, mtime = x, ctime = x, inode = x, major_device = x, uid = x, gid = x} end},
         {dir, fun() -> {ok, I} = file:read_file_info(get(dir)), {I#file_info.type, I#file_info.access} end}, {device, fun() -> {ok, I} = file:read_file_info("/dev/null"), I#file_info.type end}, {missing, fun() -> file:read_file_info(f("nothing")) end},
         {raw, fun() -> {ok, I} = file:read_file_info(f("i"), [raw]), I#file_info.size end}, {posix, fun() -> {ok, I} = file:read_file_info(f("i"), [{time, posix}]), is_integer(I#file_info.mtime) end},
         {times, fun() -> ok = file:change_time(f("i"), Time), {ok, I} = file:read_file_info(f("i")), I#file_info.mtime end}, {mode, fun() -> ok = file:change_mode(f("i"), 8#400), {ok, I} = file:read_file_info(f("i")), I#file_info.mode end},
         {owner, fun() -> file:change_owner(f("i"), 0) end}, {write_info, fun() -> ok = file:write_file_info(f("i"), #file_info{mode = 8#644, mtime = Time}), {ok, I} = file:read_file_info(f("i")), {I#file_info.mode, I#file_info.mtime} end},
         {write_missing, fun() -> file:write_file_info(f("nothing"), #file_info{mode = 8#644}) end}, {handle, fun() -> {ok, F} = file:open(f("i"), [raw]), {ok, I} = file:read_file_info(F), file:close(F), {I#file_info.size, I#file_info.access} end},
         {epoch, fun() -> ok = file:change_time(f("i"), {{1971, 1, 1}, {0, 0, 0}}), {ok, I} = file:read_file_info(f("i"), [{time, universal}]), I#file_info.type end}, {proc, fun() -> {ok, I} = file:read_link_info("/proc/self"), I#file_info.type end}]).

large() ->
    io:format("--- large files~n"),
    {ok, F} = file:open(f("large"), [raw, read, write, binary]),
    G = 5 * 1024 * 1024 * 1024,
    all([{write, fun() -> file:pwrite(F, G, "far away") end}, {read, fun() -> file:pread(F, G + 4, 10) end}, {position, fun() -> file:position(F, {eof, -4}) end}, {read_2, fun() -> file:read(F, 10) end},
         {size, fun() -> {ok, I} = file:read_file_info(f("large")), I#file_info.size end}, {too_far, fun() -> file:position(F, 1 bsl 70) end}, {too_far_2, fun() -> file:pread(F, 1 bsl 70, 1) end}, {too_large, fun() -> file:read(F, 1 bsl 70) end},
         {truncate, fun() -> file:position(F, 10), file:truncate(F), {ok, I} = file:read_file_info(f("large")), I#file_info.size end}, {close, fun() -> file:close(F) end}]).

names() ->
    io:format("--- names~n"),
    all([{unicode, fun() -> ok = file:write_file(f([229, 8364, 128512]), "u"), {ok, L} = file:list_dir(get(dir)), lists:member([229, 8364, 128512], L) end}, {binary, fun() -> file:read_file(unicode:characters_to_binary(f([229, 8364, 128512]))) end},
         {raw_bytes, fun() -> N = <<(unicode:characters_to_binary(get(dir)))/binary, "/", 255, 254>>, ok = file:write_file(N, "raw"), {ok, L} = file:list_dir_all(get(dir)), R = file:read_file(N), {R, lists:member(<<255, 254>>, L), file:delete(N)} end},
         {atom, fun() -> file:read_file_info(no_such_file) end}, {deep, fun() -> file:read_file([get(dir), ["/", [$a]]]) end}, {long, fun() -> file:read_file(f(lists:duplicate(300, $x))) end},
         {very_long, fun() -> file:read_file(f(lists:duplicate(5000, $x))) end}, {encoding, fun() -> file:native_name_encoding() end}]).

%% Several processes at once; others go on meanwhile.
many() ->
    io:format("--- many~n"),
    Self = self(),
    Dir = get(dir),
    Spawn = fun(F) -> spawn(fun() -> put(dir, Dir), F() end) end,
    Pids = [Spawn(fun() -> Data = binary:copy(<<I:32>>, 1000), [begin ok = file:write_file(f("p" ++ integer_to_list(I)), Data), {ok, Data} = file:read_file(f("p" ++ integer_to_list(I))) end || _ <- lists:seq(1, 20)], Self ! {self(), done} end) || I <- lists:seq(1, 20)],
    [receive {P, done} -> ok end || P <- Pids],
    Victims = [Spawn(fun() -> (fun Loop() -> {ok, _} = prim_file:read_file(f("big")), Loop() end)() end) || _ <- lists:seq(1, 10)],
    [exit(P, kill) || P <- Victims],
    Killed = [begin P = spawn(fun() -> {ok, D} = file:get_cwd(), (fun Loop() -> {ok, D} = prim_file:get_cwd(), Loop() end)() end), timer:sleep(5), exit(P, stop), M = monitor(process, P), receive {'DOWN', M, _, _, R} -> R end end || _ <- lists:seq(1, 10)],
    io:format("~p ~p~n", [length(Pids), lists:usort(Killed)]),
    {P, M} = spawn_monitor(fun() -> put(dir, Dir), process_flag(trap_exit, true), Self ! ready, (fun Loop(0) -> ok; Loop(N) -> {ok, _} = prim_file:read_file_info(f("a")), Loop(N - 1) end)(2000), exit(element(2, process_info(self(), message_queue_len))) end),
    receive ready -> [P ! I || I <- lists:seq(1, 100)] end,
    receive {'DOWN', M, _, _, Count} -> io:format("~p messages kept~n", [Count]) end.

closed() ->
    io:format("--- closed~n"),
    {ok, F} = file:open(f("a"), [raw, binary]),
    all([{other, fun() -> Self = self(), spawn(fun() -> Self ! (catch file:read(F, 1)) end), receive R -> case R of {'EXIT', {E, _}} -> E; _ -> R end end end}, {close, fun() -> file:close(F) end}, {again, fun() -> file:close(F) end},
         {read, fun() -> file:read(F, 1) end}, {position, fun() -> file:position(F, 0) end}, {sync, fun() -> file:sync(F) end},
         {owner_dies, fun() -> Self = self(), A = f("a"), {P, M} = spawn_monitor(fun() -> {ok, G} = file:open(A, [read]), Self ! {file, G} end), receive {file, G} -> receive {'DOWN', M, _, P, _} -> ok end, timer:sleep(20), {is_process_alive(G), file:read(G, 1)} end end}]),
    io:format("~p~n", [fds() > 0]).

fds() -> {ok, L} = file:list_dir("/proc/self/fd"), length(L).

raw() ->
    io:format("--- prim_file~n"),
    Try = fun(Name, Args) -> fun() -> apply(prim_file, Name, Args) end end,
    all([{{N, A}, Try(N, A)} || {N, A} <- [{open, ["/nonexistent/x", [read]]}, {open, ["a", foo]}, {read_file, [<<"/nonexistent">>]}, {read_link, ["/nonexistent"]}, {list_dir, ["/nonexistent"]}, {del_file, ["/nonexistent"]}, {make_dir, ["/proc/x"]}, {read_file_info, [[300]]},
        {internal_name2native, ["abc"]}, {internal_name2native, [<<"abc">>]}, {internal_name2native, [[229]]}, {internal_native2name, [<<"abc">>]}, {internal_native2name, [<<255>>]}, {internal_normalize_utf8, [<<"abc">>]},
        {rename, ["/", "x"]}, {del_dir, [element(2, file:get_cwd())]}, {is_translatable, [<<"abc">>]}, {is_translatable, [<<255>>]}]]),
    {ok, F} = prim_file:open(f("ip"), [read, write, binary]),
    ok = prim_file:write(F, <<0:80, 5:32, 30:32, 0:96, "hello there">>),
    all([{ipread, fun() -> prim_file:ipread_s32bu_p32bu(F, 10, 100) end}, {ipread_small, fun() -> prim_file:ipread_s32bu_p32bu(F, 10, 4) end}, {ipread_eof, fun() -> prim_file:ipread_s32bu_p32bu(F, 1000, 4) end}, {ipread_zero, fun() -> prim_file:ipread_s32bu_p32bu(F, 0, 4) end},
         {handle, fun() -> byte_size(prim_file:get_handle(F)) end}, {close, fun() -> prim_file:close(F) end}, {closed, fun() -> prim_file:get_handle(F) end}]).
