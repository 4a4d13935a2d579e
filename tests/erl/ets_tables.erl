%% ETS: all kinds of tables: objects, walking, searching in all its forms, counters, fixing, owners and heirs, errors.
-module(ets_tables).
-export([main/0]).
p(X) -> io:format("~0tp~n", [X]).
t(F) -> try F() catch C:R:S -> {C,R,info(S)} end.
%% What error_info says of the function that failed.
info([{ets,F,_,I}|_]) -> {F,I};
info([{M,F,_,_}|_]) -> {M,F};
info([]) -> none.
main() ->
    [basic(T) || T <- [set,ordered_set,bag,duplicate_bag]],
    named(), counters(), elements(), [sel(T) || T <- [set,ordered_set,bag,duplicate_bag]], conts(), repl(), fix(), errs(), owner(), big(), guards(), 
    p(done).
basic(Type) ->
    p({basic,Type}),
    T = ets:new(t,[Type,public]),
    _ = [ets:insert(T,{I,I*I,[I]}) || I <- lists:seq(1,30)],
    _ = [ets:insert(T,{I rem 7,x,I}) || I <- lists:seq(1,30)],
    p(ets:insert(T,{atom,1.5,<<"binary">>,"string",{tuple,[1,2]},#{a=>1},1 bsl 70, fun lists:map/2})),
    p(ets:insert(T,{1.0,float})), p(ets:insert(T,{"str",s})), p(ets:insert(T,{<<"bin">>,b})), p(ets:insert(T,{{1,2},c})),
    p(ets:tab2list(T)),
    p([ets:lookup(T,K) || K <- [1,2,3,29,31,atom,1.0,"str",{1,2}]]),
    p([ets:member(T,K) || K <- [1,2,3,29,31,atom,1.0,"str",{1,2}]]),
    p(walk(T,ets:first(T),[])), p(walkb(T,ets:last(T),[])),
    p(t(fun() -> ets:next(T,nokey) end)), p(t(fun() -> ets:prev(T,nokey) end)),
    p(ets:insert_new(T,{1,new})), p(ets:insert_new(T,[{100,new},{1,new}])), p(ets:insert_new(T,[{100,new},{101,new}])),
    p(ets:lookup(T,100)),
    p(ets:delete(T,1)), p(ets:lookup(T,1)), p(ets:take(T,2)), p(ets:lookup(T,2)),
    p(ets:delete_object(T,{3,x,3})), p(ets:lookup(T,3)),
    p(ets:info(T,size)), p([t(fun() -> ets:lookup_element(T,K,P) end) || K <- [3,4,nokey,100], P <- [1,2,3,0,-1]]),
    p(ets:match(T,{'$1',x,'$0'})), p(ets:match_object(T,{'_','_','$1'})), p(ets:match(T,{4,'_','$1'})), p(ets:match_object(T,foo)),
    p(ets:match(T,'$1')), p(ets:match(T,'_')),
    p([t(fun() -> ets:slot(T,I) end) || I <- [0,1,5,255,256,257]]),
    p(ets:delete_all_objects(T)), p(ets:tab2list(T)), p(ets:first(T)),
    p(ets:delete(T)), p(t(fun() -> ets:insert(T,{1}) end)), p(ets:info(T)), p(ets:info(T,size)).
walk(_,'$end_of_table',A) -> lists:reverse(A);
walk(T,K,A) -> walk(T,ets:next(T,K),[K|A]).
walkb(_,'$end_of_table',A) -> lists:reverse(A);
walkb(T,K,A) -> walkb(T,ets:prev(T,K),[K|A]).
named() ->
    p(ets:new(n,[named_table])), p(t(fun() -> ets:new(n,[named_table]) end)), p(ets:insert(n,{a,1})), p(ets:lookup(n,a)),
    R = ets:whereis(n), p(is_reference(R)), p(ets:lookup(R,a)), p(ets:rename(n,m)), p(ets:lookup(m,a)), p(ets:whereis(n)), p(t(fun() -> ets:lookup(n,a) end)),
    p(ets:info(m,named_table)), p(ets:info(R,name)), p(ets:delete(m)).
counters() ->
    [begin T = ets:new(c,[Ty]), ets:insert(T,{a,1,2,x}), 
    p([t(fun() -> ets:update_counter(T,a,Op) end) || Op <- [1,-5,{2,3},{3,10},[{2,1},{3,1},{2,1}],[],{2,5,3,0},{2,-100,-50,7},{3,1 bsl 70},{3,-(1 bsl 70)},{1,1},{4,1},{5,1},foo,{2,a},[{2,1},{4,1}],{2,0},{2,1,a,b}]]),
    p(ets:lookup(T,a)), p(t(fun() -> ets:update_counter(T,b,1) end)), p(t(fun() -> ets:update_counter(T,b,{2,1},{x,10}) end)), p(t(fun() -> ets:update_counter(T,d,{3,1},{x,10}) end)), p(t(fun() -> ets:update_counter(T,e,[],{x,10}) end)),
    p(lists:sort(ets:tab2list(T))) end || Ty <- [set,ordered_set]],
    B = ets:new(c,[bag]), p(t(fun() -> ets:update_counter(B,a,1) end)).
elements() ->
    [begin T = ets:new(c,[Ty]), ets:insert(T,{a,1,2,x}),
    p([t(fun() -> ets:update_element(T,K,Op) end) || K <- [a,b], Op <- [{2,z},{3,[1,2,3]},[{2,"abc"},{4,{q}}],{1,a},{5,a},{0,a},foo,[],{2}]]), p(ets:tab2list(T)) end || Ty <- [set,ordered_set]].
sel(Type) ->
    p({sel,Type}),
    T = ets:new(t,[Type,public]),
    _ = [ets:insert(T,{{I rem 5,I},I,a}) || I <- lists:seq(1,100)], ets:insert(T,[{{1,2,3},x}]),
    p(ets:select(T,[{{{1,'$1'},'$2','_'},[{'>','$1',20}],[{{'$1','$2'}}]}])),
    p(ets:select(T,[{{{'_','$1'},'_','_'},[{'=<','$1',5}],['$1']},{{'_',x},[],['$_']}])),
    p(ets:select(T,[{{{1,6},'$1','_'},[],['$$']},{{{2,7},'$1','_'},[],[{{a,'$1'}}]},{{{1,6},'$1','_'},[],['$_']}])),
    p(ets:select_reverse(T,[{{{1,'$1'},'$2','_'},[],['$1']}])),
    p(ets:select_count(T,[{{{1,'$1'},'$2','_'},[],[true]}])), p(ets:select_count(T,[{{{1,'$1'},'$2','_'},[],[ok]}])),
    p(ets:select(T,[{{{1,2,'$1'},'_'},[],['$1']}])), p(ets:select(T,[{{'$1',x},[],['$1']}])),
    p(ets:select(T,[{{'_','_'},[],['$_']}])), p(ets:select(T,[{{{'_',50},'_','_'},[],['$_']}])),
    p(ets:select_delete(T,[{{{2,'_'},'_','_'},[],[true]}])), p(ets:info(T,size)), p(ets:select_delete(T,[{'_',[],[false]}])), 
    p(ets:select_delete(T,[{{{3,'$1'},'_','_'},[{'<','$1',50}],[true]}])), p(ets:info(T,size)),
    p(length(ets:tab2list(T))), p(ets:select_delete(T,[{'_',[],[true]}])), p(ets:info(T,size)),
    p([t(fun() -> ets:select(T,S) end) || S <- [[],foo,[{a,b}],[{'_',[],[]}],[{'_',[],['$1']}],[{'_',[{foo}],['$_']}],[{'_',[],[{1,2}]}],[{'_',[],['$_'|x]}],[{'_',x,['$_']}], [{foo,[],['$_']}]]]).
conts() ->
    [begin p({conts,Ty}), T = ets:new(t,[Ty]), [ets:insert(T,{I rem 13, I}) || I <- lists:seq(1,40)],
      [p(all(ets:select(T,[{{'$1','$2'},[],['$2']}],N))) || N <- [1,3,7,13,100]], p(all(ets:match(T,{'$1','_'},4))), p(all(ets:match_object(T,{5,'_'},1))),
      p(all(ets:select_reverse(T,[{{'$1','$2'},[],['$2']}],3))), p(t(fun() -> ets:select(T,[{'_',[],['$_']}],0) end)), p(t(fun() -> ets:select(foo) end)), p(ets:select('$end_of_table')),
      p(all(ets:select(T,[{{99,'$2'},[],['$2']}],3)))
     end || Ty <- [set,ordered_set,bag,duplicate_bag]].
all('$end_of_table') -> [];
all({L,C}) -> [L|all(ets:select(C))].
repl() ->
    [begin T = ets:new(t,[Ty]), ets:insert(T,[{I,I} || I <- lists:seq(1,10)]),
     p(t(fun() -> ets:select_replace(T,[{{'$1','$2'},[{'>','$1',5}],[{{'$1',{'*','$2',2}}}]}]) end)), p(lists:sort(ets:tab2list(T))),
     p(t(fun() -> ets:select_replace(T,[{{'$1','$2'},[],[{{'$2','$1'}}]}]) end)), p(t(fun() -> ets:select_replace(T,[{{3,'$2'},[],[{const,{3,x}}]}]) end)), p(t(fun() -> ets:select_replace(T,[{{3,'$2'},[],[{{3,y}}]}]) end)), p(ets:lookup(T,3)) end || Ty <- [set,ordered_set,bag]].
fix() ->
    T = ets:new(t,[]), ets:insert(T,[{I} || I <- lists:seq(1,500)]), ets:safe_fixtable(T,true), p(ets:info(T,fixed)),
    F = fun F('$end_of_table',N) -> N; F(K,N) -> ets:delete(T,K), F(ets:next(T,K),N+1) end, p(F(ets:first(T),0)), p(ets:info(T,size)),
    ets:insert(T,[{I} || I <- lists:seq(1,10)]), p(ets:tab2list(T)), ets:safe_fixtable(T,false), p(ets:info(T,fixed)), p(ets:tab2list(T)),
    p(ets:foldl(fun({A},S) -> A+S end,0,T)).
errs() ->
    R = make_ref(),
    p([t(F) || F <- [fun() -> ets:new(1,[]) end, fun() -> ets:new(a,[foo]) end, fun() -> ets:new(a,[{keypos,0}]) end, fun() -> ets:new(a,foo) end, fun() -> ets:new(a,[{keypos,2}|x]) end,
     fun() -> ets:insert(nosuch,{1}) end, fun() -> ets:insert(R,{1}) end, fun() -> ets:insert(5,{1}) end, fun() -> ets:lookup(nosuch,1) end, fun() -> ets:info(nosuch) end, fun() -> ets:info(R) end, fun() -> ets:info("x") end, fun() -> ets:whereis(1) end]]),
    T = ets:new(a,[{keypos,2}]), p([t(F) || F <- [fun() -> ets:insert(T,{1}) end, fun() -> ets:insert(T,x) end, fun() -> ets:insert(T,[{1,2}|x]) end, fun() -> ets:insert(T,[{1,2},{1}]) end, fun() -> ets:insert(T,[]) end, fun() -> ets:delete_object(T,x) end, fun() -> ets:tab2list(T) end]]),
    p(lists:keydelete(memory,1,lists:keydelete(id,1,lists:keydelete(owner,1,ets:info(T))))).
owner() ->
    Me = self(),
    {P,M} = spawn_monitor(fun() -> T = ets:new(own,[named_table,public,{heir,Me,data}]), ets:insert(T,{a,1}), _ = ets:new(own2,[named_table]), Me ! go, receive x -> ok end end),
    receive go -> ok end, p(ets:lookup(own,a)), p(ets:insert(own,{b,2})), p(t(fun() -> ets:insert(own2,{b,2}) end)), p(ets:lookup(own2,b)), P ! x,
    receive {'DOWN',M,_,_,R} -> p(R) end, receive {'ETS-TRANSFER',own,P,D} -> p(D) after 1000 -> p(timeout) end, p(ets:info(own2)), p(lists:sort(ets:tab2list(own))), p(ets:info(own,owner) =:= Me),
    Q = spawn(fun() -> receive {'ETS-TRANSFER',own,F,G} -> p({F =:= Me,G}), Me ! got, receive x -> ok end end end), Given = ets:give_away(own,Q,gift), receive got -> ok end, p(Given), p(t(fun() -> ets:give_away(own,Me,gift) end)), p(ets:info(own,owner) =:= Q), exit(Q,kill), receive after 20 -> ok end, p(lists:keymember(size,1,ets:info(own))).
big() ->
    [begin T = ets:new(t,[Ty]), [ets:insert(T,{I*7919 rem 100003, I}) || I <- lists:seq(1,20000)], p(ets:info(T,size)), p(erlang:phash2(ets:tab2list(T))), 
     [ets:delete(T,I*7919 rem 100003) || I <- lists:seq(1,19000)], p(erlang:phash2(ets:tab2list(T))), p(erlang:phash2(ets:select(T,[{{'$1','$2'},[{'>','$2',19500}],['$1']}]))) end || Ty <- [set,ordered_set,bag,duplicate_bag]].
guards() ->
    T = ets:new(t,[]), ets:insert(T,{a,1,2.5,"list",<<"bin">>,{t,u},#{k=>v},self()}),
    G = [{is_atom,'$1'},{is_integer,'$2'},{is_float,'$3'},{is_list,'$4'},{is_binary,'$5'},{is_tuple,'$6'},{is_map,'$7'},{is_pid,'$8'},{'==','$2',1.0},{'=:=','$2',1.0},{'and',true,true},{'and',true,false},{'and',true,1},{'or',false,true},{'or',1,true},{'not',false},{'xor',true,false},
       {'andalso',{is_atom,'$1'},{is_atom,'$2'}},{'orelse',{is_atom,'$2'},{is_atom,'$1'}},{'andalso',1,true},{'<',{length,'$4'},5},{'==',{hd,'$4'},$l},{'==',{element,1,'$6'},t},{is_map_key,k,'$7'},{'==',{map_get,k,'$7'},v},{'==',{abs,-1},1},{is_record,'$6',t,2},{is_record,'$6',t,3},{'==',{size,'$5'},3},{'==',{node},node()},{'==',{self},'$8'},{'>',{'+','$2',1},1},{'==',{'div',7,2},3},{is_function,'$1'},true,false,foo,'$1',{const,true}],
    p([t(fun() -> ets:select(T,[{{'$1','$2','$3','$4','$5','$6','$7','$8'},[X],[ok]}]) end) || X <- G]),
    B = [{{'$1',{{'$2'}}}},['$4'|'$5'],#{'$1'=>'$2',x=>['$3']},{const,'$1'},{element,2,'$6'},{tl,'$4'},{hd,'$1'},'$$',"abc",{{}},[],{'+','$2','$1'},{map_get,k,'$7'},{{a,b,{{c}}}},1.5,{binary_part,'$5',1,1},{'and','$1',true},{length,'$4'},{size,'$6'}],
    p([t(fun() -> ets:select(T,[{{'$1','$2','$3','$4','$5','$6','$7','_'},[],[X]}]) end) || X <- B]),
    p([t(fun() -> ets:match(T,X) end) || X <- [{a,'$1','_','$2','_',{t,'$3'},#{k=>'$4'},'_'},{a,'_','_','_','_','_',#{},'_'},{a,'_','_','_','_','_',#{z=>'_'},'_'},{'_','_',2.5,"list",<<"bin">>,{t,u},'_','_'},{'_','_','_',[$l|'$1'],'_','_','_','_'},{'_','$1','_','_','_','_','_','$1'}]]),
    MS = ets:match_spec_compile([{{'$1','$2'},[{'>','$2',2}],['$1']}]), p(ets:is_compiled_ms(MS)), p(ets:match_spec_run([{a,1},{b,3},c,{d,4}],MS)), p(ets:is_compiled_ms(foo)),
    p(ets:test_ms({a,b},[{{'$1','$2'},[],[{{'$2','$1'}}]}])), p(ets:test_ms({a,b},[{{'$1',c},[],['$1']}])), p(element(1,ets:test_ms({a,b},[{{'$1',c},[],['$3']}]))).
