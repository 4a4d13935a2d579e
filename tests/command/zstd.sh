# Module zstd of OTP 28 and later, where one is: OTP29 names its root (lib/erlang). What must be printed was recorded on OTP 29.1.2 by
#     erl -noshell -pa build/tests/erl -s zstd_streams main -s erlang halt | sed 's/#Ref<[0-9.]*>/#Ref<>/g' > tests/command/zstd.out
. tests/lib/command.sh
[ -d "${OTP29:-}" ] || exit 77
ROOTDIR=$OTP29 run "$MOTE" erl -noshell -pa "$ROOT/build/tests/erl" -s zstd_streams main -s erlang halt
status_is 0
err_is ""
printf '%s\n' "$out" | sed 's/#Ref<[0-9.]*>/#Ref<>/g' | diff "$ROOT/tests/command/zstd.out" -
