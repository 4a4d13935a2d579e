# Iterators with an order, as maps:iterator/2 of OTP 26 and later makes them. (The installed OTP may be older: it is their
# native part that is asked.)
. tests/lib/command.sh

next() { mote -e "erts_internal:map_next($1, $2, iterator)"; }
next '[b, a]' '#{a => 1, b => 2}'; status_is 0; out_is '{b,2,{a,1,none}}'
next '[]' '#{a => 1}'; out_is none
next '[a, x]' '#{a => 1}'; err_has 'bad argument'
next '[a | b]' '#{a => 1}'; err_has 'bad argument'
mote -e 'M = maps:from_keys(lists:seq(1, 70), x),
    F = fun Walk({K, x, Next}) -> [K | Walk(Next)]; Walk([P | M1]) -> Walk(erts_internal:map_next(P, M1, iterator)); Walk(none) -> [] end,
    F([lists:seq(70, 1, -1) | M]) =:= lists:seq(70, 1, -1)'
out_is true
