# Crash dumps: OTP's crashdump_viewer finds the same in them as in OTP's own; what ERL_CRASH_DUMP... say is heeded.
. tests/lib/command.sh
export ERL_CRASH_DUMP="$WORK/otp.dump"
erl -noshell -pa "$ROOT/build/tests/erl" -s dump_maker main > /dev/null 2>&1
read_dump() { ERL_LIBS="${PACKAGES:-}/lib/erlang/lib" timeout 120 erl -noshell -pa "$ROOT/build/tests/erl" -run dump_reader main "$1" -s erlang halt 2>&1; }
read_dump otp.dump > otp.txt
grep -q dictionary otp.txt || cat otp.txt
for way in "" MOTE_STRESS=yield; do
    export ERL_CRASH_DUMP="$WORK/mote.dump"
    run env $way "$MOTE" erl -noshell -pa "$ROOT/build/tests/erl" -s dump_maker main
    status_is 1
    err_is "the slogan$(printf '\r\n\r')
Crash dump is being written to: $WORK/mote.dump...done$(printf '\r')"
    read_dump mote.dump | diff otp.txt - || complain "the viewer should find the same"
done
# Bare mode, limits, and places where nothing can be written.
cd "$WORK" || exit 1
export ERL_CRASH_DUMP=small.dump ERL_CRASH_DUMP_BYTES=3000
mote -e 'halt("x")'
status_is 1
[ "$(wc -c < small.dump)" -eq 3038 ] && tail -1 small.dump | grep -q "=abort:CRASH DUMP SIZE LIMIT REACHED" || complain "the dump should have been cut"
rm small.dump
export ERL_CRASH_DUMP_BYTES=0
mote -e 'halt("x")'
[ -e small.dump ] && complain "there should be no dump"
unset ERL_CRASH_DUMP_BYTES
export ERL_CRASH_DUMP=/nonexistent/dump
mote -e 'halt("x")'
status_is 1
err_is "x$(printf '\r\n\r')
Crash dump is being written to: /nonexistent/dump..."
