import {expect, test} from 'vitest';
import {openRows} from '../../source/app/inspect/open-ports.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import type {Listener} from '../../source/services/listener.ts';

const LISTENER: Listener = {
	...{protocol: 'tcp', address: '0.0.0.0', families: [4], port: 8080, reach: 'outside'},
	process: 'nginx',
};

test.each([
	['8080/tcp', {open: [['nginx']], blocked: []}],
	['8080/tcp until 2037-01-01T00:00:00Z', {open: [['nginx']], blocked: []}],
	// The kernel has ended it: the port is closed to the program that listens there.
	['8080/tcp until 2020-01-01T00:00:00Z', {open: [], blocked: ['nginx']}],
])('a program behind %s', (text, wanted) => {
	const openings = parseOpenings(text, new Map());
	const {open, blocked} = openRows(completePolicy({role: 'server', openings}), [LISTENER]);
	expect({
		open: open.map(({programs}) => programs),
		blocked: blocked.map(({program}) => program),
	}).toEqual(wanted);
});
