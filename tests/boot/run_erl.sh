# A system that run_erl has started, whose shell to_erl shows: what is typed there, and what stays in the log.
cd "$WORK" || exit 1
bin=$(erl -noshell -eval 'io:put_chars(code:root_dir()), halt().')/bin
[ -x "$bin/run_erl" ] || { echo "run_erl is not installed"; exit 77; }
export TERM=vt100 # what the shell needs to show a prompt
mkdir pipes log
cat > talk.py <<'END_OF_SCRIPT'
import os, pty, re, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1] + '/to_erl', ['to_erl', 'pipes/'])

seen = b''

def wait(what):
    """Reads until that has come, and forgets what was before. False: it does not come."""
    global seen
    end = time.time() + 90
    while not re.search(what, seen) and time.time() < end:
        if select.select([fd], [], [], 1)[0]:
            try:
                more = os.read(fd, 1000)
            except OSError:
                break
            if not more:
                break
            seen += more
    found = re.search(what, seen)
    seen = seen[found.end():] if found else seen
    return found is not None

wait(rb'Attaching')
os.write(fd, b'\n')
print('prompt', wait(rb'[0-9]> '))
os.write(fd, b'X = 6 * 7, io:format("value ~p~n", [X]).\n')
print('answer', wait(rb'value 42\r?\n'))
os.write(fd, b'X + 1.\n')
print('value', wait(rb'43\r?\n'))
os.write(fd, b'\x04')
print('detached', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END_OF_SCRIPT
"$bin/run_erl" -daemon pipes/ log "exec erl -kernel logger_level none" || exit 1
python3 talk.py "$bin"
echo "again"; python3 talk.py "$bin"
python3 - <<'END_OF_SCRIPT'
import glob, time
with open(glob.glob('pipes/erlang.pipe.1.w')[0], 'w') as f:
    f.write('halt().\n')
end = time.time() + 60
while glob.glob('pipes/*') and time.time() < end:
    time.sleep(0.1)
print('gone', not glob.glob('pipes/*'))
text = open('log/erlang.log.1', errors='replace').read()
print('logged', 'value 42' in text, 'Eshell' in text)
END_OF_SCRIPT
