# make install: mote and, on request, an AtomVM link, so that packs run by their first line.
. tests/lib/command.sh

case $MOTE in */build/release/mote) ;; *) exit 0 ;; esac # only what is installed
run make --no-print-directory -C "$ROOT" install DESTDIR="$WORK/root" PREFIX=/usr ATOMVM_LINK=1
status_is 0
module app <<'.'
-export([start/0]).
start() -> io:format("by its first line~n").
.
run root/usr/bin/mote app.beam
out_has "Return value: ok"; status_is 0
run root/usr/bin/mote pack create app.avm app.beam
chmod +x app.avm
run env PATH="$WORK/root/usr/bin:$PATH" ./app.avm
out_is "by its first line
Return value: ok"; status_is 0
