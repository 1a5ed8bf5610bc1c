import {describe, expect, it} from 'vitest';
import {printOpening} from '../../source/policy/opening.ts';
import {parseOpening} from '../../source/policy/parse-opening.ts';
import {completePolicy} from '../../source/policy/policy.ts';
import {buildRuleSet} from '../../source/ruleset/build.ts';
import {describeClosed} from '../../source/ruleset/describe-lockout.ts';
import {
	type AccessPort,
	findLockouts,
	judgeAccessPorts,
	openingFor,
	printAccessPort,
	type RemoteClient,
} from '../../source/ruleset/lockout.ts';

const SSH: AccessPort = {protocol: 'tcp', first: 22, last: 22};
const MOSH: AccessPort = {protocol: 'udp', first: 60_000, last: 61_000};

function ruleSetWith(...open: readonly string[]) {
	const openings = open.flatMap((text) => parseOpening(text, new Map()));
	return buildRuleSet(completePolicy({verdict: 'drop', openings}), {families: [4, 6]});
}

const over = (client: string | undefined, ...accessPorts: readonly AccessPort[]): RemoteClient => ({
	client,
	inInterface: 'eth0',
	accessPorts,
});

describe('findLockouts', () => {
	it.each<[string, readonly string[], string, boolean]>([
		['nothing open', [], '192.0.2.7', true],
		['the port', ['22/tcp'], '192.0.2.7', false],
		['the port over IPv6', ['22/tcp'], '2001:db8::7', false],
		['the port among others, held to a rate', ['80/tcp', '20-25 limit'], '192.0.2.7', false],
		['the port of the other protocol', ['22/udp'], '192.0.2.7', true],
		['the port beside it', ['2222/tcp', '23/tcp'], '192.0.2.7', true],
		['its own network', ['22/tcp from 192.0.2.0/24'], '192.0.2.7', false],
		['another network', ['22/tcp from 198.51.100.0/24'], '192.0.2.7', true],
		['a network of the other family', ['22/tcp from 192.0.2.0/24'], '2001:db8::7', true],
		['its interface', ['22/tcp on eth0'], '192.0.2.7', false],
		['another interface', ['22/tcp on wg0'], '192.0.2.7', true],
	])('with %s', (_, open, client, shut) => {
		expect(findLockouts(ruleSetWith(...open), over(client, SSH))).toEqual(shut ? [SSH] : []);
	});

	it('names each access port that is closed, in order', () => {
		const rules = ruleSetWith('443/tcp');
		expect(findLockouts(rules, over('192.0.2.7', SSH, MOSH)).map(printAccessPort)).toEqual([
			'22/tcp',
			'60000-61000/udp',
		]);
		expect(findLockouts(ruleSetWith('22/tcp'), over('192.0.2.7', SSH, MOSH))).toEqual([MOSH]);
	});

	it('finds no way in by an interface that is not known, when the rule names one', () => {
		const remoteClient = {...over('192.0.2.7', SSH), inInterface: undefined};
		expect(findLockouts(ruleSetWith('22/tcp on eth0'), remoteClient)).toEqual([SSH]);
		expect(findLockouts(ruleSetWith('22/tcp'), remoteClient)).toEqual([]);
	});

	it('takes any source where the client is not known', () => {
		expect(findLockouts(ruleSetWith('22/tcp'), over(undefined, SSH))).toEqual([]);
		expect(findLockouts(ruleSetWith('22/tcp from 10.0.0.0/8'), over(undefined, SSH))).toEqual([
			SSH,
		]);
	});

	it('finds nothing without a client, nor in a family that is not filtered', () => {
		expect(findLockouts(ruleSetWith(), undefined)).toEqual([]);
		expect(findLockouts({families: []}, over('2001:db8::7', SSH))).toEqual([]);
	});

	it('is mended by the opening that it is offered', () => {
		for (const accessPort of [SSH, MOSH]) {
			const opening = printOpening(openingFor(accessPort));
			expect(opening).toBe(printAccessPort(accessPort));
			expect(findLockouts(ruleSetWith(opening), over('2001:db8::7', accessPort))).toEqual([]);
		}
	});
});

describe('findWaysIn', () => {
	it('judges the first packet of a new connection, and names the rule', () => {
		const [initSystem] = judgeAccessPorts(ruleSetWith('22/tcp'), over('2001:db8::7', SSH));
		expect(initSystem).toMatchObject({family: 6, accessPort: SSH});
		expect(initSystem?.decision).toMatchObject({
			verdict: 'ACCEPT',
			by: {chain: 'FW-WIZARD-INPUT', index: 6},
		});
	});

	it('judges a range by the worst of its ports, and an unknown address by both families', () => {
		const initSystems = judgeAccessPorts(
			ruleSetWith('60000-60500/udp'),
			over(undefined, {protocol: 'udp', first: 60_000, last: 61_000}),
		);
		expect(initSystems.map(({family, decision}) => [family, decision.verdict])).toEqual([
			[4, 'DROP'],
			[6, 'DROP'],
		]);
	});
});

it('ports that are closed are named in one sentence', () => {
	const ssh = {protocol: 'tcp', first: 22, last: 22} as const;
	expect(describeClosed([ssh])).toBe('22/tcp is closed');
	expect(describeClosed([ssh, {...ssh, first: 2222, last: 2222}])).toBe(
		'22/tcp and 2222/tcp are closed',
	);
});
