import {describe, expect, test} from 'vitest';
import {HostError} from '../../source/lib/errors.ts';
import {onePort} from '../../source/lib/port-ranges.ts';
import {parseOpenings} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {prove} from '../../source/proof/prove.ts';
import {isExact, isProven} from '../../source/proof/report.ts';
import {sweep} from '../../source/proof/sweep.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {loadSource, plannedSource} from '../../source/testbed/load-rules.ts';
import {useTestbed} from './use-testbed.ts';

const NEAR = 'fe80::4cf3:b6ff:fea5:200';
const INTERFACES = [
	{name: 'eth0', addresses: ['2001:db8::1/64', 'fe80::1/64']},
	{name: 'eth1', addresses: ['2001:db8:1::1/64', 'fe80::1/64']},
];
const POINTS = INTERFACES.map(({name}) => ({family: 6, inInterface: name, source: NEAR}) as const);

describe('a client with a link-local address, as fe80::…%eth0', () => {
	const testbed = useTestbed(INTERFACES, POINTS);

	test('sends on its own link, where the rules for it decide', async () => {
		const openings = parseOpenings(
			`22/tcp on eth0, 80/tcp from ${NEAR}, 81 from 2001:db8::/32`,
			new Map(),
		);
		const policy = completePolicy({role: 'server', openings});
		await loadSource(testbed().machine, plannedSource(buildRuleSet(policy, {families: [6]})), [6]);
		const ports = [22, 80, 81, 82].map(onePort);
		const seen = await sweep(testbed(), POINTS, {ports});
		expect(seen.map(({passed}) => passed)).toEqual([
			{tcp: [onePort(22), onePort(80)], udp: []},
			{tcp: [onePort(80)], udp: []},
		]);
	});

	test('is in no network that a proof tries, and the proof says so', async () => {
		const openings = parseOpenings('22/tcp from fe80::/10', new Map());
		const policy = completePolicy({role: 'server', openings});
		const ruleSet = buildRuleSet(policy, {families: [6]});
		const options = {policy, ruleSet, interfaces: INTERFACES, remoteClient: undefined};
		const proof = await prove({...options, source: plannedSource(ruleSet)});
		expect(proof).toMatchObject({untried: [], leftOut: ['packets from fe80::/10']});
		expect([isProven(proof), isExact(proof)]).toEqual([true, false]);
	});

	test('a packet that cannot be sent ends the sweep, and is said', async () => {
		const lost = {
			protocol: 'udp',
			source: '2001:db8:5::5',
			target: '2001:db8::1',
			ports: [onePort(1)],
		} as const;
		const failure = await testbed()
			.senders[6].run('sweep', lost)
			.catch((error) => error);
		expect(failure).toBeInstanceOf(HostError);
		expect(failure.message).toMatch(/^Packets could not be sent .*the address is not available/);
	});
});
