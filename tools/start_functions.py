"""Writes the list of functions that a program which says hello runs: `make start-functions`, now and then.

The linker puts them next to each other (see the Makefile), so that a start touches a quarter of a megabyte of code and not all of
it. A list that is out of date does no harm but to that."""
import re, subprocess, sys, tempfile


def main():
    mote, beam, to = sys.argv[1:4]
    with tempfile.NamedTemporaryFile() as profile:
        subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=' + profile.name, mote, beam], check=True, capture_output=True)
        run = {re.sub(r"'\d+$", '', m[1]) for m in re.finditer(r'^c?fn=\(\d+\) (\S+)', open(profile.name).read(), re.M)}
    symbols = (line.split() for line in subprocess.run(['nm', mote], check=True, capture_output=True, text=True).stdout.splitlines())
    ours = sorted({s[2] for s in symbols if len(s) == 3 and s[1] in 'tT' and s[2] in run and not s[2].startswith('_')})
    open(to, 'w').write('\n'.join(ours) + '\n')
    print(f'{len(ours)} functions')


if __name__ == '__main__':
    main()
