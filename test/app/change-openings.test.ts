import {describe, expect, test} from 'vitest';
import type {ApplyFacts} from '../../source/app/apply-facts.ts';
import {mayCutOff} from '../../source/app/change-openings.ts';
import {planApply} from '../../source/app/plan-apply.ts';
import {KEEP_EXISTING} from '../../source/existing/cleanup-plan.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {FACTS} from '../_helpers/samples/apply-facts.ts';

const SSH_PORTS = [22, 2222];

const remote = (port: number): ApplyFacts['session'] => ({
	kind: 'remote',
	...{connection: 'several', client: '203.0.113.9', inInterface: 'eth0'},
	accessPorts: [{protocol: 'tcp', first: port, last: port}],
});

/** A connection of somebody else that is open. */
const connectionAt = (localPort: number): ApplyFacts['connections'][number] => ({
	...{localAddress: '192.0.2.1', localPort, remoteAddress: '198.51.100.7', remotePort: 40_000},
	...{state: 'established', uid: 0, inode: '1', stays: true},
});

/** Whether a change to a policy waits, in a session and beside connections. @param closed what it closes */
function waits(
	openings: string,
	session: ApplyFacts['session'],
	{closed = '', at = [] as readonly number[]} = {},
) {
	const policy = completePolicy({role: 'server', openings: parseOpenings(openings, new Map())});
	const facts = {...FACTS, session, connections: at.map(connectionAt)};
	const plan = planApply({policy, existing: KEEP_EXISTING}, facts);
	return mayCutOff(plan, closed === '' ? [] : parseOpenings(closed, new Map()), () => SSH_PORTS);
}

describe('a change of openings waits for a new login', () => {
	test('where the policy closes the port of the session, whatever is opened', () => {
		// As where its rules were removed by hand: the session is open, and the change loads them again.
		expect(waits('8080/tcp', remote(22))).toBe(true);
		expect(waits('22/tcp, 8080/tcp', remote(22))).toBe(false);
		expect(waits('22/tcp from 10.0.0.0/8, 8080/tcp', remote(22))).toBe(true);
	});

	test('where it blocks a connection of another one over SSH', () => {
		expect(waits('22/tcp from 203.0.113.0/24', remote(22), {at: [22]})).toBe(true);
		expect(waits('22/tcp, 8080/tcp', remote(22), {at: [22, 9000]})).toBe(false);
		expect(waits('22/tcp', remote(22), {at: [2222]})).toBe(true);
	});

	test('in a session of which nothing is known, where it closes SSH or blocks any connection', () => {
		const unknown = {kind: 'unknown'} as const;
		expect(waits('8080/tcp', unknown, {closed: '22/tcp'})).toBe(true);
		expect(waits('22/tcp', unknown, {closed: '2000-3000/tcp'})).toBe(true);
		expect(waits('22/tcp', unknown, {closed: '80/tcp'})).toBe(false);
		expect(waits('22/tcp', unknown, {at: [8443]})).toBe(true);
		expect(waits('22/tcp, 8443/tcp', unknown, {at: [8443]})).toBe(false);
	});

	test('not at the console, unless another one is cut off', () => {
		expect(waits('80/tcp', {kind: 'console'}, {closed: '22/tcp'})).toBe(false);
		expect(waits('80/tcp', {kind: 'console'}, {at: [22]})).toBe(true);
	});
});
