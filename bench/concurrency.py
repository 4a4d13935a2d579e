#!/usr/bin/env python3
"""Concurrency against erl: Mote interpreted, with one scheduler and with as many as there are cores, and erl in turn, in one run.

    bench/concurrency.py [-n ROUNDS] [--mote PATH] [--cpu] [--million N] [WORD...]     what contains a WORD; default: all

Programs: ratios of time to erl (smaller is faster; the smallest time of the rounds counts) and their geometric means. Then, of each
way: a million waiting processes, two CPU-bound processes against one, the latency of a 1 ms timer while all cores are busy. --cpu
takes the time of the processors instead of the wall for the programs: for machines that are busy with other things."""
import argparse, os, sys

import run

PROGRAMS = [('b_processes', n) for n in ('spawn_exit', 'ping_pong', 'ring', 'gen_server_call', 'fan_in', 'selective')] + \
           [('b_concurrency', n) for n in ('parallel_map', 'timers', 'timeouts', 'large_message', 'to_many', 'monitors', 'shared_table')]
# Those that the issue has a figure for: their geometric mean counts.
ASKED = {'spawn_exit', 'ping_pong', 'ring', 'gen_server_call', 'parallel_map', 'timers', 'large_message', 'to_many'}


def programs(o, ways):
    ratios = {w: [] for w in ways if w != 'erl'}
    print(f'{"program":18} {"erl ms":>8}' + ''.join(f'{w:>12}' for w in ratios), flush=True)
    for module, name in PROGRAMS:
        if o.words and not any(w in name for w in o.words):
            continue
        best, hashes = {}, {}
        for _ in range(o.rounds):
            for way, command in ways.items():
                out = run.output(command + ['-s', 'bench', 'main', module, name])
                if len(out) == 2 and out[0].isdigit():
                    best[way] = min(best.get(way, 1 << 60), int(out[0]))
                    hashes[way] = out[1]
        row = f'{name:18} {best.get("erl", 0) / 1000:8.1f}'
        for way in ratios:
            if way not in best or 'erl' not in best:
                row += f'{"failed":>12}'
            elif hashes[way] != hashes['erl']:
                row += f'{"WRONG":>12}'
            else:
                row += f'{best[way] / best["erl"]:12.2f}'
                if name in ASKED:
                    ratios[way].append(best[way] / best['erl'])
        print(row, flush=True)
    print(f'{"geometric mean":27}' + ''.join(f'{run.mean(r):12.2f}' for r in ratios.values()) + '   (' + ' '.join(sorted(ASKED)) + ')')
    print(f'{"worst":27}' + ''.join(f'{max(r, default=float("nan")):12.2f}' for r in ratios.values()))


def figures(o, ways, what, function, argument, labels, better=min):
    """The best of the rounds, for each label."""
    if o.words and not any(w in function for w in o.words):
        return
    print(f'\n{what}:')
    for way, command in ways.items():
        rows = []
        for _ in range(o.rounds):
            out = run.output(command + ['-s', 'b_concurrency', function, argument])
            rows += [[int(x) for x in out]] if len(out) == len(labels) and all(x.lstrip('-').isdigit() for x in out) else []
        told = [f'{better(r[i] for r in rows):9} {label}' for i, label in enumerate(labels)] if rows else ['failed']
        if function == 'work' and rows:
            told.append(f'ratio {max(r[1] / r[0] for r in rows):.2f}')
        print(f'  {way:8}' + ', '.join(told), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('-n', '--rounds', type=int, default=3)
    p.add_argument('--mote', default=os.path.join(run.ROOT, 'build', 'release', 'mote'))
    p.add_argument('--cpu', action='store_true')
    p.add_argument('--million', default='1000000')
    p.add_argument('--timers', default='3000')
    p.add_argument('words', nargs='*')
    o = p.parse_args()
    run.compile_all()
    cores = len(os.sched_getaffinity(0))
    start = ['+P', '2000000', '-noshell', '-noinput', '-pa', run.BEAMS]
    ways = {'erl': ['erl'] + start, '+S 1': [o.mote, 'erl', '+S', '1'] + start, f'+S {cores}': [o.mote, 'erl', '+S', str(cores)] + start}
    if o.cpu:
        os.environ['BENCH_CPU'] = 'yes'
        ways['erl'][1:1] = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none']    # schedulers that wait do not spin
    programs(o, ways)
    figures(o, ways, f'{o.million} waiting processes', 'million', o.million, ['ms to start them', 'bytes each', 'ms until all have answered'])
    figures(o, ways, 'two CPU-bound processes against one', 'work', 'x', ['rounds a second', 'of two together'], max)
    figures(o, ways, f'a timer of 1 ms while all cores are busy, {o.timers} times, microseconds late', 'latency', o.timers, ['half', '99 %', '99.9 %', 'worst'])


if __name__ == '__main__':
    sys.exit(main())
