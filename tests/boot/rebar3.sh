# rebar3: a project of three applications: compiled, tested (eunit, proper, common_test), as an escript and as a release; no network.
command -v rebar3 > /dev/null || { echo "rebar3 is not installed"; exit 77; }
cd "$WORK" || exit 1
export ERL_LIBS="$PACKAGES/lib/erlang/lib" HOME="$WORK" REBAR_CACHE_DIR="$WORK/cache" REBAR_COLOR=none TERM=dumb
mkdir -p apps/store/src apps/store/test apps/front/src apps/tool/src
cat > rebar.config <<'END'
{erl_opts, [debug_info]}.
{deps, []}.
{escript_main_app, tool}.
{escript_name, tool}.
{escript_incl_apps, [store]}.
{relx, [{release, {front, "1.0"}, [front, sasl]}, {dev_mode, false}, {include_erts, false}, {vm_args, "vm.args"}, {extended_start_script, false}]}.
END
echo "+Bi" > vm.args
for app in store front tool; do
    case $app in store) more="" ;; front) more=", store" ;; tool) more=", store, front" ;; esac # one order only in which they can be compiled
    start=$([ $app = front ] && echo ", {mod, {front_app, []}}")
    echo "{application, $app, [{description, \"$app\"}, {vsn, \"1.0\"}, {registered, []}, {applications, [kernel, stdlib$more]}$start]}." > apps/$app/src/$app.app.src
done
cat > apps/store/src/store.erl <<'END'
-module(store).
-behaviour(gen_server).
-compile({no_auto_import, [put/2, get/1]}).
-export([start_link/0, put/2, get/1, init/1, handle_call/3, handle_cast/2, double/1]).
-include_lib("stdlib/include/ms_transform.hrl").
-ifdef(TEST).
-include_lib("eunit/include/eunit.hrl").
-endif.
start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).
put(K, V) -> gen_server:call(?MODULE, {put, K, V}).
get(K) -> ets:select(?MODULE, ets:fun2ms(fun({A, V}) when A =:= K -> V end)).
double(L) -> [2 * X || X <- L].
init([]) -> {ok, ets:new(?MODULE, [named_table])}.
handle_call({put, K, V}, _, T) -> {reply, ets:insert(T, {K, V}), T}.
handle_cast(_, T) -> {noreply, T}.
-ifdef(TEST).
double_test() -> ?assertEqual([2, 4], double([1, 2])).
store_test_() -> {setup, fun start_link/0, fun({ok, P}) -> unlink(P), exit(P, kill) end, fun(_) -> [?_assert(put(a, 1)), ?_assertEqual([1], get(a))] end}.
wrong_test() -> ?assertEqual([3], double([1])).
-endif.
END
cat > apps/store/test/store_properties_tests.erl <<'END'
-module(store_properties_tests).
-include_lib("eunit/include/eunit.hrl").
-export([ints/0]).
ints() -> proper_types:list(proper_types:integer()).
half(L) -> [X div 2 || X <- L].
true_test_() -> {timeout, 60, ?_assert(proper:quickcheck(proper:forall(ints(), fun(L) -> half(store:double(L)) =:= L end), [{numtests, 200}, {to_file, user}]))}.
shrunk_test_() ->
    {timeout, 60, fun() ->
        Wrong = proper:forall(proper_types:list(proper_types:non_neg_integer()), fun(L) -> lists:sum(store:double(L)) < 40 end),
        ?assertEqual(false, proper:quickcheck(Wrong, [quiet, {numtests, 500}])),
        [L] = proper:counterexample(),
        ?assert(lists:sum(L) >= 20 andalso lists:sum(L) < 60)    % it has been made smaller: how far is chance
    end}.
END
cat > apps/store/test/store_SUITE.erl <<'END'
-module(store_SUITE).
-include_lib("stdlib/include/assert.hrl").
-export([all/0, groups/0, init_per_suite/1, end_per_suite/1, puts/1, skips/1, fails/1, many/1]).
all() -> [puts, skips, {group, several}, fails].
groups() -> [{several, [parallel, {repeat, 2}], [many, puts]}].
init_per_suite(C) -> {ok, P} = store:start_link(), unlink(P), [{store, P} | C].
end_per_suite(C) -> exit(proplists:get_value(store, C), kill).
puts(_) -> true = store:put(x, 1), [1] = store:get(x).
skips(_) -> {skip, "not today"}.
many(_) -> [true = store:put({k, N}, N) || N <- lists:seq(1, 100)], ct:log("put ~p", [100]).
fails(_) -> ?assertEqual(1, store:double([1])).
END
cat > apps/front/src/front_app.erl <<'END'
-module(front_app).
-behaviour(application).
-export([start/2, stop/1]).
start(_, _) -> supervisor:start_link({local, front_sup}, front_sup, []).
stop(_) -> ok.
END
cat > apps/front/src/front_sup.erl <<'END'
-module(front_sup).
-behaviour(supervisor).
-export([init/1]).
-export([greet/0]).
init([]) -> {ok, {{one_for_one, 1, 5}, [#{id => store, start => {store, start_link, []}}, #{id => greet, restart => temporary, start => {?MODULE, greet, []}}]}}.
greet() ->
    {ok, spawn_link(fun() ->
        started(),
        store:put(mode, code:get_mode()),
        io:format("front ~p ~p~n", [store:get(mode), lists:sort([X || {X, _, _} <- application:which_applications()])]),
        init:stop(5)
    end)}.
started() -> case init:get_status() of {started, _} -> ok; _ -> timer:sleep(10), started() end.
END
cat > apps/tool/src/tool.erl <<'END'
-module(tool).
-export([main/1]).
main(Args) -> {ok, _} = store:start_link(), store:put(args, Args), io:format("~p ~p~n", [store:get(args), store:double([21])]).
END
clean() { sed -e 's/[0-9.]* seconds/some seconds/' -e '/^===> Verifying/d' -e '/Testing .*logs/d' -e 's/<[0-9.]*>/PID/g' | tr '\r' '\n'; }
rebar3 eunit > out 2>&1; echo "eunit: status $?"; clean < out
rebar3 ct > out 2>&1; echo "ct: status $?"; grep -E "^(All|Failed|Skipped|[0-9]+ ok)|%%%|assert|expected" out | clean
rebar3 do compile, escriptize, release, tree > out 2>&1; echo "all: status $?"; clean < out | sed "s/erts-[0-9.]*/ERTS/"
_build/default/bin/tool 1 "a b"; echo "tool: status $?"
ls _build/default/rel/front/lib _build/default/rel/front/releases/1.0
_build/default/rel/front/bin/front -noinput < /dev/null > out 2>&1; echo "release: status $?"; clean < out
printf -- '-module(broken).\nf( -> 1.\n' > apps/store/src/broken.erl
rebar3 compile > out 2>&1; echo "broken: status $?"; clean < out | grep -v '^$'
